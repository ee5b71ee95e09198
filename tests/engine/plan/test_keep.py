"""What overlapping windows look at is computed once, by whoever asks first, and let go with the run."""

from __future__ import annotations

import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.execute.cluster import Threads
from engine.execute.evaluate import evaluate
from engine.graph import text
from engine.plan.keep import blocks_of, cut, keep
from engine.plan.planner import Planner
from engine.plan.shelf import SHELF, Kept, Shelf
from processes.lazy import Lazy
from processes.places import Region, everything
from processes.recipes import Held, computed
from tests.engine.plan.conftest import Stored, lazy_cube, stored
from tests.engine.plan.test_text import WORLD

ROOM = 10**9


@dataclass(frozen=True, eq=False)
class Counted(Held):
    """Numbers in memory; the regions that are asked for are noted."""

    asked: list[Region] = field(default_factory=list)

    def make(self, region: Region, blocks: Any) -> np.ndarray:
        """The numbers of a region."""
        self.asked.append(region)
        return super().make(region, blocks)


def cube(planes: int = 2, height: int = 20, width: int = 30) -> np.ndarray:
    """Numbers that are all different."""
    return np.arange(planes * height * width).reshape(planes, height, width)


place = st.tuples(st.integers(0, 29), st.integers(0, 29)).map(lambda p: slice(min(p), max(p) + 1))
some = st.lists(st.integers(0, 29), min_size=1, max_size=6).map(np.array)


@given(
    rows=place | some,
    cols=place | some,
    planes=place | some,
    tall=st.integers(1, 30),
    wide=st.integers(1, 30),
)
def test_a_region_of_kept_blocks_is_that_of_the_array(rows, cols, planes, tall, wide):
    numbers = cube(30, 30, 30)
    sizes = tuple(tuple(min(n, 30 - i) for i in range(0, 30, n)) for n in (tall, wide))
    kept = Kept(Held(numbers), sizes, ROOM)
    np.testing.assert_array_equal(
        computed(kept, (planes, rows, cols)), computed(Held(numbers), (planes, rows, cols))
    )


def test_each_block_is_computed_once_though_many_ask_at_a_time():
    source = Counted(cube())
    kept = Kept(source, ((10, 10), (15, 15)), ROOM)
    with SHELF.run(), ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: computed(kept, everything(kept.shape)), range(40)))
    assert all((f == source.array).all() for f in found)
    assert len(source.asked) == 4


def test_with_the_last_run_all_is_let_go():
    kept = Kept(Counted(cube()), ((20,), (30,)), ROOM)
    with SHELF.run():
        with SHELF.run():
            computed(kept, everything(kept.shape))
        assert SHELF.bytes == cube().nbytes
    assert SHELF.bytes == 0
    assert not SHELF.blocks


def test_outside_of_runs_blocks_go_with_what_they_belong_to():
    kept = Kept(Counted(cube()), ((20,), (30,)), ROOM)
    computed(kept, everything(kept.shape))
    assert SHELF.bytes
    del kept
    assert SHELF.bytes == 0


def test_what_is_let_go_while_the_lock_is_held_waits_for_its_turn():
    """Python tidies up wherever it likes, in the middle of the shelf's own work, too."""
    shelf = Shelf()
    shelf.get(("a", (0,)), lambda: np.zeros(10, np.uint8), ROOM)
    with shelf.lock:
        shelf.drop("a")
    assert shelf.bytes == 10
    shelf.get(("b", (0,)), lambda: np.zeros(5, np.uint8), ROOM)
    assert shelf.bytes == 5


def test_what_was_not_used_for_long_makes_room():
    shelf, made = Shelf(), []

    def block(number: int) -> np.ndarray:
        made.append(number)
        return np.zeros(10, np.uint8)

    for number in (0, 1, 0, 2, 0, 1):
        shelf.get(("a", (number,)), lambda number=number: block(number), 20)
    assert made == [0, 1, 2, 1]
    assert shelf.bytes == 20


