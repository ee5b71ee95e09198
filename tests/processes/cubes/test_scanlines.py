"""Cells in polygons, row by row: the same as GEOS says of each cell by itself."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from processes.cubes.geometries import in_order, in_polygon
from processes.cubes.scanlines import cells_in

CORNERS = st.lists(st.tuples(st.floats(-3, 23), st.floats(-3, 23)), min_size=3, max_size=9)
ON_CENTRES = st.lists(st.tuples(st.integers(-1, 20), st.integers(-1, 20)), min_size=3, max_size=7)


def by_geos(polygons, xs, ys):
    return [in_polygon(p, xs, ys) for p in polygons]


def same(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.one_of(CORNERS, ON_CENTRES), min_size=1, max_size=4),
    st.sampled_from([1, -1]),
    st.sampled_from([1, -1]),
)
def test_any_polygon_crossing_itself_or_not(rings, right, down):
    polygons = np.array([shapely.Polygon(r) for r in rings])
    xs, ys = np.arange(20.0)[::right], np.cumsum(np.linspace(0.5, 1.5, 19))[::down]
    same(cells_in(polygons, xs, ys, lambda p: in_polygon(p, xs, ys)), by_geos(polygons, xs, ys))


def test_holes_and_polygons_beyond_the_grid():
    ring = shapely.Point(10, 10).buffer(6).difference(shapely.Point(11, 10).buffer(3))
    polygons = np.array([ring, shapely.box(100, 100, 120, 120), shapely.box(-50, -50, 50, 50)])
    xs, ys = np.arange(20) + 0.25, np.arange(18)[::-1] + 0.25
    asked = []
    found = cells_in(polygons, xs, ys, lambda p: asked.append(p) or in_polygon(p, xs, ys))
    same(found, by_geos(polygons, xs, ys))
    assert [len(cells) for cells in found][1:] == [0, 360]
    assert not asked


def test_only_polygons_in_doubt_are_looked_at_cell_by_cell():
    xs = ys = np.arange(10.0)
    sure, doubtful = shapely.box(0.5, 0.5, 3.5, 3.5), shapely.box(2, 2.5, 4.5, 4.5)
    asked = []
    cells_in(np.array([sure, doubtful]), xs, ys, lambda p: asked.append(p) or in_polygon(p, xs, ys))
    assert asked == [doubtful]


def test_no_polygons():
    assert cells_in(np.array([], dtype=object), np.arange(3.0), np.arange(2.0), by_geos) == []


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([1, 2, 5], True),
        ([3.0, 1.0], True),
        ([1], True),
        ([], False),
        ([1, 1], False),
        ([1, 3, 2], False),
        ([1, np.nan], False),
    ],
)
def test_labels_in_order(labels, expected):
    assert in_order(np.array(labels)) is expected
