"""Real data that are odd: downloaded as GeoTIFF and NetCDF they are the cells of the source, or are refused with a reason.

Skipped where the data are not here.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import rasterio
import xarray as xr
from rasterio.warp import transform_bounds

from coverage_of import Coverage
from engine import Settings
from engine.catalog import Catalog
from engine.domain.alike import refuse_other
from engine.domain.cubes import domain_of
from engine.errors import Problem, Problems
from engine.service import Engine

TIFF, NETCDF, ZARR = "image/tiff", "application/x-netcdf", "application/vnd+zarr"
FILES = {
    "antimeridian": ("rio_tiler/cog_dateline.tif", TIFF), "geostationary": ("rasterio/goes.tif", TIFF),
    "rotated": ("stars/tif/geomatrix.tif", TIFF), "points": ("rio_tiler/cog_gcps.tif", TIFF),
    "europa": ("rio_tiler/cog_nonearth.tif", TIFF), "corrupt": ("rasterio/corrupt.tif", TIFF), "empty": ("rasterio/all-nodata.tif", TIFF),
    "world": ("rasterio/world.rgb.tif", TIFF), "pole": ("iris_climate/rotated_pole.nc", NETCDF),
    "days360": ("iris_climate/E1_north_america.nc", NETCDF), "curvilinear": ("stars/nc/test_stageiv_xyt.nc", NETCDF),
    "levels": ("xarray_data/eraint_uvz.nc", NETCDF), "antarctic": ("stars/zarr/sic_daily_sample.zarr.zip", ZARR),
}  # fmt: skip
RING = [[-180, -90], [180, -90], [180, 90], [-180, 90], [-180, -90]]


pytestmark = pytest.mark.filterwarnings("ignore:variable .* has non-conforming:xarray.SerializationWarning")


@dataclass
class Odd:
    """The data as collections."""

    engine: Engine
    data: Path
    folder: Path

    def coverage(self, name: str) -> Coverage:
        """One of them as a coverage; all of its cells are not read."""
        lazy = self.engine.lazy(
            {"load": {"process_id": "load_collection", "arguments": {"id": name, "spatial_extent": None, "temporal_extent": None}, "result": True}}
        )  # fmt: skip
        return Coverage(self.engine, name, domain_of(lazy), lazy)

    def download(self, name: str, form: str, **asked: str) -> Path | None:
        """A file as the server makes it; none where nothing is asked for."""
        made = self.coverage(name).plan(form, **asked)
        if made is None:
            return None

        def look(value):
            refuse_other(made.domain, domain_of(value))

        out = self.folder / f"{name}-{form}-{len(list(self.folder.iterdir()))}"
        try:
            (written,) = self.engine.deliver(made.process, out, look=look)
        except (Problem, Problems):
            if made.wide is None:
                raise
            (written,) = self.engine.deliver(made.wide, out, look=look)
        (asset,) = written.assets
        return Path(asset.href)


@pytest.fixture(scope="module")
def odd(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("odd")
    with zipfile.ZipFile(data / FILES["antarctic"][0]) as archive:
        archive.extractall(folder)
    catalog = Catalog(folder / "catalog.sqlite")
    for name, (path, kind) in FILES.items():
        href = folder / "sic_daily_sample.zarr" if kind == ZARR else data / path
        told = {
            "type": "Feature", "stac_version": "1.0.0", "id": name, "links": [], "bbox": [-180, -90, 180, 90],
            "geometry": {"type": "Polygon", "coordinates": [RING]}, "properties": {"datetime": "2022-06-12T00:00:00Z"},
            "assets": {"data": {"href": str(href), "type": kind, "roles": ["data"]}},
        }  # fmt: skip
        (folder / "item.json").write_text(json.dumps(told))
        catalog.add(folder / "item.json", collection=name)
    catalog.close()
    with Engine(Settings(home=folder / "home", catalog=folder / "catalog.sqlite")) as engine:
        (folder / "out").mkdir()
        yield Odd(engine, data, folder / "out")


def cells_of(path: Path) -> np.ndarray:
    """The first variable or band of a file, north up, without time."""
    if path.suffix == ".tif":
        with rasterio.open(path) as file:
            return file.read(1)
    with xr.open_dataset(path, mask_and_scale=False, decode_times=False) as found:
        name = next(n for n in found.data_vars if "spatial_ref" not in n and found[n].ndim >= 2)
        cells = found[name]
        y = cells.dims[-2]
        return cells.sortby(y, ascending=False).values.reshape(-1, *cells.shape[-2:])[-1]


@pytest.mark.parametrize("form", ["geotiff", "netcdf"])
@pytest.mark.parametrize("name", ["antimeridian", "geostationary", "world", "empty"])
def test_rasters_are_what_their_files_hold(odd, name, form):
    found = cells_of(odd.download(name, form))
    with rasterio.open(odd.data / FILES[name][0]) as file:
        np.testing.assert_array_equal(found, file.read(1))
        if form == "geotiff":
            return
        assert len(np.unique(found)) == len(np.unique(file.read(1)))


@pytest.mark.parametrize("form", ["geotiff", "netcdf"])
@pytest.mark.parametrize(
    ("name", "variable", "index"),
    [("pole", "air_pressure_at_sea_level", {}), ("days360", "air_temperature", {"time": -1}), ("antarctic", "siconc", {"time": -1})],
)  # fmt: skip
def test_arrays_are_what_their_files_hold(odd, name, variable, index, form):
    path = odd.folder.parent / "sic_daily_sample.zarr" if name == "antarctic" else odd.data / FILES[name][0]
    with xr.open_dataset(path, decode_times=False, engine="zarr" if name == "antarctic" else None) as source:
        cells = source[variable].isel(index).squeeze()
        wanted = cells.sortby(cells.dims[-2], ascending=False).values
    np.testing.assert_allclose(cells_of(odd.download(name, form)), wanted, rtol=1e-6)


def test_a_rotated_grid_is_put_upright(odd):
    """By the nearest cell: no other values than those of the file come of it, and most of them do."""
    found = cells_of(odd.download("rotated", "geotiff"))
    with rasterio.open(odd.data / FILES["rotated"][0]) as file:
        there = set(np.unique(file.read(1)).tolist())
    new = set(np.unique(found).tolist()) - {-1}
    assert new <= there
    assert len(new) > 0.7 * len(there)


def test_a_calendar_of_360_days_keeps_its_days(odd):
    path = odd.download("days360", "netcdf", subset='time("1900-01-01":"1910-01-01"),Lat(30:31)')
    with xr.open_dataset(path) as found, xr.open_dataset(odd.data / FILES["days360"][0]) as source:
        wanted = source.air_temperature.sel(time=slice("1900", "1909")).sel(
            latitude=slice(30 - 0.7, 31 + 0.7)
        )
        assert found.t.dt.calendar == "360_day"
        assert found.t.values.tolist() == wanted.time.values.tolist()
        np.testing.assert_allclose(
            found.air_temperature.sortby("y").values, wanted.sortby("latitude").values, rtol=1e-6
        )


@pytest.mark.parametrize(
    ("name", "asked", "box"),
    [
        ("geostationary", {"bbox": "-100,20,-80,35"}, (-100, 20, -80, 35)),
        ("geostationary", {"bbox": "-100,20,-80,35", "crs": "EPSG:4326"}, (-100, 20, -80, 35)),
        ("antimeridian", {"bbox": "178.5,51,179,52", "crs": "EPSG:4326"}, (178.5, 51, 179, 52)),
        ("antimeridian", {"bbox": "178.5,51,179,52", "scale_factor": "4"}, (178.5, 51, 179, 52)),
        ("antarctic", {"bbox": "-60,-75,-50,-70", "scale_factor": "2"}, (-60, -75, -50, -70)),
        ("world", {"bbox": "170,-10,-170,10"}, (170, -10, 190, 10)),
    ],
)  # fmt: skip
def test_a_part_is_around_its_box(odd, name, asked, box):
    with rasterio.open(odd.download(name, "geotiff", **asked)) as file:
        found = (
            file.bounds if file.crs.is_geographic else transform_bounds(file.crs, "EPSG:4326", *file.bounds)
        )
    west, south, east, north = box
    slack = 2.5
    assert found[0] <= west + 0.5
    assert found[1] <= south + 0.5
    assert found[2] >= east - 0.5
    assert found[3] >= north - 0.5
    assert found[0] > west - 4 * slack
    assert found[3] < north + 2 * slack


@pytest.mark.parametrize("form", ["geotiff", "netcdf"])
@pytest.mark.parametrize(
    ("name", "asked", "word"),
    [
        ("geostationary", {"crs": "EPSG:4326"}, "beyond where"), ("antimeridian", {"crs": "EPSG:4326"}, "antimeridian"),
        ("antimeridian", {"bbox": "179,50,-179,53", "crs": "EPSG:4326"}, "antimeridian"), ("levels", {"scale_size": "level(2)"}, "not resampled"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_a_way_out(odd, name, asked, word, form):
    if name == "levels" and form == "geotiff":
        asked = {**asked, "subset": "month(1),level(500)"}
    with pytest.raises(Problem) as told:
        odd.download(name, form, **asked)
    assert told.value.code == "ParameterInvalid"
    assert word in told.value.message
    assert told.value.hint


def test_several_levels_are_no_image(odd):
    with pytest.raises(Problem, match="month has 2 places"):
        odd.download("levels", "geotiff")
    assert odd.download("levels", "geotiff", subset="month(1),level(500)", properties="u") is not None


@pytest.mark.parametrize(
    ("name", "code", "word"),
    [("points", "FileContentInvalid", "where its pixels lie"), ("curvilinear", "FileContentInvalid", "grid mapping"), ("europa", "FormatUnsuitable", "Earth")],
)  # fmt: skip
def test_what_is_nowhere_is_no_coverage(odd, name, code, word):
    with pytest.raises(Problem) as told:
        odd.coverage(name)
    assert told.value.code == code
    assert word in told.value.message


def test_a_broken_file_is_named(odd):
    with pytest.raises(Problem, match=r"corrupt\.tif"):
        odd.download("corrupt", "geotiff")
