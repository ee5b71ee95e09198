"""How scenes were taken: angles along time, facts of the radar; from items to the processes that need them."""

from __future__ import annotations

import json
import math

import dask
import numpy as np
import pandas as pd
import pystac
import pytest
import xarray as xr

from engine.execute.cluster import Threads
from engine.load import Wish, load
from engine.load.taken import angles
from engine.write import write
from processes import REGISTRY, errors
from processes.cubes import axes
from processes.types import BBox

P = {name: process.fn for name, process in REGISTRY.items()}
SUN = {"view:sun_azimuth": 150.0, "view:sun_elevation": 60.0}
GAIN = {"coefficient": "sigma0-ellipsoid", "values": 20.0}


@pytest.fixture(autouse=True)
def _one_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.fixture
def scene(make, grid, noise):
    """Makes an item of two bands, 10 x 12 pixels, with properties of its own."""
    there = grid(10, 12)
    made = {name: make.tif(f"{name}.tif", noise(10, 12), there) for name in ("red", "nir")}

    def scene_of(day, *, name=None, fields=None, bands=("red", "nir"), **properties):
        assets = {
            b: {"href": made[b], "raster:bands": None, "bands": [{"name": b, "nodata": 0, "data_type": "uint16", **(fields or {})}]}
            for b in bands
        }  # fmt: skip
        return make.item(name or f"s{day}", f"2022-06-{day:02}T10:00:00", assets, **properties)

    return scene_of


def told(cube, name):
    return cube.coords[f"view:{name}"].values.tolist()


# ---------------------------------------------------------------------------------------------- angles
def test_angles_stand_along_time(scene):
    items = [scene(d, **{"view:sun_elevation": 60.0 - d, "view:off_nadir": 3}) for d in (3, 1, 2)]
    cube = load(items, Wish())
    assert told(cube, "sun_elevation") == [59, 58, 57]
    assert told(cube, "off_nadir") == [3, 3, 3]
    assert cube.coords["view:sun_elevation"].dims == ("t",)
    assert "view:sun_azimuth" not in cube.coords
    assert not any(name.startswith("view:") for name in cube.attrs)
    assert axes.listing(cube) == "t (temporal, 3), bands (bands, 2), y (spatial, 10), x (spatial, 12)"


def test_what_is_no_angle_is_none(scene):
    odd = [None, True, "60", [60], math.inf]
    items = [scene(i + 1, **{"view:sun_elevation": value}) for i, value in enumerate(odd)]
    assert "view:sun_elevation" not in load(items, Wish()).coords


def test_times_that_tell_nothing_are_gaps_and_are_said(scene):
    said = []
    cube = load([scene(1, **SUN), scene(2)], Wish(), log=said.append)
    assert told(cube, "sun_azimuth")[0] == 150
    assert math.isnan(told(cube, "sun_azimuth")[1])
    assert any("view:sun_azimuth is not known at 1 of 2 times" in line for line in said)


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("sun_elevation", [60.0, 62.0], 61.0),
        ("sun_elevation", [60.0, None], 60.0),
        ("sun_elevation", [60.0, 90.0], math.nan),
        ("sun_azimuth", [350.0, 10.0], 0.0),
        ("sun_azimuth", [358.0, 359.0], 358.5),
        ("azimuth", [100.0, 260.0], math.nan),  # there and back on one day
        ("azimuth", [100.0, 100.0], 100.0),
    ],
)
def test_scenes_of_one_time_are_averaged_unless_they_are_far_apart(name, given, expected):
    steps = [[{f"view:{name}": v} for v in given], [{f"view:{name}": 1.0}]]
    found = angles(steps, lambda _: None)[f"view:{name}"].values
    np.testing.assert_allclose((found[0] - expected + 180) % 360 - 180, expected * 0, atol=1e-9)
    assert found[1] == 1


def test_scenes_of_one_day_make_one_angle(scene):
    items = [scene(1, name=n, **{"view:sun_elevation": v}) for n, v in (("a", 50.0), ("b", 52.0))]
    cube = load(items, Wish())
    assert cube.sizes["t"] == 1
    assert told(cube, "sun_elevation") == [51]


def test_they_stay_with_their_times(scene):
    cube = load([scene(d, **{"view:sun_elevation": 40.0 + d}) for d in (1, 5, 9)], Wish())
    later = P["filter_temporal"](cube, ["2022-06-04", "2022-07-01"])
    assert told(later, "sun_elevation") == [45, 49]
    box = {"west": 500_010, "south": 4_999_920, "east": 500_090, "north": 4_999_990, "crs": 32632}
    assert told(P["filter_bbox"](later, box), "sun_elevation") == [45, 49]
    assert told(P["resample_spatial"](later, 5), "sun_elevation") == [45, 49]
    assert told(P["mask"](later, later.isel(bands=0, drop=True) > 3), "sun_elevation") == [45, 49]
    assert (
        "view:sun_elevation"
        not in P["reduce_dimension"](later, lambda data, context: P["max"](data), "t").coords
    )


