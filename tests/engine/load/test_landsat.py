"""Real scenes: 19 Landsat items around New York whose grids all differ, against plain odc-stac."""

from __future__ import annotations

import dask
import numpy as np
import odc.stac
import pystac
import pytest

from engine.load import Wish, load, survey
from processes.types import BBox

BANDS = ("B4", "nir08", "B8", "BQA")
LABELS = ["B4", "B5", "B8", "BQA"]
AS_TOLD = {"*": {"assets": {"*": {"nodata": 0, "data_type": "uint16"}}}}


@pytest.fixture(scope="module")
def items(data):
    path = data / "gdalcubes_L8NY18" / "stac" / "catalog.json"
    if not path.exists():
        pytest.skip(f"{path} is not here")
    return list(pystac.Catalog.from_file(str(path)).get_items(recursive=True))


@pytest.fixture(autouse=True)
def _one_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


def test_seventeen_solar_days_as_odc_stac_reads_them(items):
    lines: list[str] = []
    cube = load(items, Wish(bands=BANDS), log=lines.append)
    assert cube.sizes["t"] == 17
    assert cube.bands.values.tolist() == LABELS
    assert (cube.dtype, cube.attrs["nodata"]) == (np.uint16, 0)
    assert len(lines) == 1
    assert "do not share a pixel grid" in lines[0]
    twin = odc.stac.load(
        items,
        bands=LABELS,
        geobox=cube.odc.geobox,
        groupby="solar_day",
        resampling="nearest",
        stac_cfg=AS_TOLD,
    )
    np.testing.assert_array_equal(cube.t.values, twin.time.values)
    for label in LABELS:
        np.testing.assert_array_equal(cube.sel(bands=label).values, twin[label].values)
    assert 0.2 < float((cube != 0).mean()) < 0.4


def test_a_box_of_one_city(items):
    """A box in degrees: as many pixels as odc-stac gives, less its rim; the same numbers."""
    box = (-74.3, 40.4, -73.6, 41.0)
    cube = load(items, Wish(bands=("B4",), bbox=BBox(*box)))
    twin = odc.stac.load(items, bands=["B4"], geobox=cube.odc.geobox, groupby="solar_day", stac_cfg=AS_TOLD)
    np.testing.assert_array_equal(cube[:, 0].values, twin.B4.values)
    told = survey(items, Wish(bands=("B4",), bbox=BBox(*box)))
    assert told.items <= 19
    assert told.shape == cube.shape
    assert told.bytes < survey(items, Wish(bands=("B4",))).bytes / 4


def test_lowest_common_wavelengths(items):
    told = {band["name"]: band for band in load(items, Wish()).bands.attrs["bands"]}
    assert len(told) == 12
    assert (told["B1"]["common_name"], told["B1"]["center_wavelength"]) == ("coastal", 0.44)
