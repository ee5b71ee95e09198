"""The small parts: statistics, names of dates, grids, parts of dimensions."""

from __future__ import annotations

import cftime
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.errors import Problem
from engine.write.axes import axes_of
from engine.write.dates import file_labels, rfc3339
from engine.write.grid import crs_of, grid_of
from engine.write.pour import fingerprint
from engine.write.tally import Tally


@settings(max_examples=50, deadline=None)
@given(
    cells=hnp.arrays(
        "float64",
        st.integers(1, 60),
        elements=st.one_of(st.floats(-1e6, 1e6), st.just(np.nan), st.just(np.inf)),
    ),
    cuts=st.lists(st.integers(0, 60), max_size=4),
)
def test_statistics_do_not_depend_on_the_cuts(cells, cuts):
    tally = Tally(np.nan)
    for part in np.split(cells, sorted(cuts)):
        tally.add(part)
    valid = cells[np.isfinite(cells)]
    assert (tally.cells, tally.valid) == (cells.size, valid.size)
    if valid.size:
        assert (tally.least, tally.greatest) == (valid.min(), valid.max())
        assert tally.mean == pytest.approx(valid.mean(), rel=1e-9, abs=1e-6)
        assert tally.deviation == pytest.approx(valid.std(), rel=1e-9, abs=1e-6)


def test_large_offset():
    """Values of 1e9 + 0, 1, 2: the textbook sum of squares has no correct digit left here."""
    cells = 1e9 + np.arange(3000.0) % 3
    tally = Tally(None)
    for part in np.split(cells, 100):
        tally.add(part)
    assert tally.deviation == pytest.approx(np.sqrt(2 / 3), rel=1e-12)
    naive = np.mean(cells**2) - np.mean(cells) ** 2
    assert abs(naive - 2 / 3) > 0.5


def test_statistics_beyond_the_range_of_floats_are_left_out():
    tally = Tally(None)
    tally.add(np.array([1.7e308, 1.7e308, -1.7e308]))
    assert {"mean", "stddev"}.isdisjoint(tally.stac())
    assert tally.stac()["maximum"] == 1.7e308


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["2022-06-01", "2022-06-02"], ["2022-06-01", "2022-06-02"]),
        (["2022-06-01", "2022-06-01T10:15:30"], ["2022-06-01T000000", "2022-06-01T101530"]),
        (["2022-06-01T00:00:00.25", "2022-06-01T00:00:00.5"],
         ["2022-06-01T000000-250000000", "2022-06-01T000000-500000000"]),
        (["2022-06-01", "2022-06-01"], ["2022-06-01T000000-000000000", "2022-06-01T000000-000000000-2"]),
    ],
)  # fmt: skip
def test_names_of_dates(labels, names):
    assert file_labels(np.array(labels, dtype="datetime64[ns]")) == names


def test_names_of_other_labels():
    assert file_labels(np.array(["2022-49", "a/b", "a\\b", "..", "A b", ""])) == [
        "2022-49", "a-b", "a-b-2", "x", "A-b-3", "x-2",
    ]  # fmt: skip
    assert len(file_labels(np.array(["y" * 500]))[0]) == 80
    months = np.array([cftime.Datetime360Day(2000, 2, 30), cftime.Datetime360Day(2000, 3, 30)])
    assert file_labels(months) == ["2000-02-30", "2000-03-30"]


@pytest.mark.parametrize(
    ("label", "text"),
    [
        (np.datetime64("2022-06-01", "ns"), "2022-06-01T00:00:00Z"),
        (np.datetime64("2022-06-01T10:15:30.120", "ns"), "2022-06-01T10:15:30.12Z"),
        (np.datetime64("1500-06-01", "s"), "1500-06-01T00:00:00Z"),
        (np.datetime64("NaT"), None),
        ("2022-06", "2022-06-01T00:00:00Z"),
        ("2022-06-01 10:15", "2022-06-01T10:15:00Z"),
        ("2022-13", None),
        ("2022-49", None),
        ("winter", None),
        (cftime.DatetimeNoLeap(2001, 2, 28, 12), "2001-02-28T12:00:00Z"),
        (cftime.Datetime360Day(2001, 2, 30), None),
        (5, None),
    ],
)
def test_moments(label, text):
    assert rfc3339(label) == text


