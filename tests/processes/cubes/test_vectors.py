"""Vector cubes against shapely, pyproj, GeoPandas and xvec: made, filtered, buffered, moved, sampled."""

from __future__ import annotations

import json

import dask
import dask.array as da
import geopandas
import numpy as np
import pyproj
import pytest
import shapely
import xarray as xr
import xvec
from hypothesis import given, settings
from hypothesis import strategies as st

import engine
from processes import REGISTRY, errors
from processes.cubes.sampling import shared_out
from tests.processes.cubes.test_cubes import child

P = {name: p.fn for name, p in REGISTRY.items()}
SHAPES = (
    shapely.Polygon([(11.0, 46.0), (11.2, 46.0), (11.2, 46.1), (11.0, 46.1)], [[(11.05, 46.02), (11.15, 46.02), (11.1, 46.08)]]),
    shapely.MultiPolygon([shapely.box(11.3, 46.2, 11.4, 46.25), shapely.box(11.5, 46.2, 11.51, 46.3)]),
    shapely.LineString([(11.0, 46.5), (11.1, 46.5), (11.1, 46.55)]),
    shapely.MultiPoint([(11.6, 46.6), (11.61, 46.6), (11.62, 46.61)]),
    shapely.Point(11.7, 46.7),
)  # fmt: skip


def collection(*shapes, **columns):
    """GeoJSON of geometries and of properties given as columns."""
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": None if s is None else shapely.geometry.mapping(s),
                "properties": {k: v[i] for k, v in columns.items() if v[i] != "lacking"},
            }
            for i, s in enumerate(shapes)
        ],
    }


def vectors(*shapes, crs=4326, lazy=False):
    """A vector cube (geometry, t) of numbers over these geometries."""
    values = np.arange(2.0 * len(shapes)).reshape(-1, 2)
    coord = np.empty(len(shapes), dtype=object)
    coord[:] = shapes
    return xr.DataArray(
        da.from_array(values, chunks=1) if lazy else values,
        dims=("geometry", "t"),
        coords={
            "geometry": ("geometry", coord, {"type": "geometry", "crs": crs}),
            "t": ("t", np.array(["2020-01-01", "2020-01-02"], "M8[ns]"), {"type": "temporal"}),
            "name": ("geometry", [f"field {i}" for i in range(len(shapes))]),
        },
        name="numbers",
    )


def metres(*shapes):
    return vectors(*shapes, crs=32632)


def series(cube):
    return geopandas.GeoSeries(cube.geometry.values, crs=cube.geometry.attrs["crs"])


