"""Merging: what is no-data, labels of any kind, vector cubes, cubes without cells, coordinates beside labels."""

from __future__ import annotations

import dask
import dask.array as da
import numpy as np
import pytest
import shapely
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from processes import errors
from tests.processes.cubes.conftest import make_cube
from tests.processes.cubes.test_cubes import P, child, nulls, refuse

BOTH = [{"from_parameter": "x"}, {"from_parameter": "y"}]
PLUS = child("sum", "x", "y", data=BOTH)


def named(cube, *bands):
    """A cube whose bands are called otherwise."""
    return cube.assign_coords(bands=("bands", list(bands), {"type": "bands"}))


# ------------------------------------------------------------------------------------------ no-data
def test_gaps_between_small_integers_are_no_data(cube):
    """Cells that neither cube has, of integers that had no no-data value."""
    cube = cube.drop_attrs(deep=False)
    one, other = cube.isel(x=slice(0, 4), y=slice(0, 3)), cube.isel(x=slice(4, 8), y=slice(3, 6))
    merged = P["merge_cubes"](one, other)
    expected = np.full(cube.shape, np.nan)
    expected[..., :3, :4], expected[..., 3:, 4:] = one.values, other.values
    np.testing.assert_array_equal(nulls(merged), expected)


@pytest.mark.parametrize("second", [{"nodata": 9}, {}, {"nodata": 255}])
def test_no_data_of_one_cube_is_no_value_of_the_other(second):
    values = np.array([[7, 9], [255, 1]], np.uint8)[None, None]
    one = make_cube(values, bands=("a",)).assign_attrs(nodata=255)
    other = named(make_cube(values, bands=("a",)), "b").assign_attrs(**second)
    merged = P["merge_cubes"](one, other)
    expected = values[0, 0].astype(float)
    np.testing.assert_array_equal(nulls(merged)[0, 0], np.where(expected == 255, np.nan, expected))
    np.testing.assert_array_equal(
        nulls(merged)[0, 1], np.where(expected == second.get("nodata", -1), np.nan, expected)
    )
    assert merged.dtype == (np.uint8 if second.get("nodata") == 255 else np.int32)


def test_false_is_no_value_of_bands_whose_no_data_is_zero(cube):
    high = P["apply"](cube.isel(bands=[0]), child("gt", "x", x={"from_parameter": "x"}, y=1500))
    merged = P["merge_cubes"](cube, named(high, "high"))
    values = nulls(cube)[:, 0]
    expected = np.where(np.isnan(values), np.nan, values > 1500)
    np.testing.assert_array_equal(nulls(merged)[:, 2], expected)
    np.testing.assert_array_equal(nulls(merged)[:, :2], nulls(cube))


def test_a_sum_that_is_the_no_data_value_of_the_cubes():
    values = np.array([[200, 255], [1, 2]], np.uint8)[None, None]
    one = named(make_cube(values, nodata=255, bands=("a",)), "a")
    other = one.copy(data=np.full_like(values, 55))
    wide = P["merge_cubes"](one, named(other, "b"))
    merged = P["merge_cubes"](wide, other, PLUS)
    assert nulls(merged)[0, 0].tolist() == [[255, 55], [56, 57]]
    minus = child("subtract", "x", "y", x={"from_parameter": "x"}, y={"from_parameter": "y"})
    kept = P["merge_cubes"](wide, other, minus)
    np.testing.assert_array_equal(nulls(kept)[0, 0], [[145, np.nan], [-54, -53]])


def test_what_the_resolver_gives_for_all_cells_is_the_type(cube):
    same = child("eq", "x", "y", x={"from_parameter": "x"}, y={"from_parameter": "y"})
    merged = P["merge_cubes"](cube, cube, same)
    assert merged.attrs["logical"]
    np.testing.assert_array_equal(merged.values == 255, np.isnan(nulls(cube)))


@pytest.mark.parametrize("given_", [[1, 2], [{"from_parameter": "x"}, 1]])
def test_a_resolver_gives_one_value(cube, given_):
    with pytest.raises(errors.ProcessParameterInvalid, match="overlap resolver gives an array"):
        P["merge_cubes"](cube, cube, child("array_create", "x", "y", data=given_))


