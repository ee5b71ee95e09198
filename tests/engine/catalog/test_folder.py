"""Folders of files: each file is an item that says what rasterio and xarray say of the file."""

import os
from datetime import UTC, datetime
from pathlib import Path

import cftime
import numpy as np
import pandas as pd
import pytest
import rasterio
import xarray as xr

from engine.catalog import Query
from engine.catalog.folder import date_in, item_of
from engine.errors import Problem


def test_a_geotiff_says_what_rasterio_says(catalog, tmp_path, tiff):
    path = tiff(tmp_path / "scenes" / "S2_20220601T103021.tif", bands=2, names=("B04", "B08"), nodata=0)
    with rasterio.open(path, "r+") as target:
        target.scales, target.offsets = (0.0001, 1.0), (-0.1, 0.0)
        target.units = ("1", "K")
    (added,) = catalog.add(path.parent)
    assert (added.collection, added.items_new) == ("scenes", 1)
    (one,) = catalog.search(Query("scenes")).items
    with rasterio.open(path) as source:
        assert one.properties["proj:code"] == str(source.crs)
        assert one.properties["proj:shape"] == list(source.shape)
        assert one.properties["proj:transform"] == list(source.transform)[:6]
        bounds = rasterio.warp.transform_bounds(source.crs, "EPSG:4326", *source.bounds)
    assert one.bbox == pytest.approx(bounds, abs=1e-7)
    assert one.datetime == datetime(2022, 6, 1, 10, 30, 21, tzinfo=UTC)
    assert one.properties["gdc:datetime_source"] == "file name"
    asset = one.assets["data"].to_dict()
    assert (asset["href"], asset["type"], asset["roles"]) == (
        str(path),
        "image/tiff; application=geotiff",
        ["data"],
    )
    assert asset["bands"] == [
        {
            "name": "B04",
            "data_type": "uint16",
            "nodata": 0,
            "raster:scale": 0.0001,
            "raster:offset": -0.1,
            "unit": "1",
        },
        {"name": "B08", "data_type": "uint16", "nodata": 0, "unit": "K"},
    ]
    assert asset["raster:bands"][0] == {
        "data_type": "uint16",
        "nodata": 0,
        "scale": 0.0001,
        "offset": -0.1,
        "unit": "1",
    }
    dims = catalog.collection("scenes")["cube:dimensions"]
    assert dims["bands"]["values"] == ["B04", "B08"]
    assert dims["x"] == {
        "type": "spatial",
        "axis": "x",
        "extent": [500000, 500080],
        "reference_system": 32631,
        "step": 10,
    }


def test_what_json_has_no_number_for(tmp_path, tiff):
    path = tiff(
        tmp_path / "x_20200101.tif",
        dtype="float32",
        nodata=float("nan"),
        crs=rasterio.CRS.from_proj4("+proj=laea +lat_0=10 +lon_0=20 +datum=WGS84"),
    )
    one = item_of(path, "x")
    assert one["assets"]["data"]["bands"] == [{"name": "band_1", "data_type": "float32", "nodata": "nan"}]
    assert one["properties"]["proj:code"] is None
    assert "Lambert Azimuthal Equal Area" in one["properties"]["proj:wkt2"]


def test_time_out_of_the_file_goes_before_its_name_and_that_before_its_age(tmp_path, tiff):
    told = tiff(tmp_path / "a_20220601.tif", tags={"TIFFTAG_DATETIME": "2019:03:04 05:06:07"})
    named, silent = (
        tiff(tmp_path / "b_2022-06-01.tif"),
        tiff(tmp_path / "c.tif", tags={"TIFFTAG_DATETIME": "soon"}),
    )
    os.utime(silent, (1_600_000_000, 1_600_000_000))
    times = [item_of(p, "x")["properties"] for p in (told, named, silent)]
    assert [(t["datetime"], t["gdc:datetime_source"]) for t in times] == [
        ("2019-03-04T05:06:07Z", "file metadata"),
        ("2022-06-01T00:00:00Z", "file name"),
        ("2020-09-13T12:26:40Z", "modification time of the file"),
    ]


@pytest.mark.parametrize(
    ("name", "date"),
    [
        ("LC08_L1TP_013032_20180131_20180207_01_T1_B4.TIF", "2018-01-31T00:00:00"),
        ("S2A_MSIL2A_20180131T103021_N0206.tif", "2018-01-31T10:30:21"),
        ("ndvi-2018-01-31.tif", "2018-01-31T00:00:00"),
        ("3B42_Daily.19991231.7.nc", "1999-12-31T00:00:00"),
        ("x_20181399_20180131.tif", "2018-01-31T00:00:00"),
        ("x_2018-0131.tif", None),
        ("x_120180131.tif", None),
        ("x_01230131.tif", None),
        ("x_20180131T990000.tif", None),
        ("dem.tif", None),
    ],
)
def test_dates_in_names(name, date):
    found = date_in(name)
    assert (found and found.replace(tzinfo=None).isoformat()) == date


