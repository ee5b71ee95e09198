"""Cubes put together of labels are those that xarray makes of the same parts."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from odc.geo.geobox import GeoBox

from processes.cubes.assembly import labels_along, labels_beside, labels_of
from processes.cubes.places import coordinates, grid_labels

GRID = GeoBox((3, 4), Affine(20, 0, 600_000, 0, -20, 5_200_000), "EPSG:32632")
TIMES = np.array(["2022-01-05", "2022-01-10"], "datetime64[ns]")
VALUES = st.sampled_from(
    [TIMES, np.array(["B04", "B8A"]), np.array([1.5, -2]), np.array([3, 1]), np.array([True, False])]
)


@given(VALUES)
def test_labels_are_those_of_xarray(values):
    array, attrs = np.arange(24).reshape(2, 3, 4), {"nodata": 0}
    made = labels_along("t", values, {"type": "some"}) | grid_labels(GRID)
    made |= labels_beside("sun", xr.Variable(("t",), [1.0, 2.0]))
    cube = made.cube(array, ("t", "y", "x"), attrs)
    theirs = {"t": ("t", values, {"type": "some"}), **coordinates(GRID), "sun": ("t", [1.0, 2.0])}
    truth = xr.DataArray(array, dims=("t", "y", "x"), coords=theirs, attrs=attrs)
    xr.testing.assert_identical(cube, truth)
    assert {n: c.dtype for n, c in cube.coords.items()} == {n: c.dtype for n, c in truth.coords.items()}
    assert {n: type(c) for n, c in cube.coords.variables.items()} == {
        n: type(c) for n, c in truth.coords.variables.items()
    }
    xr.testing.assert_identical(cube.sel(t=values[1], x=600_010), truth.sel(t=values[1], x=600_010))
    assert {n: i.equals(truth.xindexes[n]) for n, i in cube.xindexes.items()} == dict.fromkeys("tyx", True)


def test_what_stays_of_a_cube_keeps_its_index():
    cube = (labels_along("t", TIMES, {}) | grid_labels(GRID)).cube(np.zeros((2, 3, 4)), ("t", "y", "x"), {})
    kept = labels_of(cube, lambda name, coord: coord.dims == ("t",))
    assert list(kept.coords) == ["t"]
    assert kept.indexes["t"] is cube.xindexes["t"]


def test_cubes_of_one_grid_do_not_share_what_they_say_of_themselves():
    one, other = (grid_labels(GRID).cube(np.zeros((3, 4)), ("y", "x"), {}) for _ in "ab")
    one.coords["x"].attrs["axis"] = "changed"
    one.coords["spatial_ref"].attrs["crs_wkt"] = "changed"
    assert other.coords["x"].attrs["axis"] == "x"
    assert other.coords["spatial_ref"].attrs["crs_wkt"] != "changed"


@pytest.mark.parametrize("shape", [(2, 4), (3, 5)])
def test_labels_that_do_not_fit_are_refused(shape):
    with pytest.raises(ValueError, match="labels"):
        grid_labels(GRID).cube(np.zeros(shape), ("y", "x"), {})


def test_labels_of_other_dimensions_are_refused():
    with pytest.raises(ValueError, match="None cells"):
        grid_labels(GRID).cube(np.zeros((3, 4)), ("lat", "lon"), {})
