"""Neighbourhoods of lazy cubes: windows are computed one by one, and read what they see."""

from __future__ import annotations

import pickle

import dask
import numpy as np
import pytest
import xarray as xr

from engine.graph.parse import parse
from engine.kernel.callback import Callback
from processes import REGISTRY
from processes.cubes import neighborhoods
from processes.lazy import Lazy
from tests.processes.cubes.lazies import lazy

neighborhood = REGISTRY["apply_neighborhood"].fn


def child(name, **args):
    nodes = {
        "n": {"process_id": name, "arguments": {"data": {"from_parameter": "data"}, **args}, "result": True}
    }
    return Callback(parse(nodes), ("data", "context"))


def px(**sizes):
    return [{"dimension": d, "value": v, "unit": "px"} for d, v in sizes.items()]


SUM = child("apply_kernel", kernel=[[1, 1, 1]] * 3)
CALLS = {
    "windows": lambda c: neighborhood(c, SUM, px(x=3, y=2), px(x=1, y=1)),
    "wide overlap": lambda c: neighborhood(c, SUM, px(x=3, y=4, t=2), px(x=2, t=1)),
    "series": lambda c: neighborhood(c, child("sort"), px(x=1, y=1, bands=1)),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("kind", ["cube", "floats"])
def test_any_region_is_the_same_as_in_the_whole(call, kind, request):
    cube = request.getfixturevalue(kind)
    whole = call(cube)
    given_lazily, source = lazy(cube, 4)
    result = call(given_lazily)
    assert isinstance(result.data, Lazy)
    assert not source.read
    with dask.config.set(scheduler="synchronous"):
        xr.testing.assert_identical(result.compute(), whole)
        for part in (
            {"y": slice(2, 5), "x": slice(1, 2)},
            {"y": [5, 0, 3], "bands": [1]},
            {"x": slice(4, 4)},
        ):
            xr.testing.assert_identical(result.isel(part).compute(), whole.isel(part))
        again = pickle.loads(pickle.dumps(result.data))
        np.testing.assert_array_equal(again.compute(), whole.values)


def test_only_what_windows_see_is_read(cube):
    given_lazily, source = lazy(cube)
    result = neighborhood(given_lazily, SUM, px(x=3, y=2), px(x=1, y=1))
    result.isel(t=0, bands=0, y=[3], x=slice(2, 4)).compute(scheduler="synchronous")
    assert [r[-2:] for r in source.read] == [
        (slice(1, 5), slice(0, 7))
    ]  # windows of rows 2 to 3, columns 0 to 5


KERNELS = {
    "kernel": child(
        "apply_kernel", kernel=[[1, 2, 1], [0, 1, 0], [3, 1, 0]], border="wrap", replace_invalid=2
    ),
    "row": child("apply_kernel", kernel=[[0.5, 1, 0.25]], factor=0.5, border=7),
    "five": child("apply_kernel", kernel=[[1, 2, 3, 2, 1]] * 5, replace_invalid=-1),
}


@pytest.mark.parametrize("run", KERNELS.values(), ids=KERNELS)
@pytest.mark.parametrize("kind", ["cube", "floats"])
@pytest.mark.parametrize("around", [{"x": 2, "y": 2}, {"x": 3, "y": 2, "t": 1}, {"x": 1, "y": 1}])
def test_a_kernel_within_the_overlap_gives_the_same_without_windows(run, kind, around, request, monkeypatch):
    cube = request.getfixturevalue(kind)
    parts = px(x=3, y=2), px(**around)
    joined = neighborhood(cube, run, *parts)
    monkeypatch.setattr(neighborhoods, "lone_kernel", lambda *_: None)
    xr.testing.assert_identical(neighborhood(cube, run, *parts), joined)


def test_which_child_graphs_are_kernels_within_the_overlap(floats, monkeypatch):
    found = []
    lone_kernel = neighborhoods.lone_kernel
    monkeypatch.setattr(
        neighborhoods, "lone_kernel", lambda *args: found.append(lone_kernel(*args)) or found[-1]
    )
    for run, around in ((SUM, 1), (SUM, 0), (KERNELS["five"], 1), (KERNELS["five"], 2), (child("sort"), 0)):
        size = px(x=1, y=1, bands=1) if around == 0 and run is not SUM else px(x=3, y=2)
        neighborhood(floats, run, size, px(x=around, y=around))
    assert [kernel is not None for kernel in found] == [True, False, False, True, False]


def test_blocks_hold_whole_windows_and_are_one_task_each(cube):
    given_lazily, _ = lazy(cube, 4)
    result = neighborhood(given_lazily, SUM, px(x=3, y=2), px(x=1, y=1))
    assert result.data.chunks[-2:] == ((4, 2), (3, 3, 2))
    assert len(result.data.__dask_graph__()) == result.data.npartitions
