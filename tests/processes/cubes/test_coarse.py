"""Means of whole cells: what GDAL gives, whatever the blocks."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from odc.geo.geobox import GeoBox
from rasterio.enums import Resampling

from processes.cubes.coarse import Blocks, blocks
from processes.cubes.warp import Part, Step, by_gdal, warp

CELL = 20.0


def grid(
    shape: tuple[int, int], cell: tuple[float, float] = (1, 1), start: tuple[float, float] = (0, 0)
) -> GeoBox:
    """A grid in UTM, whose cells and corner are told in old cells, down and across."""
    corner = Affine.translation(600_000 + CELL * start[1], 5_200_020 - CELL * start[0])
    return GeoBox(shape, corner * Affine.scale(CELL * cell[1], -CELL * cell[0]), "EPSG:32632")


@st.composite
def cases(draw: st.DrawFn) -> tuple[np.ndarray, GeoBox, GeoBox, tuple[int, int], float]:
    """Numbers, their grid, a coarser one over them that may go beyond by less than a cell, the ratio, no-data."""
    size = draw(st.tuples(st.integers(1, 5), st.integers(2, 5)))
    shape = draw(st.tuples(st.integers(2, 7), st.integers(2, 7)))
    start = tuple(draw(st.integers(1 - k, k)) for k in size)
    lengths = tuple(
        n * k + s + draw(st.integers(1 - k, k)) for n, k, s in zip(shape, size, start, strict=True)
    )
    dtype = draw(st.sampled_from(["uint8", "int16", "uint16", "int32", "float32", "float64"]))
    null = np.nan if dtype.startswith("float") else draw(st.sampled_from([0, 7]))
    seed = np.random.default_rng(draw(st.integers(0, 99)))
    values = (seed.random(lengths) * draw(st.sampled_from([9, 120]))).astype(dtype)
    values[seed.random(lengths) < draw(st.sampled_from([0, 0.3, 0.9]))] = null
    return values, grid(lengths), grid(shape, size, start), size, null


@settings(max_examples=60)
@given(cases())
def test_means_are_those_of_gdal(case):
    values, old, new, size, null = case
    ours = warp(values, old, new, "average", null)
    truth = by_gdal(values, old, new, Resampling.average, null, size)
    if values.dtype.kind == "f":
        np.testing.assert_allclose(ours, truth, rtol=1e-5)
    else:  # GDAL sums up shares, so that a half is now and then less
        exact = by_gdal(np.where(values == null, np.nan, values), old, new, Resampling.average, np.nan, size)
        rounded = np.floor(exact + 0.5)
        differs = ours.astype(float) != truth.astype(float)
        assert np.allclose((2 * exact[differs]) % 2, 1)
        assert not (differs & np.isnan(exact)).any()
        free = ~np.isnan(exact) & ~np.isclose((2 * exact) % 2, 1) & (rounded != null)
        np.testing.assert_array_equal(ours[free], rounded[free])


@settings(max_examples=30)
@given(cases(), st.data())
def test_a_part_is_that_of_the_whole(case, data):
    values, old, new, size, null = case
    step = Step("average", null, (float(size[0]), float(size[1])))
    ends = [
        sorted(data.draw(st.lists(st.integers(0, n), min_size=2, max_size=2, unique=True))) for n in new.shape
    ]
    part = Part(old, new, slice(*ends[0]), slice(*ends[1]))
    window = step.window(part, values.dtype)
    whole = warp(values, old, new, "average", null)
    np.testing.assert_array_equal(step(values[window], part, window), whole[part.rows, part.columns])
    assert [s.stop - s.start <= n * k for s, n, k in zip(window, part.shape, size, strict=True)] == [
        True,
        True,
    ]


def test_where_the_old_grid_has_nothing_there_is_no_data():
    values = np.full((4, 4), 9, dtype="int16")
    made = warp(values, grid((4, 4)), grid((4, 4), (2, 2), (-2, -2)), "average", -1)
    assert (made[1:3, 1:3] == 9).all()
    assert (made == -1).sum() == 12
    assert (warp(values, grid((4, 4)), grid((4, 4), (2, 2), (90, 0)), "average", -1) == -1).all()


def test_a_mean_is_not_taken_for_no_data():
    values = np.array([[4, 6], [4, 6]], dtype="uint8")
    old, new = grid((2, 2)), grid((1, 1), (2, 2))
    truth = by_gdal(values, old, new, Resampling.average, 5, (2, 2))
    assert warp(values, old, new, "average", 5)[0, 0] == truth[0, 0] == 4
    values = np.array([[1, -1], [0.5, -0.5]], dtype="float32")
    made = warp(values, old, new, "average", 0.0)
    assert made[0, 0] != 0
    assert abs(made[0, 0]) < 1e-40


def test_planes_beside_each_other_are_each_made():
    values = np.random.default_rng(3).random((2, 3, 8, 8))
    old, new = grid((8, 8)), grid((4, 4), (2, 2))
    made = warp(values, old, new, "average", np.nan)
    np.testing.assert_allclose(made, values.reshape(2, 3, 4, 2, 4, 2).mean(axis=(-3, -1)))


@pytest.mark.parametrize(
    ("new", "found"),
    [
        (grid((5, 5), (2, 2)), Blocks((2, 2), (0, 0))),
        (grid((5, 5), (1, 3), (-2, 4)), Blocks((1, 3), (-2, 4))),
        (grid((5, 5), (2, 2), (0.5, 0)), None),
        (grid((5, 5), (2.5, 2)), None),
        (grid((5, 5), (1, 1), (3, 0)), None),
        (grid((5, 5), (0.5, 2)), None),
        (grid((5, 5), (-2, 2), (10, 0)), None),
        (GeoBox((5, 5), grid((5, 5), (2, 2)).transform, "EPSG:32633"), None),
        (GeoBox((5, 5), grid((5, 5), (2, 2)).transform * Affine.rotation(10), "EPSG:32632"), None),
    ],
)  # fmt: skip
def test_which_grids_are_made_of_whole_cells(new, found):
    assert blocks(grid((10, 10)), new) == found
