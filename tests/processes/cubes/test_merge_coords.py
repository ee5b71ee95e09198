"""What stands beside the dates of two cubes, such as the angles of their scenes, after they are merged."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from tests.processes.cubes.conftest import make_cube
from tests.processes.cubes.test_cubes import P, child

ANGLES = {"view:sun_elevation": [61.0, 62.5, 64.0], "view:sun_azimuth": [150.0, 151.0, 152.0]}
MAX = child("max", "x", "y", data=[{"from_parameter": "x"}, {"from_parameter": "y"}])


def scenes(bands=("B04", "B08"), **attrs):
    """Three dates with the angles of the sun, in degrees."""
    cube = make_cube(np.arange(288).reshape(3, 2, 6, 8).astype(np.int16), bands=bands)
    return cube.assign_coords({n: ("t", v, {"unit": "deg"}) for n, v in ANGLES.items()}).assign_attrs(attrs)


@pytest.fixture(params=[None, {"t": 1, "x": 3}], ids=["numpy", "blocks"])
def cube(request):
    return scenes() if request.param is None else scenes().chunk(request.param)


def angles(cube):
    return {n: cube.coords[n].values.tolist() for n in ANGLES if n in cube.coords}


@pytest.mark.parametrize("first", [[0], [0, 2], [2], [1, 2]])
def test_dates_of_both_cubes_keep_their_angles(first, cube):
    """In the order of the dates, whichever cube they come from."""
    rest = [n for n in range(3) if n not in first]
    merged = P["merge_cubes"](cube.isel(t=first), cube.isel(t=rest))
    xr.testing.assert_identical(merged.compute(), cube.compute())
    assert angles(merged) == ANGLES
    assert merged.coords["view:sun_elevation"].attrs == {"unit": "deg"}


def test_other_bands_of_the_same_dates(cube):
    merged = P["merge_cubes"](cube, scenes(bands=("B02", "B03")))
    assert merged.sizes["bands"] == 4
    assert angles(merged) == ANGLES


def test_where_both_know_an_angle_that_of_the_first_cube_counts(cube):
    other = scenes().assign_coords({"view:sun_elevation": ("t", [1.0, 2.0, 3.0])})
    assert angles(P["merge_cubes"](cube, other, MAX)) == ANGLES
    late = P["merge_cubes"](cube.isel(t=[0, 1]), other.isel(t=[1, 2]), MAX)
    assert angles(late)["view:sun_elevation"] == [61.0, 62.5, 3.0]


def test_a_cube_without_angles_takes_none_away_from_its_own_dates(cube):
    bare = scenes(bands=("B02", "B03")).drop_vars(list(ANGLES))
    for pair in ((cube, bare), (bare, cube)):
        assert angles(P["merge_cubes"](*pair)) == ANGLES
    fewer = P["merge_cubes"](cube, bare.isel(t=[0]))
    assert angles(fewer) == ANGLES


def test_angles_that_are_not_known_for_all_dates_are_left_out(cube):
    """Half of them would be made up."""
    bare = cube.isel(t=[2]).drop_vars(list(ANGLES))
    assert angles(P["merge_cubes"](cube.isel(t=[0, 1]), bare)) == {}


def test_a_cube_without_dates(cube):
    mask = cube.isel(t=0, bands=[0], drop=True).drop_vars(list(ANGLES), errors="ignore")
    layer = mask.assign_coords(bands=("bands", ["mask"], {"type": "bands"}))
    assert angles(P["merge_cubes"](cube, layer)) == ANGLES


def test_an_index_beside_its_bands(cube):
    assert angles(P["ndvi"](cube, "B08", "B04", "ndvi")) == ANGLES
    assert angles(P["ndvi"](cube, "B08", "B04")) == ANGLES


def test_facts_of_radar_scenes_stay(cube):
    one = cube.assign_attrs({"sar:instrument_mode": "IW"})
    assert P["merge_cubes"](one, scenes(bands=("B02", "B03"))).attrs == {"sar:instrument_mode": "IW"}