# --------------------------------------------------------------------------------- with or without an index
CALLS = {
    "filter_vector": lambda c: P["filter_vector"](c, vectors(shapely.box(11.1, 46.05, 11.65, 46.65))),
    "filter_bbox": lambda c: P["filter_bbox"](c, {"west": 11.25, "south": 46, "east": 12, "north": 47}),
    "filter_labels": lambda c: P["filter_labels"](c, lambda value, context: value.startswith("POINT"), "geometry"),
    "vector_buffer": lambda c: P["vector_buffer"](P["vector_reproject"](c, 32632), 100),
    "vector_reproject": lambda c: P["vector_reproject"](c, 32632),
    "random points": lambda c: P["vector_to_random_points"](c, 3, seed=1),
    "single random points": lambda c: P["vector_to_random_points"](c, 3, group=False, seed=1),
    "regular points": lambda c: P["vector_to_regular_points"](P["vector_reproject"](c, 32632), 900, group=False),
    "rename_dimension": lambda c: P["rename_dimension"](P["rename_dimension"](c, "geometry", "field"), "field", "geometry"),
    "add_dimension": lambda c: P["add_dimension"](c, "run", 1),
    "drop_dimension": lambda c: P["drop_dimension"](c.isel(t=[1]), "t"),
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_lazy_and_the_same_with_an_index_of_xvec(call):
    eager = call(vectors(*SHAPES))
    with dask.config.set(scheduler=refuse):
        lazy = call(vectors(*SHAPES, lazy=True))
        indexed = call(vectors(*SHAPES, lazy=True).xvec.set_geom_indexes("geometry", crs=4326))
    assert isinstance(lazy.data, da.Array)
    xr.testing.assert_identical(lazy.compute(), eager)
    assert isinstance(indexed.xindexes["geometry"], xvec.GeometryIndex)
    assert indexed.xindexes["geometry"].crs == pyproj.CRS(eager.geometry.attrs["crs"])
    np.testing.assert_array_equal(indexed.geometry.values, eager.geometry.values)
    np.testing.assert_array_equal(indexed.compute().values, eager.values)
    assert indexed.geometry.attrs["type"] == "geometry"
    assert eager.coords["name"].dims == ("geometry",)
    remade = eager.xvec.set_geom_indexes("geometry", crs=eager.geometry.attrs["crs"])
    assert remade.xvec.geom_coords_indexed


def refuse(*args, **kwargs):
    raise AssertionError("a process computed")


def test_crs_from_the_index_alone():
    indexed = metres(shapely.Point(675_000, 5_156_000)).xvec.set_geom_indexes("geometry", crs=32632)
    indexed.geometry.attrs.pop("crs")
    moved = P["vector_reproject"](indexed, 4326)
    assert moved.geometry.values[0].y == pytest.approx(46.5, abs=0.1)


# ----------------------------------------------------------------------------------------- load_geojson
def test_geometries_and_properties_come_along():
    cube = P["load_geojson"](collection(*SHAPES[:3], None, area=[1, 2, 3, 4], name=["a", None, "c", "d"], deep=[[1, 2], [3, 4], {}, 5]))  # fmt: skip
    assert cube.dims == ("geometry",)
    assert np.isnan(cube.values).all()
    assert list(cube.geometry.values[:3]) == list(SHAPES[:3])
    assert cube.geometry.values[3].is_empty
    assert cube.area.values.tolist() == [1, 2, 3, 4]
    assert cube.coords["name"].values.tolist() == ["a", None, "c", "d"]
    assert cube.coords["deep"].values.tolist() == [[1, 2], [3, 4], {}, 5]
    one = P["load_geojson"](shapely.geometry.mapping(SHAPES[0]))
    assert one.sizes == {"geometry": 1}
    assert P["load_geojson"](collection()).sizes == {"geometry": 0}


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([1, 2, 3], np.int64, [1, 2, 3]),
        ([1, 2.5, 3], np.float64, [1, 2.5, 3]),
        ([1, None, "lacking"], np.float64, [1, np.nan, np.nan]),
        ([True, False, True], np.bool_, [True, False, True]),
        ([True, None, False], np.uint8, [1, 255, 0]),
        (["a", None, "b"], np.object_, ["a", None, "b"]),
        ([1, "b", True], np.object_, [1, "b", True]),
        ([2**70, 1, 2], np.float64, [2.0**70, 1, 2]),
    ],
)
def test_values_of_one_property(values, dtype, expected):
    cube = P["load_geojson"](collection(*SHAPES[:3], p=values, q=[0, 0, 0]), ["p"])
    assert cube.dims == ("geometry", "properties")
    assert cube.properties.values.tolist() == ["p"]
    assert cube.dtype == dtype
    np.testing.assert_array_equal(cube.values[:, 0], np.array(expected, dtype=dtype))
    assert cube.attrs == ({"logical": True, "nodata": 255} if dtype == np.uint8 else {})


def test_values_of_arrays_and_of_several_properties():
    given_ = collection(*SHAPES[:4], p=[[1, 2, 3], [4], None, []], q=[1, 2, 3, 4], r=[0.5, None, 1, 2])
    ragged = P["load_geojson"](given_, ["p"])
    assert ragged.properties.values.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(ragged.values[:2], [[1, 2, 3], [4, np.nan, np.nan]])
    assert np.isnan(ragged.values[2:]).all()
    two = P["load_geojson"](given_, ["r", "q"])
    assert two.properties.values.tolist() == ["r", "q"]
    np.testing.assert_array_equal(two.values, [[0.5, 1], [np.nan, 2], [1, 3], [2, 4]])
    assert two.properties.attrs == {"type": "other"}
    with pytest.raises(
        errors.ProcessParameterInvalid, match="no feature has a property 's'; there are 'p', 'q', 'r'"
    ):
        P["load_geojson"](given_, ["s"])
    with pytest.raises(errors.ProcessParameterInvalid, match="'p' has a value of type list"):
        P["load_geojson"](given_, ["p", "q"])
    nested = {"type": "GeometryCollection", "geometries": [shapely.geometry.mapping(SHAPES[4])]}
    with pytest.raises(errors.ProcessParameterInvalid, match="feature 0 is a GeometryCollection"):
        P["load_geojson"](nested)


