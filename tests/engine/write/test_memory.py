"""A writer holds one block, never the cube; counted, not measured."""

from __future__ import annotations

import gc
import sys
import time
import weakref
from functools import partial

import dask.array as da
import numpy as np
import pytest
import rasterio
from rasterio.env import get_gdal_config, set_gdal_config

from engine.settings import GDAL_CACHE
from engine.write import write
from engine.write.pour import pour

STREAMING = ["out.tif", "out.nc", "out.zarr", "out.png"]


class Strict:
    """Gives blocks, and before each asserts that nobody has kept the one before."""

    def __init__(self, blocks):
        self.blocks, self.given, self.largest = blocks, 0, 0
        self.last = None

    def __call__(self, cube):
        blocks = self.blocks(cube)
        for index, block in blocks:
            block = block.copy()
            assert self.gone(), f"block {self.given} is still held"
            self.last = weakref.ref(block)
            self.given, self.largest = self.given + 1, max(self.largest, block.nbytes)
            yield index, block
            del block

    def gone(self):
        """Has the last block been let go? zarr writes in a thread of its own, which takes a moment to end its task."""
        for attempt in range(200):
            if self.last is None or self.last() is None:
                return True
            if attempt % 50 == 0:  # it takes long where much is imported
                gc.collect()
            time.sleep(0.01)
        return False


@pytest.fixture
def no_whole_arrays(monkeypatch):
    """dask arrays that may only be cut, never computed by whoever writes them."""

    def refuse(*_args, **_kwargs):
        raise AssertionError("the writer asked for the whole array")

    monkeypatch.setattr(da.Array, "compute", refuse)
    monkeypatch.setattr(da.Array, "__array__", refuse)


@pytest.mark.parametrize("name", STREAMING)
def test_one_block_at_a_time(make_cube, stream, tmp_path, no_whole_arrays, name):
    cube = make_cube(sizes={"bands": 1}, chunks={"t": 1, "y": 16, "x": 16})
    strict = Strict(stream)
    write(cube, tmp_path / name, stream=strict)
    assert strict.given == cube.data.npartitions == 36
    assert strict.largest == 16 * 16 * 4


@pytest.mark.parametrize("name", STREAMING)
def test_the_largest_array_does_not_grow_with_the_cube(make_cube, tmp_path, monkeypatch, name):
    """Nine times the cells, same chunks: the largest thing that numpy makes in our code stays the same."""
    sizes = []
    for factor in (1, 3):
        cells = 512 * factor
        cube = make_cube(sizes={"t": 1, "bands": 1, "y": cells, "x": 512}, values=da.zeros(
            (1, 1, cells, 512), chunks=(1, 1, 256, 256), dtype="float32"))  # fmt: skip
        target = tmp_path / f"{cells}{name}"
        sizes.append(largest_array(partial(write, cube, target, stream=constant_blocks)))
    assert sizes[0] == sizes[1]


def constant_blocks(cube):
    starts = [range(0, size, chunk[0]) for size, chunk in zip(cube.shape, cube.chunks, strict=True)]
    for places in np.ndindex(*map(len, starts)):
        index = tuple(slice(s[p], s[p] + c[0]) for s, p, c in zip(starts, places, cube.chunks, strict=True))
        yield index, np.full([i.stop - i.start for i in index], 7, dtype=cube.dtype)


def largest_array(run):
    """The largest numpy array in any local variable of our writers while they run."""
    largest = 0

    def watch(frame, event, _arg):
        nonlocal largest
        if event == "return" and "/engine/write/" in frame.f_code.co_filename:
            for value in frame.f_locals.values():
                if isinstance(value, np.ndarray) and value.ndim > 1:
                    largest = max(largest, value.nbytes)

    sys.setprofile(watch)
    try:
        run()
    finally:
        sys.setprofile(None)
    return largest


@pytest.mark.parametrize("name", ["out.tif", "out.png"])
def test_gdal_keeps_few_tiles(make_cube, stream, tmp_path, name):
    """Not the 5 % of the machine that it takes by itself."""
    with rasterio.Env():
        set_gdal_config("GDAL_CACHEMAX", 1 << 30)
    write(make_cube(sizes={"bands": 1}), tmp_path / name, stream=stream)
    with rasterio.Env():
        assert get_gdal_config("GDAL_CACHEMAX") == GDAL_CACHE


def test_pour_keeps_nothing_between_blocks(make_cube, stream):
    strict = Strict(stream)
    cube = make_cube(chunks={"y": 8})
    pour(strict, cube, lambda where, block: None)
    assert strict.given == 5


def test_the_strict_stream_catches_a_writer_that_hoards(make_cube, stream):
    hoard = []
    with pytest.raises(AssertionError, match="still held"):
        pour(Strict(stream), make_cube(chunks={"y": 8}), lambda where, block: hoard.append(block))


def test_the_guard_catches_a_writer_that_computes(make_cube, no_whole_arrays):
    with pytest.raises(AssertionError, match="whole array"):
        _ = make_cube(chunks={"y": 8}).values
