"""Statistics of zones in parts: the same as of all their cells together, in any blocks, each read once."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import Any
from unittest import mock

import dask
import dask.array as da
import numpy as np
import pytest
import shapely
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.graph.parse import parse
from engine.kernel.callback import Callback
from processes import REGISTRY
from processes.cubes.totals import tiled
from processes.kernels import zonal as room
from processes.kernels.zonal import Tally, runs
from tests.processes.cubes.conftest import make_cube
from tests.processes.cubes.lazies import lazy

aggregate = REGISTRY["aggregate_spatial"].fn
CRS = {"type": "name", "properties": {"name": "EPSG:32632"}}


@dataclass(frozen=True)
class Told:
    """A child graph that says which statistic it is."""

    reducer: Any
    statistic: tuple[str, dict[str, Any]] | None

    def __call__(self, data, context=None):
        return self.reducer(data, context=context)


def child(name, **args):
    nodes = {
        "n": {"process_id": name, "arguments": {"data": {"from_parameter": "data"}, **args}, "result": True}
    }
    return Callback(parse(nodes), ("data", "context"))


def both(name, **args):
    """The same reducer, once silent about what it is."""
    return Told(child(name, **args), None), Told(child(name, **args), (name, args))


def collection(*shapes):
    features = [
        {"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(s)} for s in shapes
    ]
    return {"type": "FeatureCollection", "crs": CRS, "features": features}


LEFT, TOP = 675_000, 5_156_000
ZONES = collection(
    shapely.box(LEFT, TOP - 40, LEFT + 50, TOP),
    shapely.Polygon(
        [(LEFT + 2, TOP - 2), (LEFT + 78, TOP - 2), (LEFT + 2, TOP - 58)]
    ),  # shares cells with the first
    shapely.Point(LEFT + 75, TOP - 55),
    shapely.box(0, 0, 10, 10),
    shapely.LineString([(LEFT + 1, TOP - 25), (LEFT + 79, TOP - 25)]),
)
REDUCERS = [(name, args) for name in ("mean", "sum", "min", "max") for args in ({}, {"ignore_nodata": False})]


def values(kind, seed=0):
    """A cube with gaps: integers with no-data or without, floats with infinity."""
    rng = np.random.default_rng(seed)
    shape = (3, 2, 6, 8)
    if kind == "floats":
        cells = rng.normal(size=shape).astype(np.float32)
        cells[rng.random(shape) < 0.2] = np.nan
        cells[0, 0, 5, 7] = np.inf
        cells[1, 0] = np.nan
        return make_cube(cells)
    cells = rng.integers(-5, 5, shape).astype(np.int16)
    return make_cube(cells, nodata=3 if kind == "gaps" else None)


@pytest.mark.parametrize("kind", ["floats", "gaps", "integers"])
@pytest.mark.parametrize("counts", [None, "counts"])
@pytest.mark.parametrize(("name", "args"), REDUCERS)
def test_parts_make_what_all_cells_make(kind, counts, name, args):
    silent, told = both(name, **args)
    cube = values(kind)
    expected = aggregate(cube, ZONES, silent, counts)
    result = aggregate(cube, ZONES, told, counts)
    assert result.dtype == expected.dtype
    xr.testing.assert_allclose(result, expected, rtol=1e-6)
    assert str(result.attrs) == str(expected.attrs)  # NaN is not equal to itself
    for chunks in ({"t": 1, "y": 2, "x": 3}, {"bands": 1, "y": 4, "x": 5}):
        blocks = aggregate(cube.chunk(chunks), ZONES, told, counts)
        assert isinstance(blocks.data, da.Array)
        xr.testing.assert_allclose(blocks.compute(scheduler="synchronous"), expected, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "int32"])
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), name=st.sampled_from(["sum", "min", "max"]), zones=st.integers(0, 6))
def test_the_loop_gives_what_numpy_gives(dtype, seed, name, zones):
    rng = np.random.default_rng(seed)
    cells = rng.integers(0, 9, (3, 10, 12)).astype(dtype)
    nodata = 4
    if cells.dtype.kind == "f":
        cells[cells == 4] = np.nan
        cells[cells == 5] = np.inf
        nodata = None
    chosen = [np.flatnonzero(rng.random(120) < rng.choice([0, 0.3, 0.9])) for _ in range(zones)]
    where = runs(np.concatenate([*chosen, np.zeros(0, int)]), np.array([len(c) for c in chosen], int))
    np.testing.assert_array_equal(where.cells, np.concatenate([*chosen, np.zeros(0, int)]))
    with mock.patch.object(room, "worth", return_value=False):
        expected = Tally(name, nodata)(cells, where)
    with (
        mock.patch.object(room, "worth", return_value=True),
        mock.patch.object(room, "threads", return_value=2),
    ):
        np.testing.assert_array_equal(Tally(name, nodata)(cells, where, alone=True), expected)
    assert expected.shape == (3, zones, 3)
    for z, c in enumerate(chosen):
        inside = cells.reshape(3, -1)[:, c]
        assert expected[1, z].tolist() == ((inside == inside) & (inside != 4)).sum(axis=1).tolist()


def test_only_what_is_known_goes_in_parts():
    """All else gets all cells of a zone together, and the same comes out of both ways."""
    floats, gaps = values("floats"), values("gaps")
    logical = xr.where(gaps > 0, 1, 0).astype(np.uint8).assign_attrs(logical=True, nodata=255)
    wide = gaps.astype(np.int64).assign_attrs(nodata=3)
    for cube, reducer in (
        (floats, both("median")[1]),
        (floats, Told(child("sum"), ("sum", {"ignore_nodata": {"from_parameter": "context"}}))),
        (floats, Told(child("sum"), ("sum", {"other": 1}))),
        (wide, both("sum")[1]),
        (logical.transpose(*gaps.dims).assign_coords(gaps.coords), both("max")[1]),
    ):
        with mock.patch("processes.cubes.totals.over_blocks", side_effect=AssertionError):
            aggregate(cube, ZONES, reducer)


def test_no_zones_and_zones_without_cells():
    _, told = both("mean")
    for cube in (values("gaps"), values("gaps").chunk({"x": 4}), lazy(values("gaps"))[0]):
        assert aggregate(cube, collection(), told).compute().shape == (0, 3, 2)
        assert np.isnan(aggregate(cube, collection(shapely.box(0, 0, 9, 9)), told).compute()).all()


# ------------------------------------------------------------------------------------------- recipes
def test_each_block_with_zones_is_read_once_for_all_of_them():
    cube = values("gaps")
    _, told = both("mean")
    given_lazily, source = lazy(cube, 3)
    corner = collection(
        *(shapely.box(LEFT + i, TOP - 25, LEFT + 25, TOP) for i in range(20)),
        shapely.Point(LEFT + 75, TOP - 55),
    )
    result = aggregate(given_lazily, corner, told)
    assert not source.read
    pickle.loads(pickle.dumps(result.data))
    with dask.config.set(scheduler="synchronous"):
        xr.testing.assert_allclose(result.compute(), aggregate(cube, corner, told))
    assert sorted([r[-2:] for r in source.read], key=str) == [
        (slice(0, 3), slice(0, 3)),
        (slice(3, 6), slice(6, 8)),
    ]
    assert source.cells == 3 * 2 * (9 + 6)
    assert len(result.data.__dask_graph__()) == 2 + 1


def test_any_region_of_the_parts():
    given_lazily, source = lazy(values("gaps"), 3)
    _, told = both("sum")
    lazily = aggregate(given_lazily, ZONES, told).data
    (parts,) = (layer.recipe for layer in lazily.dask.layers.values() if hasattr(layer, "recipe"))

    def made(region):
        return parts.make(region, [source.make(r, ()) for r in parts.needs(region)])

    slots, count, dates, bands = (slice(0, n) for n in parts.shape)
    whole = made((slots, count, dates, bands))
    assert whole.shape == parts.shape
    for place in (slice(2, 5), slice(0, 1), slice(3, 3), np.array([4, 0, 1])):
        region = (np.array([2, 0]), place, slice(1, 3), bands)
        np.testing.assert_array_equal(made(region), whole[[2, 0]][:, place, 1:3])


def test_blocks_without_zones_are_none():
    found = tiled(
        [np.array([0, 1, 9]), np.array([], int), np.array([1, 35])],
        8,
        np.array([0, 2, 6]),
        np.array([0, 4, 8]),
    )
    assert [(t.rows.start, t.columns.start, t.zones.tolist(), t.runs.cells.tolist()) for t in found] == [
        (0, 0, [0, 2], [0, 1, 5, 1]), (2, 0, [2], [11])]  # fmt: skip
    assert tiled([], 8, np.array([0, 2]), np.array([0, 8])) == []
