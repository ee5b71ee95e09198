"""NetCDF and Zarr: variables become bands, dimensions get their types, items follow each other in time."""

from __future__ import annotations

import csv
import json
import zipfile

import cloudpickle
import dask
import numpy as np
import pandas as pd
import pystac
import pytest
import xarray as xr
from pyproj import Transformer
from rasterio.features import geometry_mask

from engine.errors import Problem
from engine.load import Wish, load, survey
from engine.load.stored import _Guarded
from processes.types import BBox

NETCDF, ZARR = "application/x-netcdf", "application/vnd+zarr"


@pytest.fixture(autouse=True)
def _one_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


def item(path, name="a", when="2020-01-01", media=NETCDF, **fields) -> pystac.Item:
    made = pystac.Item(name, None, None, pd.Timestamp(when).to_pydatetime(), {})
    made.add_asset("data", pystac.Asset(str(path), media_type=media, roles=["data"], extra_fields=fields))
    return made


def dataset(
    days=3, start="2020-01-01", dtype="float32", names=("tas", "pr"), lon=None, lat=None
) -> xr.Dataset:
    lon = np.arange(5.0, 9.0, 0.5) if lon is None else lon
    lat = np.arange(50.0, 47.0, -0.5) if lat is None else lat
    rng = np.random.default_rng(len(names[0]) + days)
    shape = (days, len(lat), len(lon))
    variables = {
        name: (("time", "lat", "lon"), rng.integers(1, 100, shape).astype(dtype), {"units": "K"})
        for name in names
    }
    coords = {"time": pd.date_range(start, periods=days), "lat": ("lat", lat), "lon": ("lon", lon)}
    return xr.Dataset(variables, coords)


@pytest.mark.parametrize("form", ["nc", "zarr"])
def test_variables_become_bands(tmp_path, form):
    made = dataset()
    path = tmp_path / f"a.{form}"
    made.to_netcdf(path) if form == "nc" else made.to_zarr(path, consolidated=False)
    told = {"bands": [{"name": "tas"}, {"name": "pr", "eo:common_name": "rain"}]}
    cube = load([item(path, media=NETCDF if form == "nc" else ZARR, **told)], Wish())
    assert cube.dims == ("t", "bands", "y", "x")
    assert cube.bands.values.tolist() == ["tas", "pr"]
    for name in ("tas", "pr"):
        np.testing.assert_array_equal(cube.sel(bands=name).values, made[name].values)
    assert cube.chunks is not None
    types = {dim: cube.coords[dim].attrs["type"] for dim in cube.dims}
    assert types == {"t": "temporal", "bands": "bands", "y": "spatial", "x": "spatial"}
    assert (cube.x.attrs["axis"], cube.y.attrs["reference_system"], cube.odc.crs.epsg) == ("x", 4326, 4326)
    assert cube.t.dtype == "datetime64[ns]"
    np.testing.assert_array_equal(cube.t.values, made.time.values)
    assert cube.bands.attrs["bands"][1] == {
        "name": "pr",
        "common_name": "rain",
        "unit": "K",
        "data_type": "float32",
    }
    assert (
        load(
            [item(path, media=ZARR if form == "zarr" else NETCDF, **told)], Wish(bands=("rain",))
        ).bands.item()
        == "pr"
    )
    again = cloudpickle.loads(cloudpickle.dumps(cube))
    np.testing.assert_array_equal(again.values, cube.values)


def test_nothing_is_read_before(tmp_path, monkeypatch):
    path = tmp_path / "a.nc"
    dataset().to_netcdf(path)
    reads = []
    real = _Guarded.__getitem__
    monkeypatch.setattr(_Guarded, "__getitem__", lambda self, key: (reads.append(key), real(self, key))[1])
    cube = load([item(path)], Wish(chunks={"x": 4, "y": 3}))
    survey([item(path)], Wish())
    assert reads == []
    cube[:, 0, :2, :2].compute()
    assert len(reads) == 1


def test_integers_stay_and_packed_numbers_are_unpacked(tmp_path):
    made = dataset(dtype="int16", names=("mask", "packed"))
    made["mask"][0, 0, 0] = -9
    made["mask"].attrs["_FillValue"] = np.int16(-9)
    path = tmp_path / "a.nc"
    made["packed"] = made["packed"].astype("float32").where(made["packed"] > 50)
    made.to_netcdf(
        path,
        encoding={"packed": {"dtype": "int16", "scale_factor": 0.5, "add_offset": 3.0, "_FillValue": -1}},
    )
    mask = load([item(path)], Wish(bands=("mask",)))
    assert (mask.dtype, mask.attrs["nodata"]) == (np.int16, -9)
    np.testing.assert_array_equal(mask[:, 0].values, made["mask"].values)
    twin = xr.open_dataset(path, engine="netcdf4").load()
    packed = load([item(path)], Wish(bands=("packed",)))
    np.testing.assert_array_equal(packed[:, 0].values, twin.packed.values)
    both = load([item(path)], Wish())
    assert np.isnan(both.sel(bands="mask")[0, 0, 0])
    np.testing.assert_array_equal(both.sel(bands="packed").values, twin.packed.values)