# ------------------------------------------------------------------------------------------ labels
@pytest.mark.parametrize("dim", ["y", "x"])
@pytest.mark.parametrize("cut", [1, 5])
@pytest.mark.parametrize("chunks", [None, {"x": 3, "y": 1}])
def test_strips_of_one_cell_find_their_place(dim, cut, chunks, cube):
    parts = [cube.isel({dim: s}) for s in (slice(0, cut), slice(cut, None))]
    for one, other in (parts, parts[::-1]):
        merged = P["merge_cubes"](*(c.chunk(chunks) if chunks else c for c in (one, other)))
        np.testing.assert_array_equal(merged.coords[dim].values, cube.coords[dim].values)
        np.testing.assert_array_equal(merged.values, cube.values)
        assert merged.dtype == cube.dtype


@pytest.mark.parametrize("dim", ["t", "bands", "y", "x"])
def test_a_cube_without_cells_adds_nothing(dim, cube):
    nothing = cube.isel({dim: slice(0, 0)})
    for one, other in ((cube, nothing), (nothing, cube), (cube.chunk(), nothing.chunk())):
        xr.testing.assert_identical(P["merge_cubes"](one, other).compute(), cube)
    assert P["merge_cubes"](nothing, nothing).sizes == nothing.sizes


def test_labels_that_are_there_twice(cube):
    twice = cube.isel(t=[0, 0])
    np.testing.assert_array_equal(
        nulls(P["merge_cubes"](twice, twice, child("max", "x", "y", data=BOTH))), nulls(twice)
    )
    with pytest.raises(errors.IncompatibleDataCubes, match="a label of 't' is there twice"):
        P["merge_cubes"](twice, cube.isel(t=[1]))


def test_dates_do_not_go_with_periods(cube):
    months = cube.assign_coords(t=("t", ["2022-01", "2022-02", "2022-03"], {"type": "temporal"}))
    with pytest.raises(errors.IncompatibleDataCubes, match="cannot be put in order: 2022-01"):
        P["merge_cubes"](months, cube)


def test_coordinates_beside_the_labels(cube):
    cube = cube.assign_coords(platform=("t", ["a", "b", "c"]), cover=("t", [1.0, 2.0, 3.0]))
    split = [cube.isel(t=[2]), cube.isel(t=[0, 1])]
    xr.testing.assert_identical(P["merge_cubes"](*split), cube)
    other = split[1].drop_vars("cover")
    assert "cover" not in P["merge_cubes"](split[0], other).coords
    kept = P["ndvi"](cube, target_band="ndvi")
    assert kept.coords["platform"].values.tolist() == ["a", "b", "c"]


# ------------------------------------------------------------------------------------------ geometries
def vectors(shapes, values, crs=4326, **coords):
    labels = np.empty(len(shapes), dtype=object)
    labels[:] = shapes
    along = {name: ("geometry", list(v)) for name, v in coords.items()}
    return xr.DataArray(
        np.asarray(values, float),
        dims=("geometry",),
        coords={"geometry": ("geometry", labels, {"type": "geometry", "crs": crs}), **along},
    )


POINTS = [shapely.Point(x, 0) for x in range(3)]


def test_geometries_are_equal_that_cover_the_same_points():
    square = shapely.box(0, 0, 1, 1)
    turned = shapely.Polygon([(1, 1), (1, 0), (0.5, 0), (0, 0), (0, 1), (1, 1)])
    assert not square.equals_exact(turned)
    merged = P["merge_cubes"](
        vectors([square], [1]), vectors([turned, shapely.box(5, 5, 6, 6)], [3, 4]), PLUS
    )
    assert merged.values.tolist() == [4, 4]
    assert merged.geometry.values[0].equals_exact(square)