def test_parts_are_read_off_types_not_names():
    cube = xr.DataArray(
        np.zeros((2, 2, 2, 2, 2)), dims=("x", "a", "b", "c", "d"),
        coords={
            "x": ("x", [1, 2], {"type": "bands"}),
            "a": ("a", [1, 2], {"type": "spatial", "axis": "x"}),
            "b": ("b", [1, 2], {"standard_name": "projection_y_coordinate"}),
            "c": ("c", np.array(["2022-01-01", "2022-01-02"], dtype="datetime64[ns]")),
            "d": ("d", np.array(["2022-01-01", "2022-01-02"], dtype="datetime64[ns]"), {"type": "temporal"}),
        },
    )  # fmt: skip
    axes = axes_of(cube)
    assert (axes.bands, axes.x, axes.y, axes.time, axes.others) == ("x", "a", "b", "c", ("d",))


@pytest.mark.parametrize("flip_x", [False, True])
@pytest.mark.parametrize("flip_y", [False, True])
def test_grids_point_north(make_cube, flip_x, flip_y):
    cube = make_cube(dims=("y", "x"), flip_x=flip_x, flip_y=flip_y)
    grid = grid_of(cube, axes_of(cube), "test")
    assert grid.bounds == (500_000, 5_199_600, 500_500, 5_200_000)
    assert (grid.flip_x, grid.flip_y) == (flip_x, flip_y)


def test_float32_degrees_count_as_even(make_cube):
    """Cells of 0.0083 degrees near 180: float32 is off by 0.2 % of a cell."""
    x = (179 + np.arange(50) / 120).astype("float32")
    cube = make_cube(dims=("y", "x"), crs="EPSG:4326")
    cube = cube.assign_coords(x=("x", x, cube.x.attrs))
    assert grid_of(cube, axes_of(cube), "test").transform.a == pytest.approx(1 / 120, rel=1e-4)
    x[10] += 0.001
    uneven = cube.assign_coords(x=("x", x, cube.x.attrs))
    with pytest.raises(Problem, match="even spacing"):
        grid_of(uneven, axes_of(uneven), "test")


def test_a_stale_transform_is_not_believed(make_cube):
    """After a crop the labels are right and the stated transform is that of the whole."""
    cube = make_cube(dims=("y", "x")).isel(x=slice(7, None), y=slice(3, None))
    grid = grid_of(cube, axes_of(cube), "test")
    assert (grid.transform.c, grid.transform.f) == (500_070, 5_199_970)


def test_the_crs_is_found_wherever_it_stands(make_cube, make_vector):
    cube = make_cube(dims=("y", "x"))
    assert crs_of(cube, axes_of(cube)).to_epsg() == 32632
    bare = cube.drop_vars("spatial_ref")
    assert crs_of(bare, axes_of(bare)).to_epsg() == 32632
    bare.coords["x"].attrs["reference_system"] = np.int64(3035)
    assert crs_of(bare, axes_of(bare)).to_epsg() == 3035
    vector = make_vector(crs=3857)
    assert crs_of(vector, axes_of(vector)).to_epsg() == 3857
    bare.coords["x"].attrs["reference_system"] = "EPSG:nonsense"
    with pytest.raises(Problem, match="cannot be read: 'EPSG:nonsense'"):
        crs_of(bare, axes_of(bare))


def test_fingerprints():
    a = np.array([1.0, np.nan, 3.0])
    b = a.copy()
    b.view("uint64")[1] |= 0x8000000000000001
    assert fingerprint(a) == fingerprint(b)
    assert fingerprint(a) != fingerprint(np.array([1.0, np.nan, np.nan]))
    assert fingerprint(a[::-1]) == fingerprint(a[::-1].copy())


def test_the_order_of_blocks_does_not_matter_to_the_last_bit():
    blocks = np.split(np.random.default_rng(3).normal(1e4, 7, 4000).astype("float32"), 40)
    there, back = Tally(None), Tally(None)
    for block, other in zip(blocks, blocks[::-1], strict=True):
        there.add(block)
        back.add(other)
    assert there.stac() == back.stac()