def test_metadata_no_data_and_scale(tmp_path):
    made = dataset(dtype="int16", names=("b",))
    path = tmp_path / "a.nc"
    made.to_netcdf(path)
    told = {"bands": [{"name": "b", "nodata": 50, "raster:scale": 0.1, "raster:offset": 1}]}
    assert load([item(path, **told)], Wish()).attrs["nodata"] == 50
    cube = load([item(path, **told)], Wish(scale="metadata"))
    expected = np.where(made.b == 50, np.nan, made.b * 0.1 + 1)
    np.testing.assert_allclose(cube[:, 0].values, expected, rtol=1e-6)
    assert load([item(path, **told)], Wish(nodata=7)).attrs["nodata"] == 7


def test_items_follow_each_other_in_time(tmp_path):
    parts = [dataset(3, "2020-01-04"), dataset(2, "2020-01-01"), dataset(3, "2020-01-06")]
    items = []
    for n, part in enumerate(parts):
        part.to_netcdf(tmp_path / f"{n}.nc")
        items.append(item(tmp_path / f"{n}.nc", f"i{n}"))
    lines: list[str] = []
    cube = load(items, Wish(bands=("pr",)), log=lines.append)
    twin = xr.concat([parts[1], parts[0], parts[2].isel(time=slice(1, None))], "time").pr
    np.testing.assert_array_equal(cube[:, 0].values, twin.values)
    np.testing.assert_array_equal(cube.t.values, twin.time.values)
    assert lines == ["1 times stand in several items: the first counts"]


def test_items_of_other_variables_lie_side_by_side(tmp_path):
    first, second = (
        dataset(3, "2020-01-01", names=("tas",)),
        dataset(3, "2020-01-02", names=("pr",), dtype="int16"),
    )
    first.to_netcdf(tmp_path / "1.nc")
    second.to_netcdf(tmp_path / "2.nc")
    cube = load([item(tmp_path / "1.nc", "1"), item(tmp_path / "2.nc", "2")], Wish(bands=("pr", "tas")))
    assert cube.bands.values.tolist() == ["pr", "tas"]
    assert cube.sizes["t"] == 4
    np.testing.assert_array_equal(cube.sel(bands="pr")[1:].values, second.pr.values)
    assert np.isnan(cube.sel(bands="pr")[0]).all()
    assert np.isnan(cube.sel(bands="tas")[3]).all()


def test_a_file_without_time_gets_that_of_its_item(tmp_path):
    dataset(1).isel(time=0, drop=True).to_netcdf(tmp_path / "a.nc")
    dataset(1, "2021-07-08").isel(time=0).to_netcdf(tmp_path / "b.nc")
    assert load([item(tmp_path / "a.nc", when="2022-03-04")], Wish()).t.values.astype(
        "datetime64[D]"
    ) == np.datetime64("2022-03-04")
    assert load([item(tmp_path / "b.nc", when="2022-03-04")], Wish()).t.values.astype(
        "datetime64[D]"
    ) == np.datetime64("2021-07-08")


@pytest.mark.parametrize(
    ("lon", "box", "expected"),
    [
        (np.arange(0, 360, 10.0), (100, 141), [100, 110, 120, 130, 140]),
        (np.arange(0, 360, 10.0), (-100, -80), [260, 270, 280]),  # left as they are
        (np.arange(0, 360, 10.0), (-20, 11), [-20, -10, 0, 10]),  # across where they begin
        (np.arange(-180, 180, 10.0), (165, -165), [170, 180, 190]),
        (np.arange(0, 360, 10.0), (165, -165), [170, 180, 190]),
        (np.arange(350, -10, -10.0), (-20, 11), [10, 0, -10, -20]),
    ],
)
def test_boxes_and_longitudes(tmp_path, lon, box, expected):
    made = dataset(lon=lon, names=("tas",))
    made.to_netcdf(tmp_path / "a.nc")
    cube = load([item(tmp_path / "a.nc")], Wish(bbox=BBox(box[0], 48, box[1], 49.5)))
    assert cube.x.values.tolist() == expected
    assert cube.y.values.tolist() == [49.5, 49, 48.5, 48]
    pick = [int(np.flatnonzero(lon % 360 == x % 360)[0]) for x in expected]
    np.testing.assert_array_equal(cube[:, 0].values, made.tas.values[:, 1:5][:, :, pick])


