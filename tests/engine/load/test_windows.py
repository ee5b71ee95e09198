"""Many windows in one call: the pixels of single blocks, few opens and requests, and names for what fails."""

from __future__ import annotations

import gc
import os
import threading
import time
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from affine import Affine
from odc.geo.geobox import GeoBox
from odc.loader.types import RasterLoadParams

from engine.errors import Problem
from engine.http import Egress, ahead, ranges
from engine.load import lookup
from engine.load.files import HANDLES
from engine.load.image import Image
from engine.load.model import Source
from engine.load.reader import read_block
from engine.load.windows import Request, hand_windows, read_windows
from processes.cubes.named import name_of
from tests.engine.servers import Site, site

CFG = RasterLoadParams(dtype="uint16", fill_value=0)
LOOPBACK = Egress(hosts=("127.0.0.1",))


def request(*paths: Path | str, on: GeoBox, **cfg) -> Request:
    told = RasterLoadParams(dtype="uint16", fill_value=0, **cfg)
    return Request(tuple(Source("i", "B", 1, str(path), egress=LOOPBACK) for path in paths), on, told)


@dataclass
class Shelf:
    """A folder on a web server that knows ranges."""

    served: Site
    ranges: list[tuple[str, int, int]] = field(default_factory=list)
    """What was asked for: name, first byte, and the one after the last."""
    together: int = 0
    """Requests that were under way at once, at most."""
    latency: float = 0.0
    """Seconds before each answer."""
    gate: threading.Barrier | None = None
    """Where requests wait for each other, so that they have to come together."""
    missing: frozenset[str] = frozenset()
    """Files of which all but the first piece is lost."""


@pytest.fixture
def shelf(make) -> Iterator[Shelf]:
    lock, now = threading.Lock(), [0]

    def answer(asked):
        name = asked.path.lstrip("/")
        content = (make.folder / name).read_bytes()
        first, _, last = asked.headers["Range"].removeprefix("bytes=").partition("-")
        start, stop = int(first), min(int(last) + 1, len(content))
        with lock:
            here.ranges.append((name, start, stop))
            now[0] += 1
            here.together = max(here.together, now[0])
        time.sleep(here.latency)
        if here.gate is not None and start:
            here.gate.wait(20)
        with lock:
            now[0] -= 1
        if start and name in here.missing:
            return 404, {}, b""
        return (
            206,
            {"Content-Range": f"bytes {start}-{stop - 1}/{len(content)}", "ETag": str(crc32(content))},
            content[start:stop],
        )

    with site(answer) as served:
        here = Shelf(served)
        yield here
    HANDLES.close()


def cog(make, name: str, pixels: np.ndarray, on: GeoBox) -> Path:
    """A file whose header comes first, as those on the web have it."""
    plain = make.tif(f"plain-{name}", pixels, on, nodata=0)
    rasterio.shutil.copy(
        plain, make.folder / name, driver="COG", COMPRESS="DEFLATE", BLOCKSIZE="128", OVERVIEWS="NONE"
    )
    return make.folder / name


def test_nothing_is_asked_for_nothing():
    assert read_windows([]) == []


def test_windows_come_in_the_order_of_the_requests(make, grid, noise):
    there = grid(256, 256)
    planes = [noise(256, 256, seed=n) for n in range(5)]
    paths = [make.tif(f"{n}.tif", plane, there, nodata=0) for n, plane in enumerate(planes)]
    found = read_windows([request(path, on=there[10:200, 30:90]) for path in paths])
    for plane, pixels in zip(planes, found, strict=True):
        np.testing.assert_array_equal(pixels, plane[10:200, 30:90])


@pytest.mark.parametrize("method", ["nearest", "bilinear", "cubic", "average", "mode", "lanczos"])
def test_a_window_among_many_is_the_same_as_alone(make, grid, noise, method):
    """With other grids, dates and bands in the call, whose lookups are shared."""
    there, coarse = grid(200, 220), grid(100, 110, size=20)
    target = there.to_crs(3857)[20:150, 30:140]
    paths = [
        make.tif("a.tif", noise(200, 220), there, nodata=0),
        make.tif("b.tif", noise(100, 110, seed=1), coarse, nodata=0),
        make.tif("c.tif", noise(200, 220, seed=2), there, nodata=0),
        make.tif("d.tif", noise(200, 220, seed=3), grid(200, 220, left=500_700), nodata=0),
    ]
    requests = [request(path, on=target, resampling=method) for path in paths]
    requests.append(request(paths[3], paths[0], on=target, resampling=method))
    found = read_windows(requests)
    for asked, pixels in zip(requests, found, strict=True):
        alone = read_block(asked.sources, asked.geobox, asked.cfg)[0, 0]
        assert alone.any()
        np.testing.assert_array_equal(pixels, alone)


