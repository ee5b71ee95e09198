"""Statistics of planes that do not fit: in passes over blocks, what NumPy gives of all cells at once."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import engine
from engine.plan.bill import billed
from engine.plan.passes import Selected
from engine.plan.planner import Planner
from engine.plan.text import planned
from engine.plan.walk import Walk
from processes import reducers
from processes.cubes.cells import Coding
from processes.cubes.orders import Order
from processes.kernels import ranks
from processes.places import everything, size
from processes.recipes import computed
from tests.engine.plan.conftest import lazy_cube, stored

TYPES = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "float16", "float32", "float64")
MB = 2**20


def numbers(dtype: str) -> Any:
    """Arrays of a type, with infinities, zeros of both signs, and many ties."""
    any_of = hnp.from_dtype(np.dtype(dtype), allow_nan=False)
    few = st.sampled_from([np.dtype(dtype).type(v) for v in (0, 1, 2, 7)])
    return hnp.arrays(dtype, st.integers(1, 60), elements=st.one_of(any_of, few))


# ----------------------------------------------------------------------------------------------- search
@pytest.mark.parametrize("dtype", TYPES)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_keys_are_in_the_order_of_numbers_and_lead_back(dtype: str, data: Any) -> None:
    array = data.draw(numbers(dtype))
    keys = ranks.keys(array)
    np.testing.assert_array_equal(array[np.argsort(keys, kind="stable")], np.sort(array))
    np.testing.assert_array_equal([ranks.number(int(k), array.dtype) for k in keys], array)


@pytest.mark.parametrize("dtype", TYPES)
@settings(max_examples=30, deadline=None)
@given(data=st.data(), room=st.sampled_from((0, 3, 1000)), parts=st.integers(1, 4))
def test_numbers_are_found_by_their_place_in_few_passes(dtype: str, data: Any, room: int, parts: int) -> None:
    array = data.draw(numbers(dtype))
    places = data.draw(st.lists(st.integers(0, len(array) - 1), min_size=1, max_size=3))
    search = ranks.Search(array.dtype, lambda n: places if n == len(array) else [], room)
    passes = 0
    while search.found is None:
        for part in np.array_split(array, parts):
            search.take(part)
        search.over()
        passes += 1
    np.testing.assert_array_equal(search.found, np.sort(array)[places])
    assert passes <= ranks.passes(array.dtype)
    if room >= len(array):
        assert passes <= 2


# ---------------------------------------------------------------------------------------------- quantile
@pytest.mark.parametrize("dtype", TYPES)
@settings(max_examples=30, deadline=None)
@given(data=st.data(), share=st.sampled_from((0.0, 0.1, 0.25, 0.5, 0.9, 1.0)), ignore=st.booleans())
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_quantiles_are_those_of_the_reducer(dtype: str, data: Any, share: float, ignore: bool) -> None:
    array = data.draw(numbers(dtype))
    if np.dtype(dtype).kind == "f":
        array[data.draw(hnp.arrays(bool, len(array)))] = np.nan
    before = Coding(array.dtype, None if np.dtype(dtype).kind == "f" else 0)
    expected = reducers.quantiles(before.decode(array[:, None]), [share], ignore_nodata=ignore)
    after = Coding(np.dtype(np.float64) if array.dtype.kind != "f" else array.dtype)
    order = Order(share, ignore, before, after)
    search = order.search(0)
    while search.found is None:
        search.take(order.valid(array))
        search.over()
    np.testing.assert_array_equal(order.finished(search, len(array)), after.encode(expected, (1, 1))[0, 0])


# ------------------------------------------------------------------------------------------------ graphs
def reduced(cube: Any, *nodes: tuple[str, dict[str, Any]]) -> Any:
    """The plane of a cube reduced by processes one after the other."""
    graph: dict[str, Any] = {}
    last: dict[str, str] = {"from_parameter": "data"}
    for i, (process, arguments) in enumerate(nodes):
        graph[f"p{i}"] = {"process_id": process, "arguments": {"data": last, **arguments}}
        last = {"from_node": f"p{i}"}
    graph[last["from_node"]]["result"] = True
    arguments = {"data": {"from_parameter": "cube"}, "reducer": {"process_graph": graph}}
    out = {"process_id": "reduce_spatial", "arguments": arguments, "result": True}
    return engine.run({"out": out}, {"cube": cube})


MEDIAN = (("median", {}),)
TENTH = (("quantiles", {"probabilities": [0.1, 0.9]}), ("array_element", {"index": 0}))
STRICT = (("median", {"ignore_nodata": False}),)


@pytest.mark.parametrize("nodes", [MEDIAN, TENTH, STRICT], ids=["median", "quantile", "strict"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float32", "float64"])
def test_planes_that_do_not_fit_give_what_those_give_that_do(dtype: str, nodes: Any) -> None:
    rng = np.random.default_rng(3)
    cells = (
        rng.normal(0, 3000, (2, 2, 300, 200)) if dtype != "uint8" else rng.integers(0, 9, (2, 2, 300, 200))
    ).astype(dtype)
    gap = None if cells.dtype.kind == "f" else 0
    cells[0, 0, :50] = np.nan if gap is None else 0
    cells[1, 1] = np.nan if gap is None else 0
    source = stored(cells, 64)
    large = reduced(lazy_cube(source, gap, "never", ("B04", "B08"), memory=MB), *nodes)
    whole = reduced(lazy_cube(stored(cells, 64), gap, "never", ("B04", "B08")), *nodes).data
    assert isinstance(planned(large.data), Selected)
    assert isinstance(planned(whole), Selected) == (cells.dtype.itemsize <= 2)  # one pass is never too many
    expected = computed(whole.recipe, everything(whole.shape))
    np.testing.assert_array_equal(large.compute(scheduler="synchronous"), expected)
    passes = {1: 1, 2: 1, 4: 2, 8: 2}[
        cells.dtype.itemsize
    ]  # of floats with 64 bits few are left after the first
    assert source.cells <= passes * cells.size
    assert max(np.prod(size(r)) for r in source.reads) == 64 * 64


@pytest.mark.parametrize("args", [{}, {"ignore_nodata": False}], ids=["plain", "strict"])
@pytest.mark.parametrize(("name", "passes"), [("sd", 2), ("variance", 2), ("count", 1)])
@pytest.mark.parametrize("dtype", ["uint8", "int32", "float32", "float64"])
def test_deviations_and_counts_of_such_planes_are_added_up(
    dtype: str, name: str, passes: int, args: Any
) -> None:
    rng = np.random.default_rng(4)
    cells = rng.integers(1, 99, (2, 2, 400, 300)).astype(dtype)
    gap = None if cells.dtype.kind == "f" else 0
    cells[0, 0, :50] = np.nan if gap is None else 0
    cells[1, 1] = np.nan if gap is None else 0
    cells[1, 0, 1:] = np.nan if gap is None else 0
    cells[1, 0, 0, 1:] = np.nan if gap is None else 0  # a single number
    if gap is None:
        cells[0, 1] += 1e5  # far from 0, as squares alone would not stand it
        cells[0, 0, 60, :5] = np.inf if name == "count" else 7
    nodes = ((name, {} if name == "count" else args),)
    source = stored(cells, 100)
    large = reduced(lazy_cube(source, gap, "never", ("B04", "B08"), memory=MB), *nodes)
    assert isinstance(planned(large.data), Selected)
    found = large.compute(scheduler="synchronous")
    read = source.cells
    if name == "count":
        np.testing.assert_array_equal(found, np.sum(np.isfinite(cells) & (cells != gap), axis=(2, 3)))
    else:
        whole = large.data.recipe
        with np.errstate(all="ignore"):
            expected = computed(whole, everything(whole.shape))
        np.testing.assert_allclose(found, expected, rtol=1e-5 if dtype == "float32" else 1e-10)
    nothing = cells[0, 0].size  # of the plane without any number no second pass is needed
    assert read == passes * cells.size - (passes - 1) * nothing


def test_what_is_computed_is_counted_block_by_block_and_within_the_cap() -> None:
    cells = np.random.default_rng(1).integers(1, 9000, (1, 3, 2048, 1024)).astype(np.uint16)
    cube = lazy_cube(stored(cells, 256), 0, "never", memory=24 * MB)
    graph = {
        "index": {"process_id": "ndvi", "arguments": {"data": {"from_parameter": "cube"}, "nir": "B08", "red": "B04"}},
        "out": {"process_id": "reduce_spatial", "arguments": {"data": {"from_node": "index"}, "reducer": {"process_graph": {"m": {"process_id": "median", "arguments": {"data": {"from_parameter": "data"}}, "result": True}}}}, "result": True},
    }  # fmt: skip
    out = engine.run(graph, {"cube": cube})
    recipe = planned(out.data)
    assert isinstance(recipe, Selected)
    said = Walk({}, 0.5).region(recipe, everything(recipe.shape))
    computed(recipe, everything(recipe.shape))
    tracemalloc.start()
    found = computed(recipe, everything(recipe.shape))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    red, nir = cells[0, :2].astype(np.float32)
    np.testing.assert_allclose(found, [np.median((nir - red) / (nir + red))], rtol=1e-6)
    assert peak <= said.peak <= 24 * MB


def test_the_cost_tells_of_the_passes() -> None:
    cells = np.zeros((1, 1, 512, 512), np.float32)
    small, large = (
        reduced(lazy_cube(stored(cells, 128), None, "never", ("B04",), memory=m), *MEDIAN)
        for m in (MB, 64 * MB)
    )
    passed, once = (billed([(cube, "")], {}, 0.5) for cube in (small, large))
    assert passed.amounts.cells >= 2 * cells.size > once.amounts.cells
    assert passed.largest < once.largest / 2


def test_kernels_are_used_below() -> None:
    cells = np.random.default_rng(1).integers(1, 90, (3, 3, 256, 256)).astype(np.uint16)
    cube = lazy_cube(stored(cells, 128), 0, "always", memory=MB)
    means = {"process_id": "mean", "arguments": {"data": {"from_parameter": "data"}}, "result": True}
    median = {**means, "process_id": "median"}
    graph = {
        "mean": {"process_id": "reduce_dimension", "arguments": {"data": {"from_parameter": "cube"}, "dimension": "t", "reducer": {"process_graph": {"m": means}}}},
        "out": {"process_id": "reduce_spatial", "arguments": {"data": {"from_node": "mean"}, "reducer": {"process_graph": {"m": median}}}, "result": True},
    }  # fmt: skip
    out = engine.run(graph, {"cube": cube})
    recipe = planned(out.data)
    assert isinstance(recipe, Selected)
    assert type(recipe.source).__name__ == "Fused"
    np.testing.assert_allclose(
        out.compute(scheduler="synchronous"), np.median(cells.mean(axis=0), axis=(1, 2))
    )


def test_the_planner_chooses_by_memory_alone() -> None:
    cube = reduced(lazy_cube(stored(np.zeros((1, 1, 64, 64), np.int32), 32), 0, "never", ("B04",)), *MEDIAN)
    assert [type(Planner(m, "never").planned(cube.data.recipe)).__name__ for m in (2**16, 2**30)] == [
        "Selected",
        "Mapped",
    ]