def test_a_property_called_properties():
    cube = P["load_geojson"](collection(*SHAPES[:2], properties=[1, 2], geometry=[3, 4]), ["properties"])
    assert cube.values.tolist() == [[1], [2]]


def test_a_graph_of_vectors(tmp_path):
    """load_geojson > vector_reproject > vector_buffer > filter_labels through the engine's door."""
    graph = {
        "load": {"process_id": "load_geojson", "arguments": {"data": collection(*SHAPES, n=[1, 2, 3, 4, 5]), "properties": ["n"]}},
        "utm": {"process_id": "vector_reproject", "arguments": {"data": {"from_node": "load"}, "projection": 32632}},
        "wide": {"process_id": "vector_buffer", "arguments": {"geometries": {"from_node": "utm"}, "distance": 100}, "result": True},
    }  # fmt: skip
    with engine.open(tmp_path / "catalog.sqlite", home=tmp_path) as session:
        result = session.run(graph)
    expected = geopandas.GeoSeries(SHAPES, crs=4326).to_crs(32632).buffer(100)
    assert series(result).geom_equals_exact(expected, 1e-6).all()
    assert result.values.tolist() == [[1], [2], [3], [4], [5]]
    json.dumps(result.geometry.attrs)


# ---------------------------------------------------------------------------------------- filter_vector
@pytest.mark.parametrize(
    "relation", ["intersects", "disjoint", "equals", "touches", "crosses", "overlaps", "contains", "within"]
)
def test_relations_against_shapely(relation):
    bases = (shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10))
    candidates = (
        shapely.box(2, 2, 3, 3), shapely.box(9, 1, 11, 2), shapely.box(15, 5, 25, 6), shapely.box(20, 0, 22, 10),
        shapely.box(30, 0, 31, 1), shapely.box(0, 0, 20, 10), shapely.box(-1, -1, 30, 30), shapely.Polygon(),
        shapely.LineString([(-5, 5), (5, 5)]), shapely.Point(10, 5), shapely.Point(10, 20), shapely.GeometryCollection(),
    )  # fmt: skip
    union = shapely.unary_union(bases)
    expected = [g for g in candidates if not g.is_empty and getattr(union, relation)(g)]
    found = P["filter_vector"](vectors(*candidates), vectors(*bases), relation)
    assert list(found.geometry.values) == expected
    assert expected
    assert found.coords["name"].values.tolist() == [f"field {candidates.index(g)}" for g in expected]


def test_filter_vector_in_another_crs_and_with_faults():
    base = P["vector_reproject"](vectors(shapely.box(11.25, 46.1, 11.65, 46.65)), 32632)
    found = P["filter_vector"](vectors(*SHAPES), base)
    assert list(found.geometry.values) == [SHAPES[1], SHAPES[3]]
    bow = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    assert P["filter_vector"](vectors(bow, shapely.Point(0.5, 0.1)), vectors(bow)).sizes["geometry"] == 1
    assert P["filter_vector"](vectors(*SHAPES), vectors()).sizes["geometry"] == 0
    with pytest.raises(errors.ProcessParameterInvalid, match="'covers' is none of intersects"):
        P["filter_vector"](vectors(bow), vectors(bow), "covers")


def test_stars_that_cross_themselves_end_soon():
    """The default way of making valid would take a minute for this one."""
    angle = np.arange(200) * 97 * 2 * np.pi / 200
    star = shapely.Polygon(np.column_stack([np.cos(angle), np.sin(angle)]))
    assert P["filter_vector"](vectors(star), vectors(star)).sizes["geometry"] == 1


@pytest.mark.parametrize("parts", [[], [{"type": "Point", "coordinates": [11, 46]}]])
@pytest.mark.parametrize("bare", [True, False])
def test_collections_of_geometries_are_refused_empty_ones_too(parts, bare):
    given = {"type": "GeometryCollection", "geometries": parts}
    doc = given if bare else {"type": "Feature", "properties": {}, "geometry": given}
    with pytest.raises(errors.ProcessParameterInvalid, match="feature 0 is a GeometryCollection"):
        P["load_geojson"](doc)


def test_a_feature_without_a_geometry_is_no_collection():
    cube = P["load_geojson"]({"type": "Feature", "properties": {"a": 1}, "geometry": None}, ["a"])
    assert cube.values.tolist() == [[1]]
    assert cube.geometry.values[0].is_empty


