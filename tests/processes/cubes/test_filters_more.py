"""Geometries over rasters, against rasterio and shapely: what is kept, what is taken out."""

from __future__ import annotations

import dask
import dask.array as da
import numpy as np
import pyproj
import pytest
import shapely
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.features import rasterize

from processes import REGISTRY, errors
from processes.cubes import geometries as ground
from tests.processes.cubes.conftest import make_cube

P = {name: p.fn for name, p in REGISTRY.items()}
UTM = {"type": "name", "properties": {"name": "EPSG:32632"}}


def refuse(*args, **kwargs):
    raise AssertionError("a process computed")


def features(*shapes, crs=UTM):
    """GeoJSON of shapely geometries."""
    listed = [
        {"type": "Feature", "properties": {}, "geometry": None if s is None else shapely.geometry.mapping(s)}
        for s in shapes
    ]
    return {"type": "FeatureCollection", "features": listed, **({"crs": crs} if crs else {})}


def nulls(cube):
    values = cube.values.astype(float)
    if "nodata" in cube.attrs and cube.dtype.kind in "iu":
        values[cube.values == cube.attrs["nodata"]] = np.nan
    return values


def burnt(cube, *shapes):
    """The cells whose centre is inside, as GDAL has it."""
    transform = cube.odc.geobox.transform
    return rasterize(shapes, out_shape=cube.shape[-2:], transform=transform, dtype=np.uint8).astype(bool)