def test_dates_and_bands_share_one_lookup(make, grid, noise, monkeypatch):
    found = []
    real = lookup.lookup_of
    monkeypatch.setattr(lookup, "lookup_of", lambda *args: found.append(args) or real(*args))
    there = grid(128, 128)
    paths = [make.tif(f"{n}.tif", noise(128, 128, seed=n), there, nodata=0) for n in range(6)]
    read_windows([request(path, on=there.to_crs(3857)) for path in paths])
    assert len(found) == 1


def test_lookups_that_were_not_used_for_longest_go(grid):
    lookups = lookup.Lookups(2)
    pixels = np.arange(64 * 64).reshape(64, 64)
    for n in (0, 1, 0, 2, 0):
        here = grid(64, 64, left=500_000 + n)
        out = lookups.sample(here, (slice(0, 64), slice(0, 64)), here, 0, pixels)
        np.testing.assert_array_equal(out, pixels)
        assert len(lookups._kept) <= 2
    assert name_of(grid(64, 64)) in [key[0] for key in lookups._kept]


def test_a_file_is_opened_once_for_all_its_windows(make, grid, noise, counts):
    there = grid(256, 256)
    path = make.tif("a.tif", noise(256, 256), there, overviews=(2,), nodata=0)
    counts.opened.clear()
    cuts = [there[y : y + 64, x : x + 64] for y in range(0, 256, 64) for x in range(0, 256, 64)]
    for cut in cuts:
        read_windows([request(path, on=cut)] * 2)
    assert (len(counts.opened), len(counts.read)) == (1, 2 * len(cuts))
    read_windows([request(path, on=there.zoom_out(2))])
    assert len(counts.opened) == 2  # its overview
    assert counts.read[-1] == (slice(0, 128), slice(0, 128))


def test_a_changed_file_is_noticed(make, grid, noise):
    there = grid(64, 64)
    path = make.tif("a.tif", noise(64, 64), there, nodata=0)
    read_windows([request(path, on=there)])
    for seed, size in ((1, 64), (2, 128)):
        pixels = noise(size, size, seed=seed)
        make.tif("new.tif", pixels, grid(size, size), nodata=0).replace(path)
        (found,) = read_windows([request(path, on=grid(size, size))])
        np.testing.assert_array_equal(found, pixels)
    with rasterio.open(path, "r+") as dataset:
        dataset.write(noise(128, 128, seed=3), 1)
    os.utime(path, ns=(1, 1))
    np.testing.assert_array_equal(
        read_windows([request(path, on=grid(128, 128))])[0], noise(128, 128, seed=3)
    )


def test_the_first_failure_in_the_order_of_the_requests_is_told(make, grid, noise, shelf):
    there = grid(256, 256)
    for name in ("a.tif", "b.tif", "c.tif"):
        cog(make, name, noise(256, 256), there)
    shelf.missing = frozenset({"b.tif", "c.tif"})
    with pytest.raises(Problem) as caught:
        read_windows([request(f"{shelf.served.url}/{n}.tif", on=there[128:, 128:]) for n in "abc"])
    assert caught.value.code == "FileNotFound"
    assert caught.value.facts["href"].endswith("/b.tif")
    assert caught.value.facts["rows"] == [128, 256]
    assert caught.value.facts["cols"] == [128, 256]
    assert ahead.BOUNDS.taken == 0


def test_remote_windows_equal_local_ones_and_cost_two_requests_a_file(make, grid, noise, shelf):
    there = grid(256, 256)
    names = [f"{n}.tif" for n in range(6)]
    paths = [cog(make, name, noise(256, 256, seed=n), there) for n, name in enumerate(names)]
    cut = there[:128, 128:]
    remote = read_windows([request(f"{shelf.served.url}/{name}", on=cut) for name in names])
    for path, pixels in zip(paths, remote, strict=True):
        np.testing.assert_array_equal(pixels, read_windows([request(path, on=cut)])[0])
    assert sorted(name for name, _, _ in shelf.ranges) == sorted(names * 2)
    assert sum(stop - start for _, start, stop in shelf.ranges) < sum(path.stat().st_size for path in paths)
    before = len(shelf.ranges)
    read_windows([request(f"{shelf.served.url}/{name}", on=cut) for name in names])
    assert len(shelf.ranges) == before  # what was read is here still


