"""Boxes and footprints: the antimeridian, and geometry that must not reach native code."""

import numpy as np
import pytest
import shapely

from engine.catalog.model import Query
from engine.catalog.space import footprint, inside, split, touches
from engine.errors import Problem


@pytest.mark.parametrize(
    ("box", "parts"),
    [
        ((10, 0, 20, 5), [(10, 0, 20, 5)]),
        ((-180, -90, 180, 90), [(-180, -90, 180, 90)]),
        ((170, 0, -170, 5), [(170, 0, 180, 5), (-180, 0, -170, 5)]),
        ((10, 0, -180, 5), [(10, 0, 180, 5), (-180, 0, -180, 5)]),
        ((170, 0, 190, 5), [(170, 0, 180, 5), (-180, 0, -170, 5)]),
        ((-190, 0, -170, 5), [(170, 0, 180, 5), (-180, 0, -170, 5)]),
        ((190, 0, 200, 5), [(-170, 0, -160, 5)]),
        ((0, 0, 360, 5), [(-180, 0, 180, 5)]),
        ((10, 0, 5, 5), [(10, 0, 180, 5), (-180, 0, 5, 5)]),
    ],
)
def test_split(box, parts):
    assert list(split(box)) == parts


def ring(*corners):
    return {"type": "Polygon", "coordinates": [[list(c) for c in (*corners, corners[0])]]}


JUMPING = ring((175, 0), (-175, 0), (-175, 10), (175, 10))
LONG = ring((175, 0), (185, 0), (185, 10), (175, 10))
HALVES = {
    "type": "MultiPolygon",
    "coordinates": [
        ring((175, 0), (180, 0), (180, 10), (175, 10))["coordinates"],
        ring((-180, 0), (-175, 0), (-175, 10), (-180, 10))["coordinates"],
    ],
}


@pytest.mark.parametrize(
    "geometry", [JUMPING, LONG, HALVES, None], ids=["jumping", "long", "halves", "bbox only"]
)
def test_footprint_over_the_antimeridian_is_the_same_however_it_is_written(geometry):
    ground = footprint(geometry, [175, 0, -175, 10])
    assert ground is not None
    assert ground.box == (175, 0, -175, 10)
    assert list(ground.parts) == [(175, 0, 180, 10), (-180, 0, -175, 10)]
    for box, hit in [
        ((176, 1, 177, 2), True),
        ((-177, 1, -176, 2), True),
        ((170, 0, 174, 5), False),
        ((-174, 0, 0, 5), False),
        ((0, 0, 1, 1), False),
        ((179, 5, -179, 6), True),
    ]:
        assert touches([ground.shape], split(box))[0] == hit, box


def test_wide_polygon_that_does_not_cross_stays_wide():
    wide = ring((-170, 0), (170, 0), (170, 10), (-170, 10))
    ground = footprint(wide, [-170, 0, 170, 10])
    assert ground is not None
    assert ground.parts == ((-170, 0, 170, 10),)
    assert touches([ground.shape], split((0, 1, 1, 2)))[0]


def test_touches_is_exact_not_by_box():
    triangle = footprint(ring((0, 0), (10, 0), (0, 10)), None)
    assert triangle is not None
    assert touches([triangle.shape], [(1, 1, 2, 2), (8, 8, 9, 9)])[0]
    assert not touches([triangle.shape], [(8, 8, 9, 9)])[0]
    assert touches([triangle.shape], [(5, 5, 5, 5)])[0], "a point on the edge"
    assert not touches([triangle.shape], [(5, 6, 5, 9)])[0], "a line beside it"


def test_touches_agrees_with_shapely_on_plain_polygons():
    rng = np.random.default_rng(7)
    shapes = [shapely.convex_hull(shapely.MultiPoint(rng.uniform(-60, 60, (5, 2)))) for _ in range(200)]
    box = (-10.0, -20.0, 15.0, 5.0)
    assert (touches(shapes, [box]) == shapely.intersects(shapes, shapely.box(*box))).all()
    assert touches([], [box]).tolist() == []