def test_ids_do_not_collide_and_stay(catalog, tmp_path, tiff):
    top = tmp_path / "many"
    for name in (
        "a_20200101.tif",
        "sub/a_20200101.tif",
        "sub/deeper/b_20200101.tiff",
        ".hidden/c_20200101.tif",
    ):
        tiff(top / name)
    xr.Dataset({"v": ("t", [1.0])}).to_netcdf(top / "a_20200101.nc")
    (top / "read.me").write_text("x")
    catalog.add(top)
    assert {i.id for i in catalog.search(Query("many")).items} == {
        "a_20200101.tif",
        "a_20200101.nc",
        "sub-a_20200101",
        "sub-deeper-b_20200101",
    }
    assert [a.items_updated for a in catalog.add(top)] == [4]


def test_a_single_file_and_a_name_for_the_collection(catalog, tmp_path, tiff):
    path = tiff(tmp_path / "one_20200101.tif")
    assert catalog.add(path)[0].collection == "one_20200101"
    assert catalog.add(path, collection="mine")[0].collection == "mine"
    assert catalog.add(tmp_path, collection="mine")[0].items_updated == 1


def test_other_drivers_by_their_own_names(tmp_path, tiff):
    flat = {"dtype": "uint8", "bands": 3}
    kinds = {
        "x_20200101.jp2": ("JP2OpenJPEG", "image/jp2"),
        "y_20200101.tif": ("COG", "image/tiff; application=geotiff; profile=cloud-optimized"),
    }
    for name, (driver, media) in kinds.items():
        path = tiff(tmp_path / name, driver=driver, size=(64, 64), **flat)
        assert item_of(path, "x")["assets"]["data"]["type"] == media


VRT = '<VRTDataset rasterXSize="8" rasterYSize="6"><VRTRasterBand dataType="UInt16" band="1"><SimpleSource><SourceFilename>{0}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>'


@pytest.mark.parametrize("name", ["evil.tif", "evil.jp2", "evil.nc"])
def test_a_file_that_is_not_what_its_name_says_stays_shut_and_nothing_is_stored(
    catalog, tmp_path, tiff, name
):
    good = tiff(tmp_path / "f" / "a_20200101.tif")
    (tmp_path / "f" / name).write_text(VRT.format(good))
    with pytest.raises(Problem) as caught:
        catalog.add(tmp_path / "f")
    assert caught.value.code == "FileContentInvalid"
    assert name in caught.value.message
    assert catalog.collections() == []


@pytest.mark.parametrize("crs", [None, "gcps"])
def test_a_raster_without_a_place_is_refused(catalog, tmp_path, tiff, crs):
    path = tiff(tmp_path / "a.tif", crs=None)
    if crs:
        with rasterio.open(path, "r+") as target:
            target.gcps = (
                [rasterio.control.GroundControlPoint(r, c, c, r) for r in (0, 5) for c in (0, 5)],
                "EPSG:4326",
            )
    with pytest.raises(
        Problem, match="only ground control points" if crs else "no coordinate reference system"
    ):
        catalog.add(path)


def test_an_empty_folder_says_what_is_there(catalog, tmp_path):
    (tmp_path / "f").mkdir()
    with pytest.raises(Problem, match="no files at all") as caught:
        catalog.add(tmp_path / "f")
    assert caught.value.code == "FileNotFound"
    (tmp_path / "f" / "notes.txt").write_text("x")
    with pytest.raises(Problem, match=r"1 x \.txt"):
        catalog.add(tmp_path / "f")


def grid(names=("lat", "lon"), count=3, **attrs):
    y, x = names
    times = pd.date_range("2020-01-01", periods=count, freq="D")
    cube = xr.Dataset(
        {
            "ndvi": (
                ("time", y, x),
                np.zeros((count, 4, 6), "int16"),
                {"_FillValue": np.int16(-1), "units": "1", "long_name": "Greenness"} | attrs,
            ),
            "crs": ((), 0),
        },
        {
            "time": times,
            y: (y, np.arange(50.0, 46.0, -1), {"units": "degrees_north"}),
            x: (x, np.arange(5.0, 11.0), {"units": "degrees_east"}),
        },
    )
    cube.time.encoding["units"] = "hours since 2000-01-01"
    return cube


def save(cube, path: Path):
    if path.suffix == ".zarr":
        cube.to_zarr(path, consolidated=False, zarr_format=2)
    else:
        cube.to_netcdf(path)
    return path


