"""Statistics of the whole plane: put together of blocks, they are those of all cells at once."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.graph.parse import parse
from engine.kernel.callback import Callback
from processes import REGISTRY
from processes.cubes import totals
from processes.places import everything, size
from processes.recipes import computed
from tests.engine.plan.conftest import lazy_cube, stored

REDUCE = REGISTRY["reduce_spatial"].fn
STATISTICS = ("mean", "sum", "min", "max", "count")


def child(process, **args):
    """A child graph of one node over `data`."""
    told = {"data": {"from_parameter": "data"}, **args}
    return Callback(
        parse({"n": {"process_id": process, "arguments": told, "result": True}}), ("data", "context")
    )


def numbers(dtype, seed, shape, share):
    """Numbers, some of which are no-data."""
    rng = np.random.default_rng(seed)
    found = rng.integers(1, 200, shape).astype(dtype)
    found[rng.random(shape) < share] = np.nan if np.dtype(dtype).kind == "f" else 0
    return found


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float32", "float64"])
@settings(max_examples=25, deadline=None)
@given(
    name=st.sampled_from(STATISTICS),
    seed=st.integers(0, 99),
    sides=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    share=st.sampled_from((0.0, 0.3, 1.0)),
    ignore=st.booleans(),
)
def test_blocks_give_what_all_cells_give(dtype, name, seed, sides, share, ignore):
    cells = numbers(dtype, seed, (2, 3, *sides), share)
    args = {} if name == "count" else {"ignore_nodata": ignore}
    lazy = lazy_cube(stored(cells, 16), None if np.dtype(dtype).kind == "f" else 0, "never")
    ours = REDUCE(lazy, child(name, **args))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(totals, "known", lambda *_, **__: None)
        plain = REDUCE(lazy.copy(data=cells), child(name, **args))
    assert ours.dtype == plain.dtype
    assert repr(ours.attrs) == repr(plain.attrs)
    xr.testing.assert_allclose(ours.compute(scheduler="synchronous"), plain, rtol=1e-6)


@pytest.mark.parametrize("name", ["mean", "max", "min", "sum"])
def test_no_more_than_a_block_is_read_at_a_time(name):
    source = stored(numbers("uint16", 1, (4, 1, 200, 300), 0.1), 50)
    lazy = lazy_cube(source, 0, "never", bands=["B04"])
    REDUCE(lazy, child(name)).compute(scheduler="synchronous")
    assert source.cells == 4 * 200 * 300
    assert max(np.prod(size(r)) for r in source.reads) == 50 * 50


def test_what_needs_all_cells_together_gets_them():
    source = stored(numbers("uint16", 1, (2, 1, 60, 60), 0.1), 20)
    out = REDUCE(lazy_cube(source, 0, "never", bands=["B04"]), child("median"))
    found = computed(out.data.recipe, everything(out.shape))
    cells = np.where(source.array == 0, np.nan, source.array.astype(float))
    np.testing.assert_allclose(found, np.nanmedian(cells, axis=(2, 3)))


def test_a_cube_without_dates_has_none_afterwards():
    lazy = lazy_cube(stored(numbers("float32", 1, (1, 3, 8, 8), 0.1), 8), None, "never").isel(t=[])
    for name in ("mean", "median"):
        assert REDUCE(lazy, child(name)).compute(scheduler="synchronous").shape == (0, 3)