# ---------------------------------------------------------------------------------------- vector_buffer
@pytest.mark.parametrize("distance", [250.0, -250.0])
def test_buffer_in_metres_against_geopandas(distance):
    cube = P["vector_reproject"](vectors(*SHAPES, shapely.Polygon()), 32632)
    grown = P["vector_buffer"](cube, distance)
    expected = series(cube).buffer(distance)
    assert series(grown).geom_equals_exact(expected, 1e-6).all()
    np.testing.assert_array_equal(grown.values, cube.values)
    assert set(series(grown).geom_type) <= {"Polygon", "MultiPolygon"}
    assert grown.geometry.attrs["crs"] == 32632


@pytest.mark.parametrize(
    ("crs", "unit", "zone"), [(4326, "degree", 32632), (4258, "degree", 32632), (2263, "US survey foot", 326)]
)
def test_buffers_are_drawn_in_metres_only(crs, unit, zone):
    """As the specification has it: UnitMismatch where the unit is another one, degrees included."""
    place = shapely.Point(6e6, 2e6) if crs == 2263 else shapely.Point(11.3, 46.5)
    with pytest.raises(errors.UnitMismatch, match=f"is in {unit}") as caught:
        P["vector_buffer"](vectors(place, crs=crs), 100)
    assert f"vector_reproject with projection {zone}" in caught.value.hint
    assert caught.value.parameter == "geometries"


def test_the_way_that_the_hint_tells_gives_circles_on_the_ground():
    there = P["vector_reproject"](vectors(shapely.Point(11.3, 46.5)), 32632)
    grown = P["vector_reproject"](P["vector_buffer"](there, 100), 4326).geometry.values[0]
    lon, lat = shapely.get_coordinates(grown).T
    _, _, far = pyproj.Geod(ellps="WGS84").inv(np.full_like(lon, 11.3), np.full_like(lat, 46.5), lon, lat)
    np.testing.assert_allclose(far, 100, rtol=1e-3)  # the scale of the zone is 0.9996 at its middle


def test_buffer_faults():
    for distance in (0, float("nan"), float("inf")):
        with pytest.raises(errors.ProcessParameterInvalid, match="finite number other than 0"):
            P["vector_buffer"](vectors(*SHAPES), distance)
    with pytest.raises(errors.DimensionNotAvailable):
        P["vector_buffer"](vectors(*SHAPES).isel(geometry=0, drop=True), 10)


# ------------------------------------------------------------------------------------- vector_reproject
def test_reproject_against_geopandas():
    moved = P["vector_reproject"](vectors(*SHAPES, shapely.Polygon()), 3035)
    expected = geopandas.GeoSeries([*SHAPES, shapely.Polygon()], crs=4326).to_crs(3035)
    assert series(moved).geom_equals_exact(expected, 1e-6).all()
    assert moved.geometry.attrs == {"type": "geometry", "crs": 3035}
    back = P["vector_reproject"](moved, pyproj.CRS(4326).to_wkt(), "geometry")
    assert series(back).geom_equals_exact(series(vectors(*SHAPES, shapely.Polygon())), 1e-7).all()
    high = P["vector_reproject"](vectors(shapely.Point(11, 46, 250), shapely.Point(11, 46)), 32632)
    assert high.geometry.values[0].z == 250
    assert not high.geometry.values[1].has_z


def test_reproject_faults():
    cube = vectors(*SHAPES)
    for name, says in (("t", "is not of type geometry"), ("z", "no dimension 'z'")):
        with pytest.raises(errors.DimensionNotAvailable, match=says):
            P["vector_reproject"](cube, 3857, name)
    with pytest.raises(errors.ProcessParameterInvalid, match="no coordinate reference system"):
        P["vector_reproject"](cube, 999_999)
    with pytest.raises(
        errors.ProcessParameterInvalid, match="geometry 1 has no place in WGS 84 / UTM zone 32N"
    ):
        P["vector_reproject"](vectors(SHAPES[0], shapely.Point(-80, 0)), 32632)