def test_inside():
    assert inside((1, 1, 2, 2), [(0, 0, 3, 3)])
    assert not inside((1, 1, 4, 2), [(0, 0, 3, 3)])
    assert inside((178, 1, -178, 2), split((170, 0, -170, 5)))
    assert not inside((178, 1, -178, 2), [(170, 0, 180, 5)])


def test_no_geometry_and_no_bbox_is_nowhere():
    assert footprint(None, None) is None
    assert footprint({"type": "Polygon", "coordinates": []}, None) is None


def whole(*corners):
    return [*corners, corners[0]]


SQUARE, HOLE = whole([0, 0], [9, 0], [9, 9], [0, 9]), whole([1, 1], [2, 1], [2, 2])


@pytest.mark.parametrize(
    "rings",
    [
        [SQUARE],
        [whole((-180, -90), (0, -90), (0, 90), (-180, 90))],
        [whole([0.1, 0.2], [1e-9, 3], [0.5, 2**-40])],
        [SQUARE, HOLE],
        [whole([0, 0, 5], [9, 0, 5], [9, 9, 5])],
        [whole([0, 0], [9, 0], [9, 90.5])],
        [[[0, 0], [9, 0], [9, 9], [0, 9]]],
        [whole(*([np.cos(a), np.sin(a)] for a in np.linspace(0, 6, 1500).tolist()))],
    ],
)
def test_a_polygon_is_what_shapely_makes_of_it_however_plain(rings):
    ground = footprint({"type": "Polygon", "coordinates": rings}, None)
    truth = shapely.geometry.shape({"type": "Polygon", "coordinates": rings})
    assert ground is not None
    assert ground.wkb == shapely.to_wkb(truth)
    assert ground.box == truth.bounds
    assert shapely.equals_exact(ground.shape, truth)


@pytest.mark.parametrize("value", [True, "1", None, [1], float("nan"), float("inf"), 10**400])
def test_a_plain_polygon_of_what_is_no_number_is_refused(value):
    with pytest.raises((ValueError, OverflowError)):
        footprint({"type": "Polygon", "coordinates": [whole([0, 0], [9, value], [9, 9])]}, None)


def nest(depth):
    geometry = {"type": "Point", "coordinates": [0, 0]}
    for _ in range(depth):
        geometry = {"type": "GeometryCollection", "geometries": [geometry]}
    return geometry


@pytest.mark.parametrize(
    ("geometry", "bbox", "says"),
    [
        (nest(50_000), None, "levels deep"),
        ({"type": "Point", "coordinates": [float("nan"), 0]}, None, "no finite number"),
        ({"type": "Point", "coordinates": ["1", 0]}, None, "no finite number"),
        ({"type": "Point", "coordinates": [448265, 5411920]}, None, "not in WGS84 degrees"),
        ({"type": "Blob", "coordinates": [1, 2]}, None, "not GeoJSON"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}, None, "not GeoJSON"),
        ({"type": "LineString", "coordinates": [0] * 2_000_001}, None, "more than 2,000,000 numbers"),
        ("POINT (1 2)", None, "not a GeoJSON object"),
        (None, [1, 2, 3], "4 or 6 numbers"),
        (None, [1, 5, 2, 3], "south above north"),
        (None, [1, 2, float("inf"), 3], "no finite number"),
    ],
)
def test_what_is_wrong_is_said(geometry, bbox, says):
    with pytest.raises(ValueError, match=says):
        footprint(geometry, bbox)


def test_small_collections_and_heights_are_fine():
    ground = footprint(nest(3), [0, 0, 100, 0, 0, 200])
    assert ground is not None
    assert ground.box == (0, 0, 0, 0)


@pytest.mark.parametrize("bbox", [(1, 2, 3), (0, 5, 1, 4), (0, 0, float("nan"), 1)])
def test_query_refuses_boxes_that_are_none(bbox):
    with pytest.raises(Problem) as caught:
        Query("x", bbox=bbox)
    assert caught.value.code == "ProcessParameterInvalid"
