"""Parts of real data, held against xarray's own selection; skipped where the data are not here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from coverage_of import Coverage, opened
from engine import Settings
from engine.catalog import Catalog
from engine.service import Engine

NETCDF = {
    "five": "openeo_localprocessing/sample_netcdf/sample_5D.nc",
    "tmmx": "rioxarray/input/tmmx_20190121.nc",
    "planet": "rioxarray/input/PLANET_SCOPE_3D.nc",
}
LANDSAT = "gdalcubes_L8NY18/L8NY18"
WORLD = [[[-180, -90], [180, -90], [180, 90], [-180, 90], [-180, -90]]]


def item(id_: str, file: Path) -> dict:
    return {
        "type": "Feature", "stac_version": "1.0.0", "id": id_, "links": [], "bbox": [-180, -90, 180, 90],
        "geometry": {"type": "Polygon", "coordinates": WORLD}, "properties": {"datetime": "2022-06-12T00:00:00Z"},
        "assets": {"data": {"href": str(file), "type": "application/x-netcdf", "roles": ["data"]}},
    }  # fmt: skip


@pytest.fixture(scope="module")
def real(data, tmp_path_factory):
    """Gives collections by name, each with all of its cells."""
    folder = tmp_path_factory.mktemp("real")
    catalog = Catalog(folder / "catalog.sqlite")
    for name, path in NETCDF.items():
        (folder / f"{name}.json").write_text(json.dumps(item(name, data / path)))
        catalog.add(folder / f"{name}.json", collection=name)
    catalog.add(data / LANDSAT, collection="landsat")
    catalog.close()
    with Engine(Settings(home=folder / "home", catalog=folder / "catalog.sqlite")) as engine:
        known: dict[str, Coverage] = {}
        yield lambda name: known.get(name) or known.setdefault(name, opened(engine, name))


@pytest.mark.parametrize(
    ("name", "asked", "chosen"),
    [
        ("five", {"subset": "number(7),level(850),Lat(44:45),Lon(6:8)"},
         {"number": 7, "level": 850, "y": slice(44 - 0.034, 45 + 0.034), "x": slice(6 - 0.034, 8 + 0.034)}),
        ("five", {"subset": 'number(3:5),time("2016-02-01":"2016-02-03")'},
         {"number": slice(3, 5), "t": slice("2016-02-01", "2016-02-03")}),
        ("five", {"subset": "level(*),number(*:2),time(2016-05-01T00:00:00Z)"},
         {"level": 850, "number": slice(0, 2), "t": "2016-05-01"}),
        ("tmmx", {"bbox": "-110,35,-109,36"}, {"y": slice(36 + 0.021, 35 - 0.021), "x": slice(-110 - 0.021, -109 + 0.021)}),
        ("planet", {"subset": "E(466270:466280)"}, {"x": slice(466269, 466281)}),
        ("planet", {"datetime": "2016-12-29/..", "properties": "green"}, {"t": slice("2016-12-29", None), "bands": ["green"]}),
        ("landsat", {"datetime": "2018-04-01/2018-06-01", "subset": "E(400000:450000)"},
         {"t": slice("2018-04-01", "2018-06-01"), "x": slice(400000 - 1512, 450000 + 1512)}),
    ],
)  # fmt: skip
def test_parts_are_slices(real, name, asked, chosen):
    coverage = real(name)
    got = coverage.get(**asked)
    wanted = coverage.full.sel(chosen)
    assert got.size
    assert got.dims == wanted.dims
    np.testing.assert_array_equal(got.values, wanted.values)


@pytest.mark.parametrize(("name", "factor"), [("tmmx", 2), ("tmmx", 3), ("landsat", 2), ("five", 3)])
def test_coarser_cells_are_means(real, name, factor):
    coverage = real(name)
    one = {"five": "number(0),level(500)"}.get(name)
    got = coverage.get(scale_factor=str(factor), datetime="../..", **({"subset": one} if one else {}))
    full = coverage.full if one is None else coverage.full.sel(number=0, level=500)
    full = full.where(full != full.attrs["nodata"]) if "nodata" in full.attrs else full
    got = got.where(got != got.attrs["nodata"]) if "nodata" in got.attrs else got
    if coverage.domain.axis("y").step > 0:
        full = full.isel(y=slice(None, None, -1))
    assert got.shape[-2:] == tuple(int(n / factor + 0.5) for n in full.shape[-2:])
    means = full.astype(float).coarsen(y=factor, x=factor, boundary="trim").mean()
    if full.shape[-1] % factor == 0 and full.shape[-2] % factor == 0:
        aligned: xr.DataArray = got.astype(float)
        np.testing.assert_allclose(aligned.values, means.values, atol=1.0)
