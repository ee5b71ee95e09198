"""The nearest cells and what lies between four, on another grid: against GDAL, pyproj, and all cuts into blocks."""

from __future__ import annotations

import pickle
from unittest import mock

import dask
import numpy as np
import pytest
import rasterio.warp
import xarray as xr
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from odc.geo.geobox import GeoBox
from pyproj import Transformer
from rasterio.enums import Resampling

from processes import REGISTRY
from processes.cubes.lattice import located, mesh_of, spacing, window
from processes.cubes.warp import Part, Step, warp, whole
from processes.kernels import moves
from processes.kernels.moves import Move
from processes.lazy import Lazy
from tests.processes.cubes.lazies import lazy

resampled = REGISTRY["resample_spatial"].fn
pytestmark = pytest.mark.filterwarnings("ignore:Dataset has no geotransform")
UTM = "EPSG:32632"
OLD = GeoBox((130, 150), Affine(10, 0, 500_000, 0, -10, 5_000_000), UTM)


def grid(rows, columns, size, corner=(500_013.0, 4_999_984.0), crs=UTM, turn=0.0):
    at = Affine.translation(*corner) * Affine.rotation(turn) * Affine.scale(size, -size)
    return GeoBox((rows, columns), at, crs)


def by_gdal(values, old, new, method, null, columns=5):
    """GDAL's warp in strips of so few columns that it projects each cell."""
    out = np.full(new.shape, 0 if null is None else null, values.dtype)
    for start in range(0, new.shape[1], columns):
        strip = np.ascontiguousarray(out[:, start : start + columns])
        rasterio.warp.reproject(
            values, strip, src_transform=old.transform, src_crs=str(old.crs), src_nodata=null, dst_nodata=null,
            dst_transform=new.transform * Affine.translation(start, 0), dst_crs=str(new.crs),
            resampling=method, XSCALE=1, YSCALE=1,
        )  # fmt: skip
        out[:, start : start + columns] = strip
    return out


def numbers(rng, dtype, shape, null):
    """Numbers of a type with gaps; no-data as neighbours, too."""
    if np.dtype(dtype).kind == "f":
        values = rng.normal(size=shape).astype(dtype)
    else:
        values = rng.integers(0, 6, shape).astype(dtype)
    if null is not None:
        values[rng.random(shape) < 0.25] = null
    return values


KINDS = [
    ("uint8", 2),
    ("int16", 0),
    ("int32", None),
    ("float32", np.nan),
    ("float64", -1.0),
    ("float32", None),
]


# --------------------------------------------------------------------------------------------- numbers
@pytest.mark.parametrize(("dtype", "null"), KINDS)
@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.floats(4, 10),
    turn=st.sampled_from([0, 30, 180]),
    smooth=st.booleans(),
    crs=st.sampled_from([UTM, "EPSG:32633", "EPSG:3857"]),
)
def test_the_loop_gives_what_numpy_gives_to_the_last_bit(dtype, null, seed, size, turn, smooth, crs):
    rng = np.random.default_rng(seed)
    old = grid(9, 11, 10.0)
    x, y = Transformer.from_crs(UTM, crs, always_xy=True).transform(*(old.transform * rng.uniform(-4, 12, 2)))
    new = grid(*rng.integers(1, 25, 2).tolist(), size, (x, y), crs, turn)
    cells = numbers(rng, dtype, (2, *old.shape), null)
    move = Move(smooth, null, 0 if null is None else null)
    mesh = mesh_of(old, new, (0, new.shape[0]), (0, new.shape[1]))
    with mock.patch.object(moves, "worth", return_value=False):
        by_numpy = move(cells, (0, 0), old.shape, mesh)
    with mock.patch.object(moves, "worth", return_value=True):
        np.testing.assert_array_equal(move(cells, (0, 0), old.shape, mesh), by_numpy)
        parts = [move(cells[:, 2:, 1:], (2, 1), old.shape, mesh)]
    inside = (parts[0] == by_numpy) | (np.isnan(parts[0]) if np.dtype(dtype).kind == "f" else False)
    assert smooth or (inside | (parts[0] == move.filler)).all()