def test_a_fault_is_told_to_all_who_wait_and_the_next_one_tries_anew():
    shelf, begun, go = Shelf(), threading.Event(), threading.Event()

    def failing() -> np.ndarray:
        begun.set()
        go.wait(10)
        raise ValueError("damaged")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(shelf.get, ("a", (0,)), failing, ROOM)
        begun.wait(10)
        second = pool.submit(shelf.get, ("a", (0,)), lambda: np.ones(1), ROOM)
        while not second.running():
            pass
        go.set()
        assert isinstance(first.exception(), ValueError)
        assert second.exception() is None or isinstance(second.exception(), ValueError)
    assert shelf.get(("a", (0,)), lambda: np.ones(1), ROOM) == 1


def test_kept_blocks_travel_without_what_is_on_the_shelf():
    kept = Kept(Held(cube()), ((20,), (30,)), ROOM)
    computed(kept, everything(kept.shape))
    there = pickle.loads(pickle.dumps(kept))
    assert there.name == kept.name
    np.testing.assert_array_equal(computed(there, everything(there.shape)), cube())


def lines(*written: str) -> str:
    return "\n".join(written)


GREEN = "green = ndvi(data=param('cube'), nir='B08', red='B04')"
BEST = "best = reduce_dimension(data=green, dimension='t', reducer=child(\"m = median(data=param('data'))\", result='m'))"
STEPS = {
    "warp": "out = resample_spatial(data=best, projection=3857, method='bilinear')",
    "kernel": "out = apply_kernel(data=best, kernel=[[1, 2, 1], [2, 3, 2], [1, 2, 1]])",
}


def result(source: Stored, step: str, kernels: Any) -> Any:
    """The cube of a graph over stored numbers, in blocks of 512."""
    given_ = lazy_cube(source, 0, kernels)
    made = evaluate(text.read(lines(GREEN, BEST, step)), {"cube": given_}, lambda _: WORLD).values["out"]
    return made.chunk({d: 512 for d in made.dims if d in ("x", "y")})


@pytest.mark.parametrize("kernels", ["never", "always"])
@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_each_cell_of_a_file_is_read_once(step, kernels):
    numbers = np.random.default_rng(1).integers(1, 500, (2, 3, 1200, 1200)).astype("uint16")
    source = stored(numbers, 512)
    lazy = result(source, step, kernels)
    assert lazy.data.npartitions >= 9
    found = np.full(lazy.shape, np.nan, lazy.dtype)
    for place, block in Threads(2).stream(lazy):
        found[place] = block
    assert source.cells == 2 * 2 * 1200 * 1200
    plain = lazy_cube(stored(numbers, 512), 0, "never")
    plain = evaluate(text.read(lines(GREEN, BEST, step)), {"cube": plain}, lambda _: WORLD).values["out"]
    np.testing.assert_array_equal(found, computed(plain.data.recipe, everything(plain.shape)))


def test_blocks_are_cut_where_files_have_edges():
    source = stored(np.zeros((4, 1, 2000, 2048), "uint16"), 1024)
    assert blocks_of(source, 2**30) == ((512, 512, 512, 464), (512,) * 4)
    assert blocks_of(source, 4 * 2 * 512 * 512) is not None
    assert blocks_of(source, 4 * 2 * 512 * 512 - 1) is None
    assert cut((900, 1024, 76)) == (388, 512, 512, 512, 76)
    assert cut((1100,)) == (512, 512, 76)


@settings(max_examples=5)
@given(memory=st.sampled_from((2**20, 2**30)))
def test_what_is_merely_read_or_given_is_not_kept(memory):
    warp = STEPS["warp"].replace("best", "param('cube')")
    source = stored(np.zeros((1, 3, 64, 64), "uint16"), 32)
    out = evaluate(text.read(warp), {"cube": lazy_cube(source, 0, "never")}, lambda _: WORLD).values["out"]
    assert isinstance(out.data, Lazy)
    assert keep(out.data.recipe, memory) is out.data.recipe
    assert Planner(memory, "never").planned(out.data.recipe) is out.data.recipe