@pytest.mark.parametrize("files", [1, 4])
def test_requests_are_under_way_together(make, grid, noise, shelf, files):
    """Four ranges wait until all four have come: one after the other they would wait in vain."""
    size = 512 if files == 1 else 256
    there = grid(size, size)
    for n in range(files):
        pixels = np.random.default_rng(n).integers(1, 60_000, (size, size), "uint16")
        cog(make, f"{n}.tif", pixels, there)
    cut = there[:, :128] if files == 1 else there[128:, 128:]
    shelf.gate = threading.Barrier(4)
    found = read_windows([request(f"{shelf.served.url}/{n}.tif", on=cut) for n in range(files)])
    assert all(pixels.all() for pixels in found)
    assert shelf.together == 4
    assert len(shelf.ranges) == files + 4


def test_never_more_requests_than_the_bound(make, grid, noise, shelf):
    there = grid(256, 256)
    for n in range(60):
        cog(make, f"{n}.tif", noise(256, 256, seed=n), there)
    shelf.latency = 0.05
    read_windows([request(f"{shelf.served.url}/{n}.tif", on=there) for n in range(60)])
    assert 2 <= shelf.together <= ahead.READS


def test_little_room_is_enough(make, grid, noise, shelf, monkeypatch):
    """What is waited for goes on whatever the bounds, and nothing is fetched twice."""
    monkeypatch.setattr(ahead.BOUNDS, "room", 1)
    there = grid(256, 256)
    for n in range(8):
        cog(make, f"{n}.tif", noise(256, 256, seed=n), there)
    found = read_windows([request(f"{shelf.served.url}/{n}.tif", on=there) for n in range(8)])
    for n, pixels in enumerate(found):
        np.testing.assert_array_equal(pixels, noise(256, 256, seed=n))
    assert len(set(shelf.ranges)) == len(shelf.ranges)
    assert ahead.BOUNDS.taken == 0


def test_what_was_handed_on_is_let_go_at_once(make, grid, noise, shelf, monkeypatch):
    """Not when circles of references are looked for; the window that is taken is the only one that may live."""
    monkeypatch.setattr(ahead.BOUNDS, "room", 1)
    there = grid(256, 256)
    for n in range(6):
        cog(make, f"{n}.tif", noise(256, 256, seed=n), there)
    read, alive = [], []
    real = Image.window

    def window(*args):
        pixels = real(*args)
        read.append(weakref.ref(pixels))
        return pixels

    def take(number, pixels):
        np.testing.assert_array_equal(pixels, noise(256, 256, seed=number))
        alive.append(sum(seen() is not None for seen in read))

    monkeypatch.setattr(Image, "window", window)
    gc.disable()
    try:
        hand_windows([request(f"{shelf.served.url}/{n}.tif", on=there) for n in range(6)], take)
    finally:
        gc.enable()
    assert alive[0] == 1
    assert max(alive) <= 2  # and the next one, which is ahead


def test_below_a_full_file_nothing_is_fetched(make, grid, noise, shelf):
    there = grid(256, 256)
    for name in ("a.tif", "b.tif"):
        cog(make, name, noise(256, 256), there)
    read_windows([request(*(f"{shelf.served.url}/{n}.tif" for n in "ab"), on=there[128:, 128:])])
    assert [name for name, start, _ in shelf.ranges if start] == ["a.tif"]


def test_below_a_file_with_gaps_the_next_is_read(make, grid, noise, shelf):
    there = grid(256, 256)
    pixels = noise(256, 256)
    pixels[:, 200:] = 0
    cog(make, "a.tif", pixels, there)
    cog(make, "b.tif", noise(256, 256, seed=1), there)
    (found,) = read_windows([request(*(f"{shelf.served.url}/{n}.tif" for n in "ab"), on=there)])
    np.testing.assert_array_equal(found, np.where(pixels == 0, noise(256, 256, seed=1), pixels))


@pytest.mark.filterwarnings("ignore:Dataset has no geotransform")
def test_formats_whose_blocks_are_not_known_are_read_together_too(make, grid, noise, shelf):
    there = grid(64, 80)
    for n in range(3):
        plain = make.tif(f"p{n}.tif", noise(64, 80, seed=n), there, nodata=0)
        rasterio.shutil.copy(
            plain, make.folder / f"{n}.jp2", driver="JP2OpenJPEG", QUALITY="100", REVERSIBLE="YES"
        )
    found = read_windows([request(f"{shelf.served.url}/{n}.jp2", on=there[5:60, 7:70]) for n in range(3)])
    for n, pixels in enumerate(found):
        np.testing.assert_array_equal(pixels, noise(64, 80, seed=n)[5:60, 7:70])