@pytest.mark.parametrize(("dtype", "null"), KINDS)
@pytest.mark.parametrize("method", ["nearest", "bilinear"])
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), size=st.floats(3, 9.9))
def test_values_are_those_of_gdal(dtype, null, method, seed, size):
    rng = np.random.default_rng(seed)
    old = grid(8, 12, 10.0)
    new = grid(25, 30, size, (500_013 - rng.uniform(0, 20), 4_999_984 + rng.uniform(0, 20)))
    values = numbers(rng, dtype, old.shape, null)
    name = "near" if method == "nearest" else method
    result = warp(values, old, new, name, null)
    expected = by_gdal(values, old, new, Resampling[method], null)
    assert result.dtype == values.dtype
    if np.dtype(dtype).kind == "f":
        np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)
    else:
        np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize(
    ("dtype", "values", "null", "expected"),
    [("uint8", [99, 101], 100, 99), ("int16", [-5, 5], 0, -1), ("int8", [-128, -126], -127, -128),
     ("float32", [-5, 5], 0.0, 0), ("int16", [-3, -2], 7, -2), ("int8", [-127, -127], -128, -127)],
)  # fmt: skip
def test_a_value_is_never_taken_for_no_data(dtype, values, null, expected):
    """Where the mean of two cells is what stands for no-data, GDAL gives the number beside it."""
    old, between_them = grid(2, 2, 10.0, (0, 20)), grid(1, 1, 10.0, (5, 15))
    cells = np.repeat(np.array([values], dtype), 2, axis=0)
    assert warp(cells, old, between_them, "bilinear", null).item() == expected
    assert by_gdal(cells, old, between_them, Resampling.bilinear, null).item() == expected


# --------------------------------------------------------------------------------------------- places
@pytest.mark.parametrize(
    ("crs", "size", "corner"),
    [("EPSG:3857", 14, (1_000_000, 5_620_000)), ("EPSG:3035", 10, (4_320_000, 2_450_000)), ("EPSG:4326", 1e-4, (9, 45.1)),
     ("EPSG:32633", 800, (-100_000, 5_600_000)), ("EPSG:3413", 5_000, (-1_000_000, 1_000_000))],
)  # fmt: skip
def test_places_are_near_those_that_are_projected(crs, size, corner):
    new = grid(400, 500, size, corner, crs)
    mesh = mesh_of(OLD, new, (130, 300), (7, 460))
    columns, rows = mesh.places(np.arange(170), np.arange(453))
    exact = located(OLD, new, np.arange(7, 460)[None, :] + np.zeros((170, 1)), np.arange(130, 300)[:, None])
    np.testing.assert_allclose(columns, exact[0], atol=2e-4)
    np.testing.assert_allclose(rows, exact[1], atol=2e-4)
    x, y = new.transform * (7.5, 130.5)
    there = ~OLD.transform * Transformer.from_crs(crs, UTM, always_xy=True).transform(x, y)
    np.testing.assert_allclose((columns[0, 0], rows[0, 0]), there, atol=1e-3)


def test_few_places_are_projected():
    new = GeoBox((2000, 2000), Affine(20, 0, 1_000_000, 0, -20, 5_620_000), "EPSG:3857")
    assert spacing(OLD, new) == 128
    mesh = mesh_of(OLD, new, (0, 1024), (1024, 2000))
    assert mesh.nodes.shape == (2, 9, 9)
    assert mesh.patches.size == 0


