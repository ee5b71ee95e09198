"""What cannot be read is named: item, asset, band, address, block. It never becomes zeros."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import dask
import numpy as np
import pytest
import rasterio

from engine.errors import Problem
from engine.http import Egress, ranges
from engine.load import Wish, load
from engine.load.files import shown

DAY = "2022-06-01T10:00:00"
VRT = """<VRTDataset rasterXSize="12" rasterYSize="10"><SRS>EPSG:32632</SRS>
<GeoTransform>500000, 10, 0, 5000000, 0, -10</GeoTransform><VRTRasterBand dataType="UInt16" band="1">
<SimpleSource><SourceFilename>{}</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>"""


@pytest.fixture(autouse=True)
def _one_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


def failing(item, **wish) -> Problem:
    with pytest.raises(Problem) as caught:
        load([item], Wish(chunks={"x": 64, "y": 64}, **wish)).compute()
    problem = caught.value
    assert problem.facts["item"] == "i"
    assert problem.hint
    again = pickle.loads(pickle.dumps(problem))
    assert (again.code, again.message, again.facts) == (problem.code, problem.message, problem.facts)
    return problem


def test_a_truncated_file_names_the_block(make, grid, noise):
    path = make.tif("a.tif", noise(256, 256), grid(256, 256), nodata=0)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    item = make.item("i", DAY, {"B1": path})
    problem = failing(item)
    assert problem.code == "FileContentInvalid"
    assert problem.facts["asset"] == "B1"
    assert problem.facts["href"] == str(path)
    row, col = problem.facts["rows"][0], problem.facts["cols"][0]
    assert f"rows {row}-{row + 64}, columns {col}-{col + 64}" in problem.message
    assert "got" in problem.message
    assert "expected" in problem.message
    good = load([item], Wish(chunks={"x": 64, "y": 64}))[0, 0, :64, :64].values
    np.testing.assert_array_equal(good, noise(256, 256)[:64, :64])


@pytest.mark.filterwarnings("ignore:Dataset has no geotransform")
@pytest.mark.parametrize(
    "wish", [{}, {"crs": 4326}, {"crs": 4326, "resampling": "bilinear"}, {"resolution": 0.3}]
)
def test_the_corrupt_file_of_rasterio(make, data, wish):
    path = data / "rasterio" / "corrupt.tif"
    if not path.exists():
        pytest.skip(f"{path} is not here")
    problem = failing(make.item("i", DAY, {"B1": path}), **wish)
    assert problem.code == "FileContentInvalid"
    assert "corrupt.tif" in problem.message
    assert "rows" in problem.facts


def test_a_file_that_is_not_there(make, grid, noise):
    path = make.tif("a.tif", noise(10, 12), grid(10, 12), nodata=0)
    item = make.item("i", DAY, {"B1": path})
    path.unlink()
    assert failing(item).code == "FileNotFound"


def test_garbage(make, grid, noise):
    path = make.tif("a.tif", noise(10, 12), grid(10, 12), nodata=0)
    item = make.item("i", DAY, {"B1": path})
    path.write_bytes(b"no raster at all" * 100)
    problem = failing(item)
    assert problem.code == "FileContentInvalid"
    assert "GTiff, JP2OpenJPEG, PNG, JPEG" in problem.message


def test_a_vrt_under_another_name_is_refused(make, grid, noise):
    """Plain rasterio opens it and reads the other file; we must not."""
    secret = make.tif("secret.tif", noise(10, 12), grid(10, 12), nodata=0)
    item = make.item("i", DAY, {"B1": secret})
    evil = make.folder / "evil.tif"
    evil.write_text(VRT.format(secret))
    with rasterio.open(evil) as opened:
        assert opened.driver == "VRT"
    item.assets["B1"].href = str(evil)
    assert failing(item).code == "FileContentInvalid"
    for href in (VRT.format(secret), f"vrt://{secret}", f"/vsisparse/{secret}"):
        item.assets["B1"].href = href
        item.set_self_href(None)
        assert failing(item).code in ("FileContentInvalid", "FileNotFound", "FilePathInvalid")


def test_side_files_are_not_looked_at(make, grid, noise):
    path = make.tif("a.tif", (pixels := noise(128, 128)), grid(128, 128), nodata=0)
    (make.folder / "a.tif.aux.xml").write_text(
        "<PAMDataset><PAMRasterBand band='1'><NoDataValue>7</NoDataValue></PAMRasterBand></PAMDataset>"
    )
    (make.folder / "a.tif.ovr").write_bytes(
        make.tif("o.tif", noise(64, 64, seed=9), grid(64, 64, size=20)).read_bytes()
    )
    item = make.item("i", DAY, {"B1": {"href": path, "raster:bands": [{"data_type": "uint16"}]}})
    cube = load([item], Wish(resolution=20))
    assert cube.attrs["nodata"] == 0
    np.testing.assert_array_equal(cube[0, 0].values, pixels[1::2, 1::2])


def test_a_band_that_the_file_has_not(make, grid, noise):
    told = [{"data_type": "uint16", "nodata": 0}] * 2
    item = make.item(
        "i", DAY, {"B": {"href": make.tif("a.tif", noise(10, 12), grid(10, 12)), "raster:bands": told}}
    )
    problem = failing(item, bands=("B_2",))
    assert "the file has 1 bands only" in problem.message
    assert problem.facts["band"] == 2


def test_metadata_that_place_the_file_elsewhere(make, grid, noise):
    path = make.tif("a.tif", noise(10, 12), grid(10, 12), nodata=0)
    told = list(grid(10, 12, left=500_060).transform)[:6]
    problem = failing(make.item("i", DAY, {"B": {"href": path, "proj:transform": told}}))
    assert "lies at (500000, 4999900, 500120, 5000000), but its metadata say (500060" in problem.message


@pytest.mark.filterwarnings("ignore:Dataset has no geotransform")
def test_a_file_without_place_takes_that_of_the_metadata(make, grid, noise):
    there = grid(10, 12)
    item = make.item("i", DAY, {"B": make.tif("a.tif", (pixels := noise(10, 12)), there, nodata=0)})
    with rasterio.open(
        make.folder / "a.tif", "w", driver="GTiff", width=12, height=10, count=1, dtype="uint16", nodata=0
    ) as bare:
        bare.write(pixels, 1)
    np.testing.assert_array_equal(load([item], Wish())[0, 0].values, pixels)
    item.assets["B"].extra_fields["proj:shape"] = [20, 24]
    item.assets["B"].extra_fields["proj:transform"] = list(grid(20, 24, size=5).transform)[:6]
    assert "no place on earth" in failing(item).message
    for field in ("proj:shape", "proj:transform", "proj:code"):
        del item.assets["B"].extra_fields[field]
    assert "tell where its pixels lie" in failing(item).message


class Refusing(BaseHTTPRequestHandler):
    """Answers every request with the status that its path begins with."""

    def do_GET(self) -> None:
        self.send_response(int(self.path.split("/")[1]))
        self.end_headers()

    do_HEAD = do_GET  # noqa: N815 (the name that the server looks for)

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as refusing:
        threading.Thread(target=refusing.serve_forever, args=(0.01,), daemon=True).start()
        yield f"127.0.0.1:{refusing.server_port}"
        refusing.shutdown()


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (404, "FileNotFound"),
        (403, "FilePathInvalid"),
        (503, "InfrastructureBusy"),
        (200, "FileContentInvalid"),
    ],
)
def test_what_servers_say_and_no_secret_in_it(make, grid, noise, server, status, code, monkeypatch):
    monkeypatch.setattr(ranges, "PATIENCE", ranges.PATIENCE.new(total=0))
    item = make.item("i", DAY, {"B": make.tif("a.tif", noise(10, 12), grid(10, 12), nodata=0)})
    item.assets["B"].href = f"http://user:hunter2@{server}/{status}/a.tif?sig=s3cr3t"
    problem = failing(item, egress=Egress(hosts=(server,)))
    assert problem.code == code
    assert f"http://{server}/{status}/a.tif" in problem.message
    assert "hunter2" not in str(problem) + repr(problem.facts)
    assert "s3cr3t" not in str(problem) + repr(problem.facts)


@pytest.mark.parametrize(
    ("href", "plain"),
    [
        ("/data/a b?c.tif", "/data/a b?c.tif"),
        ("s3://bucket/a.tif", "s3://bucket/a.tif"),
        ("https://me:pw@host:8080/a.tif?token=1#x", "https://host:8080/a.tif"),
    ],
)
def test_addresses_as_they_may_be_shown(href, plain):
    assert shown(href) == plain