def test_a_raster_outlives_its_thread(make, grid, noise, shelf):
    """Opened, read and closed by three threads, of which two are gone."""
    there = grid(512, 512)
    cog(make, "a.tif", noise(512, 512), there)
    asked = [request(f"{shelf.served.url}/a.tif", on=there[y : y + 128, 384:]) for y in range(0, 512, 128)]
    ahead.DECODERS.close()
    ahead.WORKERS.close()
    for one in asked:
        with ThreadPoolExecutor(1) as pool:
            (found,) = pool.submit(read_windows, [one]).result()
        ahead.DECODERS.close()
        ahead.WORKERS.close()
        assert found.all()
    assert len(HANDLES) > 0
    HANDLES.close()
    assert len(HANDLES) == 0


def test_a_file_is_asked_again_when_it_was_not_seen_for_long(make, grid, noise, shelf, monkeypatch):
    there = grid(256, 256)
    cog(make, "a.tif", noise(256, 256), there)
    asked = request(f"{shelf.served.url}/a.tif", on=there)
    read_windows([asked])
    cog(make, "a.tif", noise(256, 256, seed=1)[:, ::-1], there)
    monkeypatch.setattr("engine.http.pieces.TRUSTED", -1.0)
    shelf.ranges.clear()
    (found,) = read_windows([asked])
    np.testing.assert_array_equal(found, noise(256, 256, seed=1)[:, ::-1])
    assert shelf.ranges


@pytest.mark.parametrize("remote", [False, True])
def test_threads_that_read_the_same_files(make, grid, noise, shelf, remote):
    there = grid(512, 512)
    pixels = noise(512, 512)
    path = cog(make, "a.tif", pixels, there)
    href = f"{shelf.served.url}/a.tif" if remote else path
    corners = [(y, x) for y in range(0, 448, 64) for x in range(0, 448, 64)]
    with ThreadPoolExecutor(6) as pool:
        asked = [[request(href, on=there[y : y + 100, x : x + 90])] for y, x in corners]
        for (y, x), (found,) in zip(corners, pool.map(read_windows, asked), strict=True):
            np.testing.assert_array_equal(found, pixels[y : y + 100, x : x + 90])
    if remote:
        assert len(set(shelf.ranges)) == len(shelf.ranges)  # what is on its way is not asked for again


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("remote", [False, True])
def test_a_forked_process_reads_for_itself(make, grid, noise, shelf, remote):
    """Its files would share their place, and its connections their answers, with those of its parent."""
    there = grid(256, 256)
    path = cog(make, "a.tif", noise(256, 256), there)
    href = f"{shelf.served.url}/a.tif" if remote else path
    first, second = request(href, on=there[:128]), request(href, on=there[128:])
    read_windows([first])
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = int(not np.array_equal(read_windows([second])[0], noise(256, 256)[128:]))
        finally:
            os._exit(code)
    (found,) = read_windows([second])
    np.testing.assert_array_equal(found, noise(256, 256)[128:])
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_the_antimeridian_in_one_call(make):
    globe = GeoBox((180, 360), Affine(1, 0, -180, 0, -1, 90), "EPSG:4326")
    pixels = np.arange(180 * 360, dtype="uint16").reshape(180, 360) % 9_000 + 1
    path = make.tif("a.tif", pixels, globe, nodata=0)
    target = GeoBox((20, 40), Affine(1, 0, 160, 0, -1, 10), "EPSG:4326")  # to 200 degrees east
    (found,) = read_windows([request(path, on=target)])
    np.testing.assert_array_equal(found, pixels[80:100, (np.arange(340, 380)) % 360])


def test_a_gap_where_no_no_data_is_known(make, grid, noise):
    there = grid(64, 64)
    path = make.tif("a.tif", noise(64, 64), there)
    cfg = RasterLoadParams(dtype="uint16", fill_value=None)
    wide = Request((Source("i", "B", 1, str(path)),), grid(64, 80), cfg)
    with pytest.raises(Problem, match="covers 4096 of the 5120 pixels"):
        read_windows([wide])


def test_a_busy_server_is_asked_again_in_the_threads(make, grid, noise, shelf, monkeypatch):
    monkeypatch.setattr(ranges, "PATIENCE", ranges.PATIENCE.new(backoff_factor=0.01))
    ahead.WORKERS.close()  # whose clients have their patience already
    there = grid(256, 256)
    cog(make, "a.tif", noise(256, 256), there)
    answer, left = shelf.served.answer, [2]

    def busy(asked):
        if "bytes=0-" not in asked.headers["Range"] and left[0]:
            left[0] -= 1
            return 503, {}, b""
        return answer(asked)

    shelf.served.answer = busy
    (found,) = read_windows([request(f"{shelf.served.url}/a.tif", on=there)])
    np.testing.assert_array_equal(found, noise(256, 256))
    assert left == [0]