@pytest.mark.parametrize("suffix", [".nc", ".zarr"])
def test_arrays_bring_their_own_dimensions(catalog, tmp_path, suffix):
    (tmp_path / "cubes").mkdir()
    save(grid(), tmp_path / "cubes" / f"a{suffix}")
    (added,) = catalog.add(tmp_path / "cubes")
    assert added.items_new == 1
    (one,) = catalog.search(Query("cubes")).items
    assert one.bbox == [4.5, 46.5, 10.5, 50.5]
    assert one.datetime is None
    assert (one.properties["start_datetime"], one.properties["end_datetime"]) == (
        "2020-01-01T00:00:00Z",
        "2020-01-03T00:00:00Z",
    )
    assert one.properties["proj:transform"] == [1, 0, 4.5, 0, -1, 50.5]
    asset = one.assets["data"].to_dict()
    assert asset["type"] == {".nc": "application/x-netcdf", ".zarr": "application/vnd+zarr"}[suffix]
    assert asset["bands"] == [
        {"name": "ndvi", "data_type": "int16", "nodata": -1, "unit": "1", "description": "Greenness"}
    ]
    own = one.extra_fields["cube:dimensions"]
    assert own["lat"] == {
        "type": "spatial",
        "axis": "y",
        "extent": [46.5, 50.5],
        "reference_system": 4326,
        "step": 1,
    }
    assert own["time"]["values"] == ["2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z", "2020-01-03T00:00:00Z"]
    assert one.extra_fields["cube:variables"]["ndvi"]["dimensions"] == ["time", "lat", "lon"]
    assert one.extra_fields["cube:variables"]["crs"]["type"] == "auxiliary"
    whole = catalog.collection("cubes")["cube:dimensions"]
    assert set(whole) == {"time", "lat", "lon", "bands"}
    assert whole["bands"]["values"] == ["ndvi"]
    hit = catalog.search(
        Query("cubes", (10, 50, 20, 60), datetime(2020, 1, 3, tzinfo=UTC), datetime(2020, 1, 4, tzinfo=UTC))
    )
    assert len(hit.items) == 1


def test_consolidated_zarr_of_both_formats(tmp_path):
    grid().to_zarr(tmp_path / "two.zarr", consolidated=True, zarr_format=2)
    grid().to_zarr(tmp_path / "three.zarr", consolidated=False, zarr_format=3)
    two, three = (item_of(tmp_path / f"{n}.zarr", n) for n in ("two", "three"))
    assert two["cube:dimensions"] == three["cube:dimensions"]


def test_one_instant_is_a_datetime(tmp_path):
    one = item_of(save(grid(count=1), tmp_path / "a.nc"), "a")
    assert one["properties"]["datetime"] == "2020-01-01T00:00:00Z"


def test_a_projected_grid_by_its_grid_mapping(tmp_path):
    from pyproj import CRS

    cube = grid(("y", "x"), grid_mapping="crs")
    cube = cube.assign_coords(x=("x", 500005.0 + 10 * np.arange(6)), y=("y", 5000000.0 - 10 * np.arange(4)))
    cube["crs"].attrs = CRS.from_epsg(32631).to_cf()
    one = item_of(save(cube, tmp_path / "a.nc"), "a")
    assert one["properties"]["proj:code"] == "EPSG:32631"
    assert one["cube:dimensions"]["x"] == {
        "type": "spatial",
        "axis": "x",
        "extent": [500000, 500060],
        "reference_system": 32631,
        "step": 10,
    }
    assert one["bbox"][0] == pytest.approx(3.0, abs=1e-3)


def test_days_that_only_a_model_has(tmp_path):
    cube = grid()
    cube = cube.assign_coords(time=[cftime.Datetime360Day(2000, 2, day) for day in (28, 29, 30)])
    one = item_of(save(cube, tmp_path / "a.nc"), "a")
    assert one["properties"]["start_datetime"] == "2000-02-28T00:00:00Z"
    assert one["properties"]["end_datetime"] == "2000-02-29T00:00:00Z"


def test_arrays_that_lie_nowhere_have_no_geometry(catalog, tmp_path):
    save(xr.Dataset({"v": (("station", "time"), np.zeros((2, 3)))}), tmp_path / "series_20200101.nc")
    catalog.add(tmp_path / "series_20200101.nc")
    found = catalog.search(Query("series_20200101", bbox=(0, 0, 1, 1))).items
    assert [i.geometry for i in found] == [None]


def test_broken_arrays_name_themselves(tmp_path):
    (tmp_path / "a.nc").write_bytes(b"CDF\x01 and then nothing")
    (tmp_path / "b.zarr").mkdir()
    (tmp_path / "b.zarr" / ".zgroup").write_text("{")
    for name in ("a.nc", "b.zarr"):
        with pytest.raises(Problem, match=name) as caught:
            item_of(tmp_path / name, "x")
        assert caught.value.code == "FileContentInvalid"
