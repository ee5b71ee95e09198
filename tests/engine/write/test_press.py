"""Tiles are packed in threads: the same file whatever their number and the order of blocks, and nothing after failures."""

from __future__ import annotations

import errno
import random
import threading
import time
import zlib

import numpy as np
import pytest
import rasterio

from engine.errors import Problem
from engine.write import press, proof, write
from engine.write.cog import Level
from engine.write.packing import Packing, checksum
from engine.write.press import Press

OPTIONS = {"blocksize": 128}


def shuffled(stream, seed):
    """The blocks of a cube in another order."""

    def blocks(cube):
        given = list(stream(cube))
        random.Random(seed).shuffle(given)
        yield from given

    return blocks


def pressing():
    """The threads of presses that still run."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("press")]


@pytest.mark.parametrize("options", [{}, {"compress": "DEFLATE"}, {"predictor": False}])
@pytest.mark.parametrize("dtype", ["float32", "int16"])
def test_the_same_bytes_whatever_the_threads_and_the_order(
    make_cube, stream, tmp_path, monkeypatch, dtype, options
):
    cube = make_cube(
        sizes={"t": 1, "y": 400, "x": 380}, dtype=dtype, nodata=7 if dtype == "int16" else None,
        chunks={"bands": 1, "y": 100, "x": 256},
    )  # fmt: skip
    found = []
    for number in (1, 2, 5):
        monkeypatch.setattr(press, "threads", lambda number=number: number)
        monkeypatch.setattr(proof, "threads", lambda number=number: number)
        target = tmp_path / str(number) / "out.tif"
        (asset,) = write(cube, target, stream=shuffled(stream, number), options={**OPTIONS, **options}).assets
        found.append((target.read_bytes(), asset.fields["file:checksum"], asset.fields["bands"]))
    assert found[0] == found[1] == found[2]
    with rasterio.open(target) as file:
        np.testing.assert_array_equal(file.read(), cube.values[0])


@pytest.mark.parametrize("fails", [0, 3, 15])
@pytest.mark.parametrize("fault", [RuntimeError("Zstd compression error"), MemoryError()])
def test_a_tile_that_cannot_be_packed_leaves_nothing(
    make_cube, stream, tmp_path, left_in, monkeypatch, fails, fault
):
    real, seen, lock = Packing.pack, [], threading.Lock()

    def pack(self, plain):
        with lock:
            seen.append(plain.shape)
            number = len(seen) - 1
        if number == fails:
            raise fault
        return real(self, plain)

    monkeypatch.setattr(Packing, "pack", pack)
    cube = make_cube(dims=("y", "x"), sizes={"y": 500, "x": 500}, chunks={"y": 128, "x": 128})
    with pytest.raises(Problem if isinstance(fault, RuntimeError) else MemoryError) as caught:
        write(cube, tmp_path / "out.tif", stream=stream, options=OPTIONS)
    if isinstance(fault, RuntimeError):
        assert "out.tif could not be written: Zstd compression error" in caught.value.message
    assert left_in(tmp_path) == []
    assert pressing() == []


def test_a_stream_that_fails_leaves_no_thread(make_cube, stream, tmp_path, left_in):
    def broken(cube):
        for number, block in enumerate(stream(cube)):
            if number == 5:
                raise ValueError("no more")
            yield block

    cube = make_cube(dims=("y", "x"), sizes={"y": 500, "x": 500}, chunks={"y": 128, "x": 128})
    with pytest.raises(ValueError, match="no more"):
        write(cube, tmp_path / "out.tif", stream=broken, options=OPTIONS)
    assert left_in(tmp_path) == []
    assert pressing() == []


def test_a_full_disk_is_told_of_the_file_whose_tile_it_was(make_cube, stream, tmp_path, left_in, monkeypatch):
    """Though tiles of another date have come since."""
    real = Level.append

    def append(self, place, plain, packed):
        if self.source.name == "1.tiles":
            raise OSError(errno.ENOSPC, "No space left on device")
        real(self, place, plain, packed)

    monkeypatch.setattr(Level, "append", append)
    times = np.array(["2022-06-01", "2022-06-11", "2022-06-21"], dtype="datetime64[ns]")
    cube = make_cube(sizes={"t": 3, "bands": 1}, chunks={"t": 3}, times=times)
    with pytest.raises(Problem, match=r"out_2022-06-11\.tif could not be written: No space left"):
        write(cube, tmp_path / "out.tif", stream=stream)
    assert left_in(tmp_path) == []


def test_tiles_wait_in_bounded_number_and_come_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr(press, "threads", lambda: 3)
    rooms, kept = [], []
    real_room = Packing.room
    monkeypatch.setattr(Packing, "room", lambda self: (rooms.append(1), real_room(self))[1])
    monkeypatch.setattr(
        Packing, "pack", lambda self, plain: (time.sleep(0.002 * (plain[0, 0] % 3)), plain.tobytes())[1]
    )
    packing = Packing(np.dtype("uint8"), 16, "NONE", 1, False)
    level = Level(16 * 40, 16, tmp_path / "tiles", (1, 1, 40))
    monkeypatch.setattr(Level, "append", lambda self, place, plain, packed: kept.append((place, packed)))
    with Press(packing) as work:
        cells = np.empty((16, 16), "uint8")
        for number in range(40):
            cells[:] = number
            work.put(tmp_path / "out.tif", level, (0, 0, number), cells)
            assert len(kept) >= number - 3
        cells[:] = 99
        work.flush()
    assert kept == [((0, 0, number), bytes([number]) * 256) for number in range(40)]
    assert len(rooms) == 4


def test_large_tiles_have_fewer_threads(monkeypatch):
    monkeypatch.setattr(press, "threads", lambda: 64)
    for side, count in ((512, press.MOST), (2048, 2)):
        with Press(Packing(np.dtype("float64"), side, "ZSTD", 1, True)) as work:
            assert work._threads == count


def test_checksums_are_those_of_zlib():
    plain = np.random.default_rng(1).integers(0, 256, (64, 100)).astype("uint8")
    assert checksum(plain) == zlib.crc32(plain.tobytes())