def test_the_window_has_all_that_is_needed_and_little_more():
    new = grid(300, 300, 7, (500_200, 4_999_800))
    for method, reach in (("near", 1), ("bilinear", 1)):
        part = Part(OLD, new, slice(20, 90), slice(40, 50))
        rows, columns = Step(method, 0, (1, 1)).window(part, np.dtype(np.uint8))
        first, last = (20.5 * 7 + 200) / 10, (89.5 * 7 + 200) / 10
        assert (rows.start, rows.stop) == (
            int(first) - reach,
            int(last) + 1 + reach,
        ) or rows.stop - rows.start <= 54
        assert 7 <= columns.stop - columns.start <= 12
    far = grid(10, 10, 7, (600_000, 4_999_800))
    mesh = mesh_of(OLD, far, (0, 10), (0, 10))
    assert window(mesh, OLD.shape, 1) == (slice(0, 0), slice(0, 0))
    assert whole(far) == (slice(0, 10), slice(0, 10))


@pytest.mark.parametrize("west", [-180, 0])
@pytest.mark.parametrize(
    ("crs", "corner"), [("EPSG:32660", (-500_000, 6_000_000)), ("EPSG:3413", (-3_000_000, 3_000_000))]
)
def test_a_globe_has_no_seam_between_cells(west, crs, corner):
    """Longitudes go on beyond 180 degrees where the labels do."""
    globe = GeoBox((180, 360), Affine(1, 0, west, 0, -1, 90), "EPSG:4326")
    values = np.arange(180 * 360, dtype=np.int32).reshape(180, 360) + 1
    new = grid(100, 110, 50_000, corner, crs)
    x, y = new.transform * np.meshgrid(np.arange(110) + 0.5, np.arange(100) + 0.5)
    lon, lat = Transformer.from_crs(crs, 4326, always_xy=True).transform(x, y)
    columns = np.floor((lon - west) % 360 + 1e-6).astype(int) % 360
    expected = values[np.floor(90 - lat + 1e-6).astype(int), columns]
    np.testing.assert_array_equal(warp(values, globe, new, "near", 0), expected)
    assert (warp(values, globe, new, "bilinear", 0) != 0).all()


def test_places_beyond_a_projection_are_no_data():
    new = grid(40, 40, 5, (-100, 100), "EPSG:4326")  # latitudes up to 100
    old = grid(200, 200, 400_000, (-40_000_000, 40_000_000), "EPSG:3857")
    result = warp(np.ones(old.shape, np.uint8), old, new, "near", 0)
    assert (result[0] == 0).all()  # there is no latitude 97.5
    assert (result[4:30] == 1).all()


# ------------------------------------------------------------------------------------------- recipes
@pytest.mark.parametrize("method", ["near", "bilinear", "average"])
@pytest.mark.parametrize("kind", ["cube", "floats"])
def test_a_recipe_gives_the_same_in_any_region(method, kind, request):
    cube = request.getfixturevalue(kind)
    full = resampled(cube, 7, 3857, method)
    given_lazily, source = lazy(cube, 4)
    result = resampled(given_lazily, 7, 3857, method)
    assert isinstance(result.data, Lazy)
    assert not source.read
    with dask.config.set(scheduler="synchronous"):
        xr.testing.assert_identical(result.compute(), full)
        if method != "average":  # GDAL's own places depend a little on where a strip begins
            for part in (
                {"y": slice(2, 5), "x": slice(1, 2)},
                {"y": [5, 0, 3], "bands": [1]},
                {"x": slice(4, 4)},
            ):
                xr.testing.assert_identical(result.isel(part).compute(), full.isel(part))
            again = pickle.loads(pickle.dumps(result.data))
            np.testing.assert_array_equal(again.compute(), full.values)


def test_one_lattice_serves_all_planes(cube):
    given_lazily, source = lazy(cube)
    result = resampled(given_lazily, 8, 3857, "bilinear")
    mesh_of.cache_clear()
    result.compute(scheduler="synchronous")
    assert mesh_of.cache_info().misses == 1
    assert len(source.read) == 1
    result.isel(t=[1], y=slice(0, 3), x=slice(0, 3)).compute(scheduler="synchronous")
    *_, rows, columns = source.read[1]
    assert rows.stop - rows.start <= 5
    assert columns.stop - columns.start <= 5