def test_a_box_that_misses(tmp_path):
    dataset().to_netcdf(tmp_path / "a.nc")
    with pytest.raises(Problem, match="no pixel centre") as caught:
        load([item(tmp_path / "a.nc")], Wish(bbox=BBox(20, 48, 21, 49)))
    assert caught.value.code == "NoDataAvailable"


def test_other_dimensions_stay(tmp_path):
    made = dataset(names=("tas",)).expand_dims(member=[1, 2], height=[2.0, 10.0])
    made["height"].attrs |= {"positive": "up", "units": "m"}
    made.to_netcdf(tmp_path / "a.nc")
    cube = load([item(tmp_path / "a.nc")], Wish())
    assert set(cube.dims) == {"t", "bands", "member", "z", "y", "x"}
    assert cube.dims[:2] + cube.dims[-2:] == ("t", "bands", "y", "x")
    assert cube.member.attrs["type"] == "other"
    assert (cube.z.attrs["type"], cube.z.attrs["axis"]) == ("spatial", "z")
    assert survey([item(tmp_path / "a.nc")], Wish()).dims == cube.dims


@pytest.mark.filterwarnings("ignore:Dataset has no geotransform")
def test_another_crs_and_pixel_size(tmp_path):
    lon, lat = np.arange(5.05, 9, 0.1), np.arange(50.05, 47, -0.1)
    made = dataset(1, names=("tas",), lon=lon, lat=lat, dtype="int16")
    made["tas"][:] = np.arange(lat.size * lon.size).reshape(lat.size, lon.size)
    made.to_netcdf(tmp_path / "a.nc")
    box = BBox(6, 48, 7, 49)
    cube = load([item(tmp_path / "a.nc")], Wish(crs=3035, resolution=5000, bbox=box))
    assert cube.odc.crs.epsg == 3035
    assert cube.odc.geobox.resolution.xy == (5000, -5000)
    assert cube.dims == ("t", "bands", "y", "x")
    assert cube.attrs["nodata"] not in made.tas.values
    x, y = np.meshgrid(cube.x.values, cube.y.values)
    east, north = Transformer.from_crs(3035, 4326, always_xy=True).transform(x, y)
    cols, rows = (east - 5) / 0.1, (50.1 - north) / 0.1
    clear = (np.abs(cols - cols.round()) > 0.15) & (np.abs(rows - rows.round()) > 0.15)
    found = made.tas.values[0][np.floor(rows).astype(int), np.floor(cols).astype(int)]
    assert clear.mean() > 0.4
    np.testing.assert_array_equal(cube[0, 0].values[clear], found[clear])
    finer = load([item(tmp_path / "a.nc")], Wish(resolution=0.05, bbox=box))
    np.testing.assert_array_equal(
        finer[0, 0, ::2, ::2].values, load([item(tmp_path / "a.nc")], Wish(bbox=box))[0, 0].values
    )


def test_what_cannot_be_one_cube(tmp_path):
    dataset().to_netcdf(tmp_path / "a.nc")
    dataset(lat=np.arange(50.2, 47.2, -0.5)).to_netcdf(tmp_path / "b.nc")
    with pytest.raises(Problem, match="different y coordinates") as caught:
        load([item(tmp_path / "a.nc"), item(tmp_path / "b.nc", "b")], Wish())
    assert caught.value.code == "FormatUnsuitable"
    raster = pystac.Item("r", None, None, pd.Timestamp("2020-01-01").to_pydatetime(), {})
    raster.add_asset("b", pystac.Asset("/x.tif", media_type="image/tiff"))
    with pytest.raises(Problem, match="'r' holds rasters and item 'a' arrays"):
        load([item(tmp_path / "a.nc"), raster], Wish())
    with pytest.raises(Problem, match="no band 'ta'") as caught:
        load([item(tmp_path / "a.nc")], Wish(bands=("ta",)))
    assert "'tas'" in caught.value.hint


