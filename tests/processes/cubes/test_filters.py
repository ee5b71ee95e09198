"""Filters by place, time and band, where it is hard to say what is inside."""

from __future__ import annotations

import cftime
import numpy as np
import pyproj
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from processes import errors
from tests.processes.cubes.conftest import make_cube
from tests.processes.cubes.test_cubes import P


def large_cube(epsg, corner, resolution):
    corner = [round(c / resolution) * resolution for c in corner]
    return make_cube(np.ones((1, 2, 16, 16), np.uint8), epsg=epsg, resolution=resolution, corner=corner)


def degrees_of(cube, epsg):
    """Longitude and latitude of the cells."""
    to = pyproj.Transformer.from_crs(epsg, 4326, always_xy=True)
    return to.transform(*np.meshgrid(cube.x, cube.y))


@pytest.mark.parametrize("epsg", [32632, 32701, 3035, 3413, 3031, 3857, 6933])
def test_filter_bbox_around_the_globe(epsg):
    """The edges of such a box lie on the far side of most projections; the cells are inside all the same."""
    area = pyproj.CRS.from_epsg(epsg).area_of_use
    to = pyproj.Transformer.from_crs(4326, epsg, always_xy=True)
    x, y = to.transform((area.west + area.east) / 2, (area.south + 2 * area.north) / 3)
    cube = large_cube(epsg, (x - 8e4, y), 1e4)
    assert P["filter_bbox"](cube, {"west": -180, "south": -90, "east": 180, "north": 90}).sizes == cube.sizes
    _, lats = degrees_of(cube, epsg)
    box = {"west": -180, "south": lats.min() - 1e-6, "east": 180, "north": lats.max() + 1e-6}
    assert P["filter_bbox"](cube, box).sizes == cube.sizes


boxes = st.tuples(st.floats(-180, 180), st.floats(-180, 180), st.floats(-90, 90), st.floats(-90, 90))


@settings(max_examples=60, deadline=None)
@given(boxes, st.sampled_from([32632, 3035, 32701]))
def test_no_cell_in_a_box_is_lost(corners, epsg):
    """The box around a box in another projection: it may take in more, and never less."""
    (west, east), (south, north) = sorted(corners[:2]), sorted(corners[2:])
    corner = {32632: (300_000, 6_000_000), 3035: (2_600_000, 5_400_000), 32701: (300_000, 9_000_000)}[epsg]
    cube = large_cube(epsg, corner, 3e4)
    lons, lats = degrees_of(cube, epsg)
    inside = (lons >= west) & (lons <= east) & (lats >= south) & (lats <= north)
    found = P["filter_bbox"](cube, {"west": west, "south": south, "east": east, "north": north})
    assert set(cube.x.values[inside.any(axis=0)]) <= set(found.x.values)
    assert set(cube.y.values[inside.any(axis=1)]) <= set(found.y.values)
    xr.testing.assert_identical(
        found, P["filter_bbox"](found, {"west": west, "south": south, "east": east, "north": north})
    )


def test_a_box_of_metres_across_the_antimeridian():
    grid = xr.DataArray(
        np.arange(36.0)[None], dims=("y", "x"),
        coords={"y": ("y", [-10.0], {"type": "spatial", "axis": "y"}),
                "x": ("x", np.arange(-175.0, 185, 10), {"type": "spatial", "axis": "x"})},
        attrs={"crs": 4326},
    )  # fmt: skip
    to = pyproj.Transformer.from_crs(4326, 3832, always_xy=True)  # Mercator around 150 degrees east
    (west, south), (east, north) = to.transform(172, -20), to.transform(-172, 0)
    box = {"west": west, "south": south, "east": east, "north": north, "crs": 3832}
    assert P["filter_bbox"](grid, box).x.values.tolist() == [-175, 175]


def test_names_of_longitude_and_latitude(cube):
    for y, x in (("lat", "lon"), ("latitude", "longitude")):
        bare = xr.DataArray(np.ones((3, 4)), dims=(y, x), coords={y: [3.0, 2, 1], x: [1.0, 2, 3, 4]})
        found = P["filter_bbox"](bare, {"west": 1.5, "south": 1.5, "east": 3.5, "north": 3.5})
        assert (found[x].values.tolist(), found[y].values.tolist()) == ([2, 3], [3, 2])


def of_times(values):
    labels = np.empty(len(values), dtype=object)
    labels[:] = values
    return xr.DataArray(
        np.arange(len(values)), dims=("t",), coords={"t": ("t", labels, {"type": "temporal"})}
    )


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2020-02-29", "2020-03-01", [1, 2]),
        ("2020-02-28T12:00:00Z", None, [1, 2, 3]),
        (None, "2020-02-29", [0]),
        ("2020-02-29T00:00:30Z", "2020-02-29T00:01:00Z", [1]),
    ],
)
def test_dates_of_a_calendar_of_360_days(start, end, expected):
    days = [(2, 28, 0), (2, 29, 45), (2, 30, 0), (3, 1, 0)]
    cube = of_times([cftime.Datetime360Day(2020, m, d, 0, 0, s) for m, d, s in days])
    assert P["filter_temporal"](cube, [start, end]).values.tolist() == expected


@pytest.mark.parametrize(
    "labels", [["2020", "2021"], ["2020-01", "2020-02"], ["2020-djf", "2020-mam"], [1, 2]]
)
def test_periods_are_not_filtered_by_dates(labels):
    with pytest.raises(errors.ProcessParameterInvalid, match="is no date") as raised:
        P["filter_temporal"](of_times(labels), ["2020-01-01", None])
    assert "filter_labels" in raised.value.hint


@pytest.mark.parametrize(
    ("moment", "count"),
    [
        ("2022-06-11t10:16:00z", 2),
        ("2022-06-11T12:16:00+02:00", 2),
        ("2022-06-11", 2),
        ("2022-06-11T10:16:00.5Z", 1),
    ],
)
def test_moments_as_rfc_3339_writes_them(moment, count, cube):
    assert P["filter_temporal"](cube, [moment, None]).sizes["t"] == count


@pytest.mark.parametrize(
    "moment", ["20220611", "2022-W23", "2022", "2022-06-31", "2022-06-11T24:00:00Z", "0000-01-01"]
)
def test_moments_that_are_none(moment, cube):
    with pytest.raises(errors.ProcessParameterInvalid):
        P["filter_temporal"](cube, [moment, None])


def test_a_band_of_unknown_wavelength_is_in_no_range(cube):
    cube.bands.attrs["bands"][0]["center_wavelength"] = None
    assert P["filter_bands"](cube, wavelengths=[[0.1, 2.0]]).bands.values.tolist() == ["B08"]