def test_arrays_have_them_too(tmp_path):
    def item(name, start, **properties):
        path = tmp_path / f"{name}.nc"
        times = pd.date_range(start, periods=2)
        values = np.ones((2, 3, 4), dtype="float32")
        lat, lon = np.array([48.0, 47.5, 47.0]), np.arange(5.0, 7.0, 0.5)
        xr.Dataset(
            {"v": (("time", "lat", "lon"), values)}, {"time": times, "lat": lat, "lon": lon}
        ).to_netcdf(path)
        made = pystac.Item(name, None, None, times[0].to_pydatetime(), properties)
        media = "application/x-netcdf"
        made.add_asset(
            "data",
            pystac.Asset(
                str(path), media_type=media, roles=["data"], extra_fields={"proj:code": "EPSG:4326"}
            ),
        )
        return made  # fmt: skip

    items = [item("b", "2022-06-03", **{"view:sun_elevation": 50}), item("a", "2022-06-01", **SUN, **{"sar:looks_range": 2})]  # fmt: skip
    cube = load(items, Wish(bbox=BBox(5.2, 47.2, 6.8, 48.2)))
    assert told(cube, "sun_elevation") == [60, 60, 50, 50]
    np.testing.assert_array_equal(told(cube, "sun_azimuth"), [150, 150, math.nan, math.nan])
    assert "sar:looks_range" not in cube.attrs  # one of two items tells it
    assert told(load(items, Wish(resolution=0.25)), "sun_elevation") == [60, 60, 50, 50]


@pytest.mark.parametrize("suffix", ["nc", "zarr", "json", "tif"])
def test_cubes_with_them_can_be_written(suffix, scene, tmp_path):
    cube = load(
        [scene(1, **SUN, **{"sar:looks": {"range": 2}}), scene(2, **{"sar:looks": {"range": 2}})], Wish()
    )
    (tmp_path / "out").mkdir()
    write(cube, tmp_path / "out" / f"a.{suffix}", stream=Threads(1).stream)
    if suffix == "nc":
        back = xr.open_dataset(tmp_path / "out" / "a.nc")
        np.testing.assert_array_equal(back["view_sun_elevation"].values, [60, math.nan])
        assert back["view_sun_elevation"].dims == ("t",)
    if suffix == "json":
        kept = json.loads((tmp_path / "out" / "a.json").read_text())["properties"]
        assert kept["view:sun_azimuth"] == {"dim": "t", "values": [150, None]}


# ----------------------------------------------------------------------------------------------- radar
def test_facts_of_all_items_become_attributes(scene):
    items = [scene(d, **{"sar:frequency_band": "C", "sar:looks_range": d, "sar:polarizations": ["VV", "VH"]}) for d in (1, 2)]  # fmt: skip
    said = []
    cube = load(items, Wish(), log=said.append)
    assert cube.attrs == {"nodata": 0, "sar:frequency_band": "C", "sar:polarizations": ["VV", "VH"]}
    assert "sar:looks_range of the items differ from item to item and are left out" in said


def test_facts_of_a_band_stand_in_its_metadata(scene):
    cube = load([scene(d, fields={"sar:calibration": GAIN}) for d in (1, 2)], Wish())
    assert [b["sar:calibration"] for b in axes.band_metadata(cube)] == [GAIN, GAIN]
    assert "radar" not in axes.band_metadata(cube)[0]
    assert "sar:calibration" not in axes.band_metadata(load([scene(1)], Wish()))[0]


def test_one_items_calibration_is_none_for_the_others(scene):
    items = [scene(d, fields={"sar:calibration": {**GAIN, "values": 20.0 + d}}) for d in (1, 2)]
    said = []
    cube = load(items, Wish(), log=said.append)
    assert "sar:calibration of band 'red' differ from item to item and are left out" in said
    with pytest.raises(errors.ProcessParameterInvalid, match="nothing tells what the cells of red, nir are"):
        P["sar_backscatter"](cube, "sigma0-ellipsoid", noise_removal=False, world=None)
    alone = load(items[:1], Wish())
    assert P["sar_backscatter"](alone, "sigma0-ellipsoid", noise_removal=False, world=None).sizes["t"] == 1