def test_files_that_cannot_be_read(tmp_path):
    path = tmp_path / "a.nc"
    with pytest.raises(Problem, match="asset 'data' of item 'a'") as caught:
        load([item(path)], Wish())
    assert caught.value.code == "FileNotFound"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(Problem) as caught:
        load([item(path)], Wish())
    assert caught.value.code == "FileContentInvalid"
    with pytest.raises(Problem, match="on the web"):
        load([item("https://example.org/a.nc")], Wish())
    with pytest.raises(Problem) as caught:
        load([item(tmp_path / "b.zarr", media=ZARR)], Wish())
    assert caught.value.code == "FileNotFound"


def test_a_damaged_chunk_is_named(tmp_path):
    path = tmp_path / "a.zarr"
    dataset(names=("tas",)).chunk({"time": 1}).to_zarr(path, consolidated=False)
    cube = load([item(path, media=ZARR)], Wish())
    damaged = next(
        p for p in sorted(path.rglob("*")) if "tas" in p.parts and p.is_file() and p.name != "zarr.json"
    )
    damaged.write_bytes(b"broken")
    with pytest.raises(Problem, match="asset 'data' of item 'a' cannot be read at ") as caught:
        cube.compute()
    assert caught.value.code == "FileContentInvalid"
    assert cloudpickle.loads(cloudpickle.dumps(caught.value)).facts == caught.value.facts


# ---------------------------------------------------------------------------------------------- real files
def real(data, *parts):
    path = data.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{path} is not here")
    return path


def test_sentinel_2_of_an_openeo_back_end(data):
    path = real(data, "fusets", "BIDS", "demo", "raw_s2_ndvi_field.nc")
    cube = load([item(path)], Wish(bands=("B08", "B04", "NDVI")))
    assert cube.shape == (33, 3, 57, 56)
    assert cube.odc.crs.epsg == 32630
    assert cube.odc.geobox.resolution.xy == (10, -10)
    nir, red, told = (cube.sel(bands=band).values for band in ("B08", "B04", "NDVI"))
    np.testing.assert_array_equal((nir - red) / (nir + red), told)
    to_utm = Transformer.from_crs(4326, 32630, always_xy=True)
    field = json.loads(path.with_name("field.geojson").read_text())
    rings = [list(to_utm.itransform(ring)) for ring in field["coordinates"]]
    polygon = {"type": "Polygon", "coordinates": rings}
    inside = ~geometry_mask([polygon], cube.odc.geobox.shape, cube.odc.geobox.transform)
    with path.with_name("mogpr_input.csv").open() as table:
        column = {row["date"][:10]: float(row["NDVI"]) for row in csv.DictReader(table) if row["NDVI"]}
    days = cube.t.values.astype("datetime64[D]").astype(str)
    means = {day: float(np.nanmean(plane[inside])) for day, plane in zip(days, told, strict=True)}
    assert len(column) == 33
    assert means == pytest.approx(column, abs=1e-6)


def test_a_calendar_of_360_days(data):
    path = real(data, "iris_climate", "E1_north_america.nc")
    cube = load([item(path)], Wish())
    assert cube.sizes["t"] == 240
    assert cube.t.values[0].calendar == "360_day"
    assert cube.x.values[[0, -1]].tolist() == [225, 315]
    assert float(cube.mean()) == pytest.approx(286.0358, abs=1e-3)
    assert float(cube[-30:].mean() - cube[:30].mean()) == pytest.approx(2.577, abs=1e-3)
    part = load([item(path)], Wish(bbox=BBox(-100, 30, -90, 40)))
    assert part.x.values.min() >= 260
    assert part.x.values.max() <= 270
    assert survey([item(path)], Wish()).json()["times"][0] == "1860-06-01 00:00:00"


def test_a_rotated_pole(data):
    path = real(data, "iris_climate", "rotated_pole.nc")
    cube = load([item(path)], Wish(bbox=BBox(-5, 50, 5, 60)))
    assert isinstance(cube.x.attrs["reference_system"], str)
    assert 0 < cube.sizes["x"] < 36
    assert 0 < cube.sizes["y"] < 22


def test_sea_ice_in_zarr(data, tmp_path):
    with zipfile.ZipFile(real(data, "stars", "zarr", "sic_daily_sample.zarr.zip")) as packed:
        packed.extractall(tmp_path)
    path = tmp_path / "sic_daily_sample.zarr"
    cube = load([item(path, media=ZARR)], Wish(bbox=BBox(-60, -75, -50, -65)))
    twin = xr.open_dataset(path, engine="zarr", consolidated=True).siconc.sel(
        longitude=slice(-60, -50), latitude=slice(-75, -65)
    )
    np.testing.assert_array_equal(cube[:, 0].values, twin.values)
    assert np.isfinite(cube.values).any()