# ---------------------------------------------------------------------------------------- random points
def test_random_points_are_inside_and_repeatable():
    cube = vectors(*SHAPES, shapely.Polygon())
    first = P["vector_to_random_points"](cube, 50, seed=7)
    again = P["vector_to_random_points"](cube, 50, seed=7)
    xr.testing.assert_identical(first, again)
    other = P["vector_to_random_points"](cube, 50, seed=-8)
    assert list(other.geometry.values) != list(first.geometry.values)
    once, twice = (P["vector_to_random_points"](cube).geometry.values for _ in range(2))
    assert list(once) != list(twice)
    assert [len(g.geoms) for g in once[:5]] == [1] * 5
    np.testing.assert_array_equal(first.values, cube.values)
    points = first.geometry.values
    assert [g.geom_type for g in points] == ["MultiPoint"] * 5 + ["Polygon"]
    assert [len(g.geoms) for g in points[:5]] == [50, 50, 50, 3, 1]
    for shape, sampled in zip(SHAPES, points, strict=False):
        assert shape.buffer(1e-9).contains(sampled)
        assert len(set(map(tuple, shapely.get_coordinates(sampled)))) == len(sampled.geoms)


def test_single_points_carry_what_their_geometry_has():
    cube = vectors(SHAPES[0], shapely.Polygon(), SHAPES[4], lazy=True)
    single = P["vector_to_random_points"](cube, 4, group=False, seed=1)
    assert [g.geom_type for g in single.geometry.values] == ["Point"] * 4 + ["Polygon", "Point"]
    assert single.coords["name"].values.tolist() == ["field 0"] * 4 + ["field 1", "field 2"]
    np.testing.assert_array_equal(single.compute().values, cube.values[[0, 0, 0, 0, 1, 2]])


def test_random_points_are_spread_evenly():
    """An L of two squares and a thin arm: each part gets its share, to four standard deviations."""
    shape = shapely.union_all([shapely.box(0, 0, 2, 1), shapely.box(0, 0, 1, 2), shapely.box(0, 2, 0.1, 12)])
    sampled = P["vector_to_random_points"](metres(shape), 20_000, seed=3).geometry.values[0]
    x, y = shapely.get_coordinates(sampled).T
    for inside, area in (((x > 1), 1), ((y > 1) & (y < 2), 1), ((y > 2), 1), ((x < 0.5) & (y < 0.5), 0.25)):
        share = area / shape.area
        assert abs(inside.mean() - share) < 4 * np.sqrt(share * (1 - share) / 20_000)
    line = shapely.MultiLineString([[(0, 0), (3, 0)], [(0, 5), (1, 5)]])
    along = P["vector_to_random_points"](metres(line), 5_000, seed=3).geometry.values[0]
    assert (shapely.get_coordinates(along)[:, 1] == 0).mean() == pytest.approx(0.75, abs=0.025)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.one_of(st.integers(1, 9), st.just(np.inf)), min_size=1, max_size=8),
    st.one_of(st.none(), st.integers(1, 9)),
    st.one_of(st.none(), st.integers(0, 40)),
)
def test_sharing_out(capacity, each, extra):
    total = None if extra is None else len(capacity) + extra
    counts = shared_out(np.array(capacity, dtype=float), each, total)
    most = np.minimum(capacity, each or (1 if total is None else np.inf))
    assert (counts >= 1).all()
    assert (counts <= most).all()
    assert counts.sum() == (most.sum() if total is None else min(total, most.sum()))
    below = counts < most
    if below.any():  # nobody who could have more has less than another one, but for the rest
        assert counts.max() - counts[below].min() <= 1


@pytest.mark.parametrize("corners", [[(0, 0), (1, 1), (2, 2)], [(3, 3), (3, 3), (3, 3)]])
def test_polygons_without_area(corners):
    """They have no inside; still they are where they are."""
    flat = shapely.Polygon(corners)
    sampled = P["vector_to_random_points"](metres(flat), 3, seed=1).geometry.values[0]
    assert sampled.distance(shapely.LineString(corners)) < 1e-9
    assert len(sampled.geoms) == (3 if corners[0] != corners[1] else 1)
    assert P["vector_to_regular_points"](metres(flat), 1).geometry.values[0].geoms[0] == shapely.Point(
        corners[0]
    )
    assert P["vector_buffer"](metres(flat), 1).geometry.values[0].area >= np.pi * 0.99
    assert P["filter_vector"](metres(flat), metres(flat)).sizes["geometry"] == 1