# -------------------------------------------------------------------------- the processes that need them
def test_backscatter_by_what_the_items_tell(scene):
    incidence = {1: 35.0, 2: 42.0}
    items = [scene(d, fields={"sar:calibration": GAIN}, **{"view:incidence_angle": v}) for d, v in incidence.items()]  # fmt: skip
    cube = load(items, Wish())
    made = P["sar_backscatter"](cube, "gamma0-ellipsoid", noise_removal=False, world=None)
    assert dask.is_dask_collection(made.data)
    cells = np.where(cube.values == 0, np.nan, cube.values.astype(float))
    theta = np.radians(list(incidence.values())).reshape(-1, 1, 1, 1)
    np.testing.assert_allclose(made.values, cells**2 / 20**2 / np.cos(theta), rtol=1e-5)
    wins = P["sar_backscatter"](
        cube, "gamma0-ellipsoid", noise_removal=False, options={"incidence_angle": 20.0}, world=None
    )
    np.testing.assert_allclose(wins.values, cells**2 / 20**2 / np.cos(np.radians(20)), rtol=1e-5)
    silent = load([*items, scene(3, fields={"sar:calibration": GAIN})], Wish())
    with pytest.raises(errors.ProcessParameterInvalid, match="1 of the 3 values of 'view:incidence_angle'"):
        P["sar_backscatter"](silent, "gamma0-ellipsoid", noise_removal=False, world=None)


def test_correction_by_what_the_items_tell(scene):
    cube = load([scene(d, **SUN | {"view:sun_elevation": 30.0 + d}) for d in (1, 2)], Wish())
    scaled = {"scale": 1e-4}
    correct = P["atmospheric_correction"]
    by_metadata = correct(cube, None, options=scaled, world=None)
    by_option = correct(cube, "COST", options={**scaled, "sun_elevation": [31.0, 32.0]}, world=None)
    np.testing.assert_array_equal(by_metadata.values, by_option.values)
    wins = correct(cube, "COST", options={**scaled, "sun_elevation": 80.0}, world=None)
    assert not np.array_equal(wins.values, by_option.values)
    partly = load([scene(1, **SUN), scene(2)], Wish())
    np.testing.assert_array_equal(  # what is not known at each time does not choose the method
        correct(partly, None, options=scaled, world=None).values,
        correct(partly, "DOS", options=scaled, world=None).values,
    )
    with pytest.raises(errors.ProcessParameterInvalid, match="1 of the 2 values of 'view:sun_elevation'"):
        correct(partly, "COST", options=scaled, world=None)


@pytest.fixture
def cloudy(make, grid):
    """Makes an item with a cloud over dark ground."""
    there = grid(30, 40)
    values = {"blue": 300, "red": 300, "nir": 1000}
    files = {}
    for name, value in values.items():
        pixels = np.full((30, 40), value, dtype="uint16")
        pixels[12:16, 18:22] = 5000
        files[name] = make.tif(f"cloudy-{name}.tif", pixels, there)

    def scene_of(day, **properties):
        band = {"data_type": "uint16", "nodata": 0, "raster:scale": 1e-4}
        assets = {
            n: {"href": f, "raster:bands": None, "bands": [{"name": n, "eo:common_name": n, **band}]}
            for n, f in files.items()
        }
        return make.item(f"c{day}", f"2022-06-{day:02}T10:00:00", assets, **properties)

    return scene_of


def test_shadows_by_what_the_items_tell(cloudy):
    detect = P["cloud_detection"]
    options = {"cloud_height": 100.0}
    suns = {1: SUN, 2: {}, 3: {"view:sun_azimuth": 200.0, "view:sun_elevation": 40.0}}
    cube = load([cloudy(d, **sun) for d, sun in suns.items()], Wish())
    found = detect(cube, None, options)
    shadow = found.sel(bands="shadow").values
    for place, sun in enumerate(suns.values()):
        if not sun:
            assert np.isnan(shadow[place]).all()
            assert found.sel(bands="cloud").values[place].max() == 1
            continue
        given = {name.removeprefix("view:"): angle for name, angle in sun.items()}
        alone = detect(cube.isel(t=[place]), None, {**options, **given})
        np.testing.assert_array_equal(shadow[place], alone.sel(bands="shadow").values[0])
        assert shadow[place].max() == 1
    wins = detect(cube, None, {**options, "sun_azimuth": 90.0, "sun_elevation": 45.0})
    assert np.isfinite(wins.values).all()


def test_half_of_the_sun_is_none(cloudy):
    cube = load([cloudy(1, **{"view:sun_elevation": 60.0})], Wish())
    assert P["cloud_detection"](cube, None).bands.values.tolist() == ["cloud", "haze"]


@pytest.mark.parametrize("part", [{"x": [3]}, {"y": [3]}, {"x": [3], "y": [3]}])
def test_no_shadow_is_told_where_cells_have_no_size(part, cloudy):
    cube = load([cloudy(1, **SUN)], Wish()).isel(part)
    found = P["cloud_detection"](cube, None)
    assert np.isnan(found.sel(bands="shadow").values).all()
    assert np.isfinite(found.sel(bands=["cloud", "haze"]).values).all()


def test_a_low_sun_is_named_with_a_way_out(cloudy):
    cube = load([cloudy(1, **SUN | {"view:sun_elevation": 3.0})], Wish())
    with pytest.raises(errors.ProcessParameterInvalid, match="stands 3 degrees high") as caught:
        P["cloud_detection"](cube, None)
    assert "view:sun_elevation" in caught.value.hint