RING = shapely.Polygon(
    [(675003, 5155943), (675074, 5155951), (675071, 5155997), (675006.5, 5155991)],
    [[(675022, 5155962), (675047, 5155961), (675044, 5155983), (675021, 5155979)]],
)
TWO = shapely.MultiPolygon(
    [shapely.box(675002, 5155978, 675013, 5155998), shapely.box(675052, 5155942, 675077, 5155957)]
)
CALLS = {
    "mask_polygon": lambda c: P["mask_polygon"](c, features(RING)),
    "mask_polygon, inside": lambda c: P["mask_polygon"](c, features(RING, TWO), 7, inside=True),
    "filter_spatial": lambda c: P["filter_spatial"](c, features(RING, TWO)),
    "filter_spatial, points and lines": lambda c: P["filter_spatial"](c, features(shapely.Point(675011, 5155989), shapely.LineString([(675033, 5155944), (675062, 5155991)]))),
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("kind", ["cube", "floats"])
def test_lazy_the_same_for_any_chunks_and_typed(call, kind, request):
    source = request.getfixturevalue(kind)
    source.attrs["title"] = "kept"
    eager = call(source)
    assert eager.dtype == source.dtype
    assert eager.attrs == source.attrs
    for chunks in ({"t": 1, "y": 3, "x": 5}, {"t": -1, "bands": 1, "y": -1, "x": -1}, {"y": 1, "x": 1}):
        with dask.config.set(scheduler=refuse):
            lazy = call(source.chunk(chunks))
        assert isinstance(lazy.data, da.Array)
        xr.testing.assert_identical(lazy.compute(), eager)
    for dim in eager.dims:
        assert eager.coords[dim].attrs == source.coords[dim].attrs
    assert eager.odc.crs == source.odc.crs


# ---------------------------------------------------------------------------------------- mask_polygon
@pytest.mark.parametrize("shapes", [(RING,), (TWO,), (RING, TWO), (RING, None, shapely.Polygon())])
def test_mask_polygon_against_gdal(shapes, cube):
    inside = burnt(cube, *(s for s in shapes if s and not s.is_empty))
    assert 0 < inside.sum() < inside.size
    outer = P["mask_polygon"](cube, features(*shapes))
    inner = P["mask_polygon"](cube, features(*shapes), inside=True)
    np.testing.assert_array_equal(nulls(outer), np.where(inside, nulls(cube), np.nan))
    np.testing.assert_array_equal(nulls(inner), np.where(inside, np.nan, nulls(cube)))


def test_no_data_is_left_untouched(cube, floats):
    everything = features(shapely.box(6e5, 5e6, 7e5, 6e6))
    for source in (cube, floats):
        replaced = P["mask_polygon"](source, everything, 9, inside=True)
        np.testing.assert_array_equal(nulls(replaced), np.where(np.isnan(nulls(source)), np.nan, 9))
    assert (
        P["mask"](floats, xr.ones_like(floats), 9).values == 9
    ).all()  # the raster mask replaces all it marks


def test_replacements_keep_the_type_where_it_can(cube):
    for value, dtype in ((9, np.uint16), (-1, np.int32), (70_000, np.uint32), (0.5, np.float32)):
        result = P["mask_polygon"](cube, features(RING), value)
        assert result.dtype == dtype
        outside = ~burnt(cube, RING) & ~np.isnan(nulls(cube))
        assert (result.values[outside] == value).all()
    with pytest.raises(errors.ProcessParameterInvalid, match="'a' does not go with cells of type float32"):
        P["mask_polygon"](cube.astype(np.float32), features(RING), "a")


def test_mask_polygon_wants_polygons(cube):
    for shape in (shapely.Point(675011, 5155989), shapely.LineString([(0, 0), (1, 1)])):
        with pytest.raises(errors.ProcessParameterInvalid, match=f"geometry 1 is a {shape.geom_type}"):
            P["mask_polygon"](cube, features(RING, shape))


def test_a_vector_cube_masks_as_its_geojson_does(cube):
    given = features(RING, TWO)
    made = P["load_geojson"](given)
    indexed = made.xvec.set_geom_indexes("geometry", crs=32632)
    for process in ("mask_polygon", "filter_spatial"):
        for vectors in (made, indexed):
            xr.testing.assert_identical(P[process](cube, vectors), P[process](cube, given))


def test_a_polygon_around_the_world(cube):
    """It has corners that no UTM zone has a place for."""
    world = features(shapely.box(-180, -90, 180, 90), crs=None)
    np.testing.assert_array_equal(nulls(P["mask_polygon"](cube, world)), nulls(cube))
    assert P["filter_spatial"](cube, world).shape == cube.shape
    assert np.isnan(nulls(P["mask_polygon"](cube, world, inside=True))).all()


def test_edges_of_another_projection_bend():
    """A parallel of latitude is no straight line in UTM: at its middle it is 20 km off the chord."""
    wide = make_cube(np.ones((1, 2, 40, 100), np.float32), resolution=5000.0, corner=(250_000.0, 5_600_000.0))
    band = shapely.box(5.6, 49.3, 12.4, 50.2)
    kept = P["mask_polygon"](wide, features(band, crs=None))
    degrees = pyproj.Transformer.from_crs(32632, 4326, always_xy=True)
    lon, lat = degrees.transform(*np.meshgrid(wide.x.values, wide.y.values))
    expected = shapely.intersects_xy(band, lon, lat)
    assert 0 < expected.sum() < expected.size
    np.testing.assert_array_equal(~np.isnan(kept.values[0, 0]), expected)


def test_polygons_that_cross_themselves(cube):
    bow = shapely.Polygon([(675000, 5155940), (675080, 5156000), (675080, 5155940), (675000, 5156000)])
    kept = ~np.isnan(nulls(P["mask_polygon"](cube, features(bow))))[1, 0]
    assert kept.any(axis=1).all()
    assert not kept[0, 3:5].any()


# -------------------------------------------------------------------------------------- filter_spatial
def test_filter_spatial_cuts_and_masks(cube):
    small = shapely.Polygon([(675012, 5155948), (675049, 5155948), (675049, 5155981)])
    found = P["filter_spatial"](cube, features(small))
    part = cube.sel(x=slice(675012, 675049), y=slice(5155981, 5155948))
    assert found.x.values.tolist() == part.x.values.tolist()
    assert found.y.values.tolist() == part.y.values.tolist()
    np.testing.assert_array_equal(nulls(found), np.where(burnt(part, small), nulls(part), np.nan))


def test_points_lines_and_nothing(floats):
    point = P["filter_spatial"](floats, features(shapely.Point(675011, 5155989)))
    assert (point.x.values.tolist(), point.y.values.tolist()) == ([675015], [5155985])
    apart = P["filter_spatial"](floats, features(shapely.MultiPoint([(675001, 5155999), (675021, 5155979)])))
    assert apart.shape == (3, 2, 3, 3)
    assert (~np.isnan(apart.values[1, 0])).nonzero()[0].tolist() == [0, 2]
    nothing = P["filter_spatial"](floats, features(shapely.Point(0, 0)))
    assert nothing.shape == (3, 2, 0, 0)
    assert P["filter_spatial"](floats.chunk(), features(None)).compute().shape == (3, 2, 0, 0)
    far = P["mask_polygon"](floats, features(shapely.box(0, 0, 1, 1)))
    assert np.isnan(far.values).all()


def test_one_label_is_as_wide_as_the_other_axis_says(floats):
    column = floats.isel(x=[2])
    assert P["filter_spatial"](column, features(shapely.Point(675028, 5155989))).shape == (3, 2, 1, 1)
    assert P["filter_spatial"](column, features(shapely.Point(675031, 5155989))).shape == (3, 2, 0, 0)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(-20, 100), st.floats(-20, 80)), min_size=2, max_size=5))
