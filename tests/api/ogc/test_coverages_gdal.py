"""GDAL as a client of coverages: its driver OGCAPI, as Debian has it, and what it sends."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.enums import Resampling

pytestmark = pytest.mark.slow


def run(*command: object) -> str:
    """What a program of GDAL tells."""
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "ERROR" not in done.stderr  # a block that cannot be had is filled with zeros, and the status is 0
    return done.stdout


@pytest.fixture(scope="module")
def gdal() -> None:
    """Programs of GDAL, built with the driver; rasterio's wheel is without it."""
    if shutil.which("gdalinfo") is None or shutil.which("gdal_translate") is None:
        pytest.skip("GDAL is not installed; apt-get install gdal-bin")
    if "OGCAPI" not in run("gdalinfo", "--formats"):
        pytest.skip("this GDAL is built without the driver OGCAPI")


@pytest.fixture
def translated(gdal, published, tmp_path):
    """Gives a part of a collection, as GDAL takes it over."""

    def translate(name: str, *options: object) -> np.ndarray:
        source = f"OGCAPI:{published.url}/collections/{name}"
        target = tmp_path / "taken.tif"
        run("gdal_translate", "-q", "-oo", "API=COVERAGE", "-oo", "CACHE=NO", *options, source, target)
        with rasterio.open(target) as file:
            return file.read()

    return translate


@pytest.mark.parametrize("name", ["degrees", "metres"])
def test_gdal_finds_the_grid(gdal, published, rasters: dict[str, Path], name):
    told = json.loads(
        run(
            "gdalinfo", "-json", f"OGCAPI:{published.url}/collections/{name}", "-oo", "API=COVERAGE", "-oo", "CACHE=NO",
        )
    )  # fmt: skip
    with rasterio.open(rasters[name]) as file:
        assert told["size"] == [file.width, file.height]
        assert [band["type"] for band in told["bands"]] == ["Float32"] * file.count
        np.testing.assert_allclose(told["geoTransform"], file.transform.to_gdal(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "window"),
    [
        ("degrees", (0, 0, 400, 300)), ("degrees", (150, 100, 200, 100)), ("degrees", (399, 299, 1, 1)),
        ("metres", (0, 0, 700, 600)), ("metres", (250, 250, 300, 20)),
    ],
)  # fmt: skip
def test_a_window_is_that_of_the_source(translated, rasters, name, window):
    """Across the blocks of 256 cells that GDAL asks for, with the hole; the last blocks are smaller ones."""
    column, row, width, height = window
    found = translated(name, "-srcwin", *window)
    with rasterio.open(rasters[name]) as file:
        wanted = file.read(window=((row, row + height), (column, column + width)), masked=True)
    np.testing.assert_allclose(found, wanted.filled(np.nan), rtol=2e-6)  # NaN is what floats have no value by


def test_a_smaller_picture_is_of_coarser_cells(translated, rasters):
    """GDAL takes its own overviews, and each of these is asked for by `scaleSize`."""
    found = translated("metres", "-outsize", 175, 150)
    with rasterio.open(rasters["metres"]) as file:
        wanted = file.read(out_shape=(2, 150, 175), resampling=Resampling.average, masked=True)
    away = np.abs(found - wanted.filled(np.nan))
    away = away[np.isfinite(away)]
    assert away.size > 2 * 150 * 175 * 0.95
    assert away.max() < 1.5  # steps of a cell are a third, and a ninth


def test_what_gdal_sends_for_a_block(anonymous):
    """As its driver writes it: both axes in one parameter, ends beyond by a rounding, and `scaleSize`."""
    asked = {
        "subset": "E(675640:676919.99999999999),N(5154079.99999999961:5155360)", "scaleSize": "E(64),N(64)",
        "f": "image/tiff;application=geotiff",
    }  # fmt: skip
    answer = anonymous.get("/collections/S2/coverage", params=asked)
    assert (answer.status_code, answer.headers["content-bbox"]) == (200, "675640,5154080,676920,5155360")
    with rasterio.MemoryFile(answer.content).open() as file:
        assert (file.shape, file.count) == ((64, 64), 5)