def test_points_go_with_points_and_nothing_else():
    many = shapely.MultiPoint([(7, 7), (8, 8)])
    merged = P["merge_cubes"](vectors(POINTS[:2], [1, 2], name=["a", "b"]), vectors([many], [3], name=["c"]))
    assert merged.values.tolist() == [1, 2, 3]
    assert merged.coords["name"].values.tolist() == ["a", "b", "c"]
    empty = vectors([shapely.Polygon()], [9])
    assert P["merge_cubes"](vectors(POINTS, [1, 2, 3]), empty).sizes["geometry"] == 4
    for other in (shapely.box(0, 0, 1, 1), shapely.LineString([(0, 0), (1, 1)])):
        with pytest.raises(errors.IncompatibleGeometryTypes, match="points in cube1 and"):
            P["merge_cubes"](vectors(POINTS, [1, 2, 3]), vectors([other], [3]))


def test_geometries_of_another_crs():
    with pytest.raises(
        errors.IncompatibleDataCubes, match="EPSG:4326 in cube1, in EPSG:3857 in cube2"
    ) as raised:
        P["merge_cubes"](vectors(POINTS, [1, 2, 3]), vectors(POINTS, [1, 2, 3], crs=3857), PLUS)
    assert "vector_reproject" in raised.value.hint


# ------------------------------------------------------------------------------------------ laws
CUTS = st.tuples(st.integers(1, 2), st.integers(1, 5), st.integers(1, 7))
DTYPES = st.sampled_from(["uint8", "int16", "float32", "float64"])


def random_cube(seed, dtype, nodata):
    values = np.random.default_rng(seed).integers(0, 200, (3, 2, 6, 8)).astype(dtype)
    cube = make_cube(values, nodata=nodata if values.dtype.kind in "iu" else None)
    return cube if values.dtype.kind in "iu" else cube.where(cube != 0)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), CUTS, DTYPES, st.sampled_from([None, 0]), st.sampled_from(["t", "y", "x"]))
def test_parts_merged_are_the_whole(seed, cuts, dtype, nodata, dim):
    """Whatever the order of the parts and the chunks, nothing is computed on the way."""
    cube = random_cube(seed, dtype, nodata)
    at = cuts[("t", "y", "x").index(dim)]
    one, other = cube.isel({dim: slice(at, None)}), cube.isel({dim: slice(0, at)})
    xr.testing.assert_identical(P["merge_cubes"](one, other), cube)
    with dask.config.set(scheduler=refuse):
        lazy = P["merge_cubes"](one.chunk({"y": 2, "x": 3}), other.chunk({"t": 1}))
    assert isinstance(lazy.data, da.Array)
    xr.testing.assert_identical(lazy.compute(), cube)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), DTYPES, st.sampled_from([None, 0]), CUTS)
def test_the_order_of_the_cubes_does_not_matter_to_a_sum(seed, dtype, nodata, cuts):
    cube, other = random_cube(seed, dtype, nodata), random_cube(seed + 1, dtype, nodata)
    other = other.isel(t=slice(0, cuts[0]), x=slice(cuts[2] - 1, None))
    there, back = P["merge_cubes"](cube, other, PLUS), P["merge_cubes"](other, cube, PLUS)
    np.testing.assert_array_equal(nulls(there), nulls(back))
    a, b = (xr.DataArray(nulls(c), coords={d: c[d] for d in c.dims}, dims=c.dims) for c in (cube, other))
    b = b.reindex_like(a)
    expected = np.where(np.isnan(a) & np.isnan(b), np.nan, np.nan_to_num(a) + np.nan_to_num(b))
    np.testing.assert_allclose(nulls(there), expected)


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.floats(-3, 3), st.sampled_from(["mean", "sum"]), st.sampled_from(["t", "x"])
)
def test_means_and_sums_are_linear(seed, factor, reducer, dim):
    rng = np.random.default_rng(seed)
    one, other = (make_cube(rng.normal(size=(3, 2, 4, 5))) for _ in range(2))
    scaled = child("multiply", "x", x={"from_parameter": "x"}, y=factor)
    mixed = P["merge_cubes"](P["apply"](one, scaled), other, PLUS)
    reduced = [P["reduce_dimension"](c, child(reducer, "data"), dim) for c in (one, other)]
    separate = P["merge_cubes"](P["apply"](reduced[0], scaled), reduced[1], PLUS)
    together = P["reduce_dimension"](mixed, child(reducer, "data"), dim)
    np.testing.assert_allclose(together.values, separate.values, atol=1e-12)