def test_counts_that_cannot_be():
    with pytest.raises(errors.CountMismatch, match="4 points are to be sampled from 5 geometries"):
        P["vector_to_random_points"](vectors(*SHAPES), total_count=4)
    for counts in ((0, None), (None, 0)):
        with pytest.raises((errors.ProcessParameterInvalid), match="has to be at least 1"):
            P["vector_to_random_points"](vectors(*SHAPES), *counts)
    with pytest.raises(errors.ProcessParameterInvalid, match="more than 1000000 points"):
        P["vector_to_random_points"](vectors(*SHAPES), 10**9)
    assert P["vector_to_random_points"](vectors(shapely.Polygon()), 5).geometry.values[0].is_empty


# --------------------------------------------------------------------------------------- regular points
def test_regular_points_by_hand():
    hole = shapely.box(0, 0, 10, 10).difference(shapely.box(3, 3, 7, 7))
    tiny = shapely.box(0, 0, 1, 1)
    triangle = shapely.Polygon([(0, 0), (9, 0), (0, 1)])  # the middle of the cell is outside
    line = shapely.LineString([(0, 0), (4, 0), (4, 7)])
    ring = shapely.LinearRing([(0, 0), (5, 0), (5, 5), (0, 5)])
    points = shapely.MultiPoint([(1, 2), (3, 4)])
    cube = metres(hole, tiny, triangle, line, ring, points, shapely.Point(5, 6), shapely.Polygon())
    found = P["vector_to_regular_points"](cube, 5).geometry.values
    expected = [
        [(2.5, 7.5), (7.5, 7.5), (2.5, 2.5), (7.5, 2.5)],
        [(0, 0)],
        [(2.5, -1.5)],
        [(0, 0), (4, 1), (4, 6)],
        [(0, 0), (5, 0), (5, 5), (0, 5)],
        [(1, 2), (3, 4)],
        [(5, 6)],
    ]
    expected[1] = [tuple(shapely.get_coordinates(tiny)[0])]
    expected[2] = [(0, 0)]
    assert [list(map(tuple, shapely.get_coordinates(g).tolist())) for g in found[:7]] == expected
    assert found[7].is_empty
    single = P["vector_to_regular_points"](cube, 5, group=False)
    assert single.sizes["geometry"] == sum(map(len, expected)) + 1


def test_regular_points_are_as_far_apart_as_asked():
    cube = P["vector_reproject"](vectors(*SHAPES[:2]), 32632)
    for sampled, shape in zip(
        P["vector_to_regular_points"](cube, 700).geometry.values, cube.geometry.values, strict=True
    ):
        assert shape.contains(sampled)
        places = shapely.get_coordinates(sampled)
        apart = np.linalg.norm(places[:, None] - places[None], axis=-1)
        assert apart[apart > 0].min() == pytest.approx(700)
        assert len(places) == pytest.approx(shape.area / 700**2, rel=0.15)


def test_regular_points_faults():
    with pytest.raises(errors.UnitMismatch, match="WGS 84 is in degree") as caught:
        P["vector_to_regular_points"](vectors(*SHAPES), 100)
    assert "projection 32632" in caught.value.hint
    with pytest.raises(errors.ProcessParameterInvalid, match="finite number above 0"):
        P["vector_to_regular_points"](metres(SHAPES[0]), 0)
    with pytest.raises(errors.ProcessParameterInvalid, match="more than 1000000 points"):
        P["vector_to_regular_points"](metres(shapely.box(0, 0, 1e6, 1e6)), 1)


# ------------------------------------------------------------------------------------- with raster cubes
def test_zonal_statistics_go_on_as_vectors(floats):
    given_ = vectors(
        *(shapely.box(675_000 + i, 5_155_940, 675_040 + i, 5_156_000) for i in (0, 30)), crs=32632
    )
    indexed = given_.xvec.set_geom_indexes("geometry", crs=32632)
    zonal = P["aggregate_spatial"](floats.chunk({"x": 3}), indexed, child("mean", "data"))
    grown = P["vector_buffer"](P["filter_bbox"](zonal, {"west": 674_999, "south": 5_155_000, "east": 675_041, "north": 5_157_000, "crs": 32632}), 10)  # fmt: skip
    assert grown.sizes == {"geometry": 1, "t": 3, "bands": 2}
    assert isinstance(grown.data, da.Array)
    np.testing.assert_allclose(grown.values[0], np.nanmean(floats.values[..., :4], axis=(2, 3)), rtol=1e-6)
    assert grown.coords["name"].values.tolist() == ["field 0"]