def test_lines_against_the_closest_cell_of_each_point(corners):
    """Brute force: ten thousand points on the line, each in its cell; only slivers may be missed by it."""
    xs, ys = np.arange(5, 80, 10.0), np.arange(55, 0, -10.0)
    line = shapely.LineString(corners)
    ours = set(ground.in_part(line, xs, ys).tolist())
    way = shapely.get_coordinates(line.interpolate(np.linspace(0, 1, 10_000), normalized=True))
    columns, rows = np.floor(way[:, 0] / 10).astype(int), np.floor((60 - way[:, 1]) / 10).astype(int)
    on = (columns >= 0) & (columns < 8) & (rows >= 0) & (rows < 6) & (np.abs(way % 10).min(axis=1) > 1e-6)
    theirs = set((rows * 8 + columns)[on].tolist())
    assert theirs <= ours
    squares = [shapely.box(x - 5, y - 5, x + 5, y + 5).buffer(1e-6) for y in ys for x in xs]
    assert all(squares[i].intersects(line) for i in ours)


def test_a_long_line_over_a_large_grid_costs_what_it_crosses():
    xs = np.arange(10_980) * 10.0
    line = shapely.LineString([(-5e6, 3.0), (5e6, 3.0)])
    assert len(ground.in_part(line, xs, xs[:50])) == 10_980


def test_large_masks_are_found_block_by_block():
    scene = xr.DataArray(
        da.zeros((20_000, 20_000), chunks=1_000, dtype=np.uint8),
        dims=("y", "x"),
        coords={"y": ("y", np.arange(20_000)[::-1] + 0.5, {"type": "spatial", "axis": "y"}),
                "x": ("x", np.arange(20_000) + 0.5, {"type": "spatial", "axis": "x"})},
        attrs={"crs": 32632, "nodata": 255},
    )  # fmt: skip
    circle = shapely.Point(10_000, 10_000).buffer(9_000)
    masked = P["mask_polygon"](scene, features(circle))
    corner = masked[9_990:10_010, 990:1_010].compute(scheduler="sync")
    x, y = np.meshgrid(corner.x.values, corner.y.values)
    np.testing.assert_array_equal(corner.values == 0, shapely.intersects_xy(circle, x, y))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_a_mask_commutes_with_a_box_and_is_idempotent(seed, inside):
    rng = np.random.default_rng(seed)
    source = make_cube(rng.normal(size=(1, 2, 6, 8)))
    corners = rng.uniform([674990, 5155930], [675090, 5156010], (7, 2))
    given_ = features(shapely.MultiPoint(corners).convex_hull)
    box = {"west": 675015, "south": 5155955, "east": 675055, "north": 5155985, "crs": 32632}
    masked = P["mask_polygon"](source, given_, inside=inside)
    xr.testing.assert_identical(
        P["filter_bbox"](masked, box), P["mask_polygon"](P["filter_bbox"](source, box), given_, inside=inside)
    )
    xr.testing.assert_identical(P["mask_polygon"](masked, given_, inside=inside), masked)


# -------------------------------------------------------------------------------------------- bad input
@pytest.mark.parametrize(
    "given_",
    [
        {"type": "FeatureCollection", "features": [1]},
        {"type": "FeatureCollection", "features": "all"},
        {"type": "FeatureCollection"},
        {"type": "Feature", "geometry": 5},
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [0, 0]}, "properties": [1]},
        {"type": "Circle", "coordinates": [0, 0]},
        {"type": ["Point"], "coordinates": [0, 0]},
        {"type": "point", "coordinates": [0, 0]},
        {"type": "Point"},
        {"type": "Point", "coordinates": None},
        {"type": "Point", "coordinates": ["a", "b"]},
        {"type": "Point", "coordinates": [float("nan"), float("inf")]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]},
        {"type": "Polygon", "coordinates": {"a": 1}},
        {"type": "GeometryCollection", "geometries": [3]},
        {"type": "Point", "coordinates": [0, 0], "crs": "EPSG:4326"},
        {"type": "Point", "coordinates": [0, 0], "crs": {"properties": {"name": "nowhere"}}},
    ],
)
def test_what_is_no_geojson(given_, cube):
    with pytest.raises(errors.ProcessParameterInvalid):
        P["filter_spatial"](cube, given_)


def test_collections_too_deep_behind_a_shallow_one(cube):
    point = {"type": "Point", "coordinates": [11.3, 46.5]}
    deep = point
    for _ in range(500):
        deep = {
            "type": "GeometryCollection",
            "geometries": [{"type": "GeometryCollection", "geometries": [point]}, deep],
        }
    with pytest.raises(errors.ProcessParameterInvalid, match="nested more than 16 deep"):
        P["filter_spatial"](cube, deep)


def test_labels_that_are_no_geometries(cube):
    named = P["add_dimension"](cube.isel(x=0, y=0, drop=True), "g", "field 7", "geometry")
    with pytest.raises(errors.ProcessParameterInvalid, match="'field 7' is of type str"):
        P["filter_spatial"](cube, named)
    with pytest.raises(errors.ProcessParameterInvalid, match="no geometries"):
        P["filter_bbox"](named, {"west": 0, "south": 0, "east": 1, "north": 1})
