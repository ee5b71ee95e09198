"""Workflows of the openEO client for Python against `gdc serve --demo`, each to a file that is looked into."""

from __future__ import annotations

import numpy as np
import openeo
import pytest
import xarray as xr
from openeo.processes import array_concat, quantiles

from gdc import Server

pytestmark = pytest.mark.slow
BOX = {"west": 679720, "east": 680680, "south": 5151080, "north": 5151920, "crs": 32632}
JUNE, ONE_DAY = ("2022-06-01", "2022-07-01"), ("2022-06-01", "2022-06-03")


@pytest.fixture(scope="module")
def connection(tmp_path_factory):
    """A client of the demo, logged in as its user."""
    server = Server("--demo", home=tmp_path_factory.mktemp("demo")).ready()
    yield openeo.connect(f"{server.url}/openeo/1.2/").authenticate_basic("demo", "demo")
    server.stop()


@pytest.fixture
def june(connection):
    """Red and near infrared of a month."""
    return connection.load_collection("S2", spatial_extent=BOX, temporal_extent=JUNE, bands=["B04", "B08"])


@pytest.fixture
def day(connection):
    """Red and near infrared of one day."""
    return connection.load_collection("S2", spatial_extent=BOX, temporal_extent=ONE_DAY, bands=["B04", "B08"])


def got(cube, folder) -> xr.DataArray:
    """The cube that comes back as NetCDF; bands are variables of the file."""
    cube.download(folder / "out.nc")
    with xr.open_dataset(folder / "out.nc", decode_coords="all") as opened:
        data = opened.load()
    return data.to_dataarray("bands") if len(data) > 1 else next(iter(data.data_vars.values()))


def ndvi(data):
    red, nir = data.array_element(index=0), data.array_element(index=1)
    return (nir - red) / (nir + red)


def test_what_is_loaded_is_what_was_asked_for(june, tmp_path):
    data = got(june, tmp_path)
    assert dict(data.sizes) == {"bands": 2, "t": 3, "y": 84, "x": 96}
    assert (float(data.x[0]), float(data.y[0])) == (679725, 5151915)


def test_a_geotiff_of_one_day(day, tmp_path):
    import rasterio

    day.filter_bands(["B08"]).download(tmp_path / "out.tif")
    with rasterio.open(tmp_path / "out.tif") as raster:
        assert (raster.count, raster.width, raster.height, raster.crs.to_epsg()) == (1, 96, 84, 32632)


def test_cells_are_changed_one_by_one(day, tmp_path):
    assert got(day.filter_bands(["B04"]).apply(lambda x: x.clip(0, 1)), tmp_path).max() == 1


def test_bands_are_reduced(day, tmp_path):
    by_index = got(day.reduce_dimension(dimension="bands", reducer=ndvi), tmp_path)
    assert set(by_index.dims) == {"t", "y", "x"}

    def by_label(data):
        red, nir = data.array_element(label="B04"), data.array_element(label="B08")
        return (nir - red) / (nir + red)

    xr.testing.assert_equal(
        by_index, got(day.reduce_dimension(dimension="bands", reducer=by_label), tmp_path)
    )
    mask = got(day.reduce_dimension(dimension="bands", reducer=ndvi) > 0.75, tmp_path)
    assert set(np.unique(mask)) == {0, 1}


def test_a_dimension_is_added(day, tmp_path):
    cube = day.reduce_dimension(dimension="bands", reducer=ndvi).add_dimension("bands", "NDVI", type="bands")
    cube.download(tmp_path / "out.nc")
    with xr.open_dataset(tmp_path / "out.nc") as data:
        assert "NDVI" in data.data_vars


def test_quantiles_take_the_place_of_bands(day, tmp_path):
    data = got(day.apply_dimension(process=lambda d: quantiles(d, probabilities=[0.5, 0.75]), dimension="bands"), tmp_path)  # fmt: skip
    assert list(data.bands.values) == ["B04", "B08"]


def test_quantiles_over_time_become_bands(connection, june, tmp_path):
    red = june.filter_bands(["B04"])
    cube = red.apply_dimension(
        process=lambda d: quantiles(d, probabilities=[0.25, 0.5, 0.75]),
        dimension="t",
        target_dimension="bands",
    )
    data = got(cube, tmp_path)
    assert [str(b) for b in data.bands.values] == ["0", "1", "2"]
    assert (data.isel(bands=0) <= data.isel(bands=2)).all()


def test_an_index_stands_beside_its_bands(day, tmp_path):
    data = got(day.apply_dimension(dimension="bands", process=lambda d: array_concat(d, ndvi(d))), tmp_path)
    assert set(data.dims) == {"bands", "t", "y", "x"}
    assert [str(b) for b in data.bands.values] == ["0", "1", "2"]
    assert abs(data.isel(bands=2)).max() <= 1


def test_times_are_reduced_and_merged(june, tmp_path):
    red = june.filter_bands(["B04"])
    mean, median = (red.reduce_dimension(dimension="t", reducer=r) for r in ("mean", "median"))
    data = got(mean.merge_cubes(median, overlap_resolver="subtract"), tmp_path)
    assert {"y", "x"} <= set(data.dims)
    assert "t" not in data.dims


def test_times_are_aggregated(june, tmp_path):
    weeks = [["2022-06-01", "2022-06-07"], ["2022-06-07", "2022-06-14"], ["2022-06-14", "2022-06-21"]]
    assert got(june.aggregate_temporal(intervals=weeks, reducer="sd"), tmp_path).sizes["t"] == 3
    assert got(june.aggregate_temporal_period(period="week", reducer="sum"), tmp_path).sizes["t"] == 5
