"""Files on a web server: few requests, no looking around, and another try where that helps."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import dask
import numpy as np
import pytest

from engine.http import Egress, ranges
from engine.load import Wish, load

LOOPBACK = Egress(hosts=("127.0.0.1",))
DAY = "2022-06-01T10:00:00"


@dataclass
class Site:
    """A folder on a web server that counts and may fail."""

    folder: Path
    address: str = ""
    asked: list[str] = field(default_factory=list)
    failures: int = 0
    """How many of the next GET requests are answered with 503."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    served = Site(tmp_path)

    class Ranges(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            if served.failures:
                served.failures -= 1
                self.send_response(503)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.answer(body=True)

        def answer(self, body: bool) -> None:
            served.asked.append(f"{self.command} {self.path}")
            path = served.folder / self.path.lstrip("/")
            if not path.is_file():
                self.send_response(404)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            content = path.read_bytes()
            start, stop = 0, len(content)
            wanted = self.headers.get("Range")
            if wanted:
                first, _, last = wanted.removeprefix("bytes=").partition("-")
                start, stop = int(first), min(int(last) + 1, len(content))
            self.send_response(206 if wanted else 200)
            self.send_header("Accept-Ranges", "bytes")
            if wanted:
                self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(content)}")
            self.send_header("Content-Length", str(stop - start))
            self.end_headers()
            if body:
                self.wfile.write(content[start:stop])

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Ranges) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        served.address = f"http://127.0.0.1:{server.server_port}"
        with dask.config.set(scheduler="synchronous"):
            yield served
        server.shutdown()


def remote(make, grid, noise, site):
    # incompressible, and larger than what is fetched when the file is opened
    path = make.tif("a.tif", noise(512, 512), grid(512, 512), nodata=0)
    item = make.item("i", DAY, {"B": path})
    item.assets["B"].href = f"{site.address}/a.tif"
    return item


def test_a_window_costs_few_requests_and_no_side_file(make, grid, noise, site):
    cube = load([remote(make, grid, noise, site)], Wish(chunks={"x": 128, "y": 128}, egress=LOOPBACK))
    assert site.asked == []
    np.testing.assert_array_equal(cube[0, 0, :128, 128:256].values, noise(512, 512)[:128, 128:256])
    assert {asked.split()[1] for asked in site.asked} == {"/a.tif"}
    assert len(site.asked) <= 4
    before = len(site.asked)
    np.testing.assert_array_equal(cube[0, 0, 384:, 384:].values, noise(512, 512)[384:, 384:])
    assert len(site.asked) - before <= 2  # the header is remembered


def test_a_busy_server_is_asked_again(make, grid, noise, site, monkeypatch):
    monkeypatch.setattr(ranges, "PATIENCE", ranges.PATIENCE.new(backoff_factor=0.01))
    cube = load([remote(make, grid, noise, site)], Wish(chunks={"x": 512, "y": 512}, egress=LOOPBACK))
    site.failures = 2
    np.testing.assert_array_equal(cube[0, 0].values, noise(512, 512))
    assert site.failures == 0


def test_headers_of_all_files_are_asked_for_at_once_and_each_once(make, grid, noise, site, monkeypatch):
    items = []
    for i in range(6):
        path = make.tif(f"f{i}.tif", noise(512, 512, seed=i), grid(512, 512), nodata=0)
        items.append(make.item(f"i{i}", f"2022-06-{i + 1:02}T10:00:00", {"B": path}))
        items[-1].assets["B"].href = f"{site.address}/f{i}.tif"
    cube = load(items, Wish(chunks={"x": 512, "y": 512, "t": 6}, egress=LOOPBACK))
    together, real, asked = threading.Barrier(6), ranges.RemoteFile._asked, []

    def asking(file: ranges.RemoteFile, run: ranges.Run) -> object:
        asked.append((file.href, run))
        if run.first == 0:
            together.wait(20)  # breaks where one header is waited for before another is asked for
        return real(file, run)

    monkeypatch.setattr(ranges.RemoteFile, "_asked", asking)
    found = cube.data.maker(tuple(slice(0, n) for n in cube.shape))
    np.testing.assert_array_equal(found[:, 0], [noise(512, 512, seed=i) for i in range(6)])
    headers = [href for href, run in asked if run.first == 0]
    assert sorted(headers) == sorted(item.assets["B"].href for item in items)
    assert (
        len(asked) == len(site.asked) == 2 * 6
    )  # a header and one run of blocks, and nothing that is no address
