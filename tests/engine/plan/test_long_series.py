"""Series of thousands of dates under a small cap: what NumPy gives, in blocks that fit, each part read once."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import engine
from engine.plan.bill import largest_of
from engine.plan.fit import Holding
from engine.plan.text import CHUNK, KEEP, plan_of, planned
from engine.plan.walk import Walk
from processes.lazy import Lazy
from processes.places import size
from processes.recipes import Recipe, computed
from tests.engine.plan.conftest import Stored, lazy_cube, stored

MB = 2**20


def along_time(process: str, **arguments: Any) -> dict[str, Any]:
    """A graph: a process for each series of the parameter `cube`."""
    inner = {
        "process_id": process,
        "arguments": {"data": {"from_parameter": "data"}, **arguments},
        "result": True,
    }
    given = {"data": {"from_parameter": "cube"}, "dimension": "t", "process": {"process_graph": {"p": inner}}}
    return {"out": {"process_id": "apply_dimension", "arguments": given, "result": True}}


def run(graph: dict[str, Any], source: Stored, memory: int, kernels: Any = "never") -> xr.DataArray:
    """The lazy cube of a graph."""
    names = tuple(f"B{i}" for i in range(source.shape[1]))
    cube: xr.DataArray = engine.run(graph, {"cube": lazy_cube(source, None, kernels, names, memory)})
    return cube


def series(dates: int, side: int, bands: int = 1) -> Stored:
    """Some integers in the place of files of one block."""
    numbers = np.random.default_rng(7).integers(0, 50, (dates, bands, side, side)).astype(np.uint16)
    return stored(numbers, side)


def held(cube: xr.DataArray) -> int:
    """Bytes that the largest block holds at most, as told."""
    assert isinstance(cube.data, Lazy)
    recipe: Recipe = planned(cube.data)
    return Walk({}, 0.5).region(recipe, largest_of(cube.data.chunks)).peak


TWINS = {
    "cumsum": lambda x: np.cumsum(x, axis=0, dtype=np.int64),
    "cummax": lambda x: np.maximum.accumulate(x, axis=0),
    "sort": lambda x: np.sort(x, axis=0),
}


@pytest.mark.parametrize("name", TWINS)
def test_thousands_of_dates_keep_to_a_small_cap_and_give_what_numpy_gives(name: str) -> None:
    source = series(3000, 12)
    cube = run(along_time(name), source, 2 * MB)
    assert held(cube) <= 2 * MB
    np.testing.assert_array_equal(cube.values, TWINS[name](source.array))
    assert source.cells == source.array.size  # no block asks for what another one asked for
    assert max(np.prod(size(r)[-2:]) for r in source.reads) < 12 * 12


@pytest.mark.parametrize("name", TWINS)
def test_blocks_really_hold_no_more_than_the_cap(name: str) -> None:
    cube = run(along_time(name), series(3000, 12), 2 * MB)
    recipe, block = planned(cube.data), largest_of(cube.data.chunks)
    computed(recipe, block)  # imports what is imported late
    tracemalloc.start()
    computed(recipe, block)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak <= 2 * MB


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 4000),
    st.integers(1, 9),
    st.integers(1, 2),
    st.sampled_from((1, 3, 20)),
    st.sampled_from(("cumsum", "sort")),
)
def test_blocks_fit_whatever_the_length(dates: int, side: int, bands: int, cap: int, name: str) -> None:
    cube = run(along_time(name), series(dates, side, bands), cap * MB)
    assert held(cube) <= cap * MB
    assert {len(c) for c in cube.data.chunks[:1]} == {1}  # dates are never parted where each needs all


def test_what_needs_all_dates_is_not_cut_along_them_above_a_reducer_either() -> None:
    graph = along_time("cumsum")
    graph["out"].pop("result")
    last = {"process_id": "max", "arguments": {"data": {"from_parameter": "data"}}, "result": True}
    given = {"data": {"from_node": "out"}, "dimension": "t", "reducer": {"process_graph": {"m": last}}}
    graph["most"] = {"process_id": "reduce_dimension", "arguments": given, "result": True}
    source = series(2000, 10)
    cube = run(graph, source, 2 * MB)
    assert held(cube) <= 2 * MB
    np.testing.assert_array_equal(cube.values, source.array.sum(axis=0, dtype=np.int64))
    assert source.cells == source.array.size


def test_narrow_blocks_follow_the_files() -> None:
    source = stored(np.zeros((40, 1, 1024, 1024), np.uint8), 512)
    cube = run(along_time("cumsum"), source, 16 * MB)
    tall, wide = cube.data.chunks[-2:]
    assert set(tall) == {512}
    assert max(wide) < 64


def test_blocks_of_files_are_read_once_where_there_is_room_to_keep_them() -> None:
    numbers = np.random.default_rng(7).integers(0, 50, (64, 1, 128, 256)).astype(np.uint8)
    graph, source = along_time("cumsum"), stored(numbers, 128)
    cube = run(graph, source, 8 * MB)
    assert cube.data.npartitions >= 8
    assert held(cube) <= 8 * MB
    np.testing.assert_array_equal(cube.compute(scheduler="synchronous").values, TWINS["cumsum"](numbers))
    assert [size(r) for r in source.reads] == [(64, 1, 128, 128)] * 2
    told = [line.rules for line in plan_of([cube], {"out": cube}, {}, {}).run]
    assert told == [(KEEP,), (CHUNK,)]


def test_where_there_is_no_room_they_are_read_for_each_block() -> None:
    numbers = np.random.default_rng(7).integers(0, 50, (64, 1, 128, 256)).astype(np.uint8)
    source = stored(numbers, 128)
    cube = run(along_time("cumsum"), source, 2 * MB)
    cube.compute(scheduler="synchronous")
    assert len(source.reads) == cube.data.npartitions
    assert source.cells == numbers.size


def test_what_a_selection_of_dates_leaves_out_is_not_read_to_be_kept() -> None:
    numbers = np.random.default_rng(7).integers(0, 50, (128, 1, 128, 256)).astype(np.uint8)
    source = stored(numbers, 128)
    graph = along_time("cumsum")
    graph["out"]["arguments"]["data"] = {"from_node": "some"}
    extent = ["2022-01-01", "2022-11-15"]
    given = {"data": {"from_parameter": "cube"}, "extent": extent}
    graph["some"] = {"process_id": "filter_temporal", "arguments": given}
    cube = run(graph, source, 8 * MB)
    cube.compute(scheduler="synchronous")
    assert source.cells == cube.sizes["t"] * 128 * 256 < numbers.size


def test_a_series_that_does_not_fit_is_refused_by_name() -> None:
    with pytest.raises(
        engine.Problem, match=r"series of a single cell, of 15000 values, takes .* MB"
    ) as refused:
        run(along_time("array_interpolate_linear"), series(15_000, 2), MB)
    assert refused.value.code == "ProcessGraphComplexity"
    assert refused.value.facts["length"] == 15_000
    assert refused.value.facts["limit"] == MB
    assert "GDC_BLOCK_MEMORY" in str(refused.value.hint)


def test_what_fits_by_a_kernel_is_not_cut_as_if_there_were_none() -> None:
    inner = {"process_id": "mean", "arguments": {"data": {"from_parameter": "data"}}, "result": True}
    given = {"data": {"from_parameter": "cube"}, "dimension": "t", "reducer": {"process_graph": {"m": inner}}}
    graph = {"out": {"process_id": "reduce_dimension", "arguments": given, "result": True}}
    plain, fused = (run(graph, series(20, 256), 12 * MB, k) for k in ("never", "always"))
    assert plain.data.npartitions > fused.data.npartitions
    recipe = planned(fused.data)
    assert Holding({}, 0).region(recipe, largest_of(fused.data.chunks)).peak <= 12 * MB
