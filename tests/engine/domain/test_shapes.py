"""Geometries in other reference systems, held against PROJ with longitudes first and against GDAL's transformation."""

from __future__ import annotations

import pyproj
import pytest
import rasterio.warp
import shapely

from engine.domain.reference import WGS84, Reference
from engine.domain.shapes import box_of, ground_of, moved

SQUARE = {"type": "Polygon", "coordinates": [[[10, 50], [11, 50], [11, 51], [10, 51], [10, 50]]]}
UTM = Reference("EPSG:32632")


@pytest.mark.parametrize(
    ("name", "north_first"),
    [
        ("EPSG:4326", True),
        ("EPSG:3857", False),
        ("EPSG:32632", False),
        ("EPSG:31467", True),
        ("EPSG:3035", True),
    ],
)
def test_coordinates_are_in_the_order_of_the_authority(name, north_first):
    turned = pyproj.Transformer.from_crs("OGC:CRS84", name, always_xy=True)
    found = moved(SQUARE, WGS84, Reference(name))["coordinates"][0]
    for (x, y), place in zip(SQUARE["coordinates"][0], found, strict=True):
        east, north = turned.transform(x, y)
        assert place == pytest.approx([north, east] if north_first else [east, north], rel=1e-12)
    back = moved({"type": "Polygon", "coordinates": [found]}, Reference(name), WGS84)
    assert shapely.equals_exact(shapely.geometry.shape(back), shapely.geometry.shape(SQUARE), 1e-7)


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Point", "coordinates": [10.5, 50.5]},
        {"type": "Point", "coordinates": [10.5, 50.5, 120.0]},
        {"type": "LineString", "coordinates": [[10, 50], [11, 51]]},
        {"type": "MultiPolygon", "coordinates": [SQUARE["coordinates"]]},
        {"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": [10, 50]}, SQUARE]},
    ],
)
def test_all_kinds_of_geometries_are_moved_as_gdal_moves_them(geometry):
    found = shapely.geometry.shape(moved(geometry, WGS84, UTM))
    told = shapely.geometry.shape(rasterio.warp.transform_geom("OGC:CRS84", "EPSG:32632", geometry))
    assert found.geom_type == geometry["type"]
    assert found.has_z == shapely.geometry.shape(geometry).has_z
    assert shapely.equals_exact(found, told, 1e-6)
    assert box_of(moved(geometry, WGS84, UTM)) == list(found.bounds)


def test_what_is_empty_stays_empty():
    empty = {"type": "GeometryCollection", "geometries": []}
    assert moved(empty, WGS84, UTM) == empty
    assert box_of(empty) is None


def test_what_a_system_does_not_have_is_no_infinity():
    with pytest.raises(ValueError, match="cannot be shown"):
        moved({"type": "Point", "coordinates": [99, 0]}, WGS84, UTM)


def test_the_ground_of_a_box_of_latitudes_and_longitudes():
    found = shapely.geometry.shape(ground_of([50, 10, 51, 11], Reference("EPSG:4326")))
    assert found.equals(shapely.box(10, 50, 11, 51))


def test_the_ground_of_a_box_has_the_curves_of_its_edges():
    found = shapely.geometry.shape(ground_of([300000, 5500000, 700000, 5900000], UTM))
    inside = pyproj.Transformer.from_crs("EPSG:32632", "OGC:CRS84", always_xy=True)
    middle = shapely.Point(
        *inside.transform(500000, 5500000 + 1)
    )  # a chord would leave it out or take in too much
    below = shapely.Point(*inside.transform(500000, 5500000 - 200))
    assert found.contains(middle)
    assert not found.contains(below)


@pytest.mark.parametrize(
    ("reference", "box"),
    [("EPSG:32601", [300000, 0, 700000, 10000]), ("EPSG:4326", [-10, 170, 10, -170])],
)
def test_the_ground_of_a_box_across_the_antimeridian_does_not_go_round_the_globe(reference, box):
    west, _, east, _ = shapely.geometry.shape(ground_of(box, Reference(reference))).bounds
    assert east - west <= 20
    assert west < -180 < east or west < 180 < east or reference == "EPSG:32601"


@pytest.mark.parametrize(
    ("reference", "box", "why"),
    [
        ("EPSG:3031", [-1e6, -1e6, 1e6, 1e6], "pole"),
        ("EPSG:32632", [700000, 0, 300000, 1], "order"),
        ("EPSG:4326", [51, 10, 50, 11], "order"),
    ],
)
def test_boxes_that_are_none_are_refused(reference, box, why):
    with pytest.raises(ValueError, match=why):
        ground_of(box, Reference(reference))
