"""Takes the blocks of a cube from its stream one at a time, and remembers them for the check before publication."""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Callable, Generator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from engine.errors import Problem
from engine.write.atomic import storage_failure
from engine.write.model import Index, Stream

crc32: Any = (import_module("isal.isal_zlib") if find_spec("isal") else zlib).crc32
"""isal counts three times as fast, and to the same number."""


def pour(stream: Stream, cube: xr.DataArray, take: Callable[[Index, np.ndarray], None]) -> None:
    """Hand every block of `cube` to `take`, which must not keep it.

    No name here holds a block while the stream makes the next one (test_one_block_at_a_time shows it), so
    memory is that of one block. A stream that leaves cells out, or gives some twice, is an error; one that is
    not read to its end is closed, so that it can let its threads go.
    """
    corners: set[int] = set()
    blocks = cells = 0
    source = stream(cube)
    try:
        for index, block in source:
            where = _checked(index, block, cube)
            corners.add(_corner(where, cube))
            blocks, cells = blocks + 1, cells + block.size
            take(where, _typed(block, cube))
            del block
    finally:
        if isinstance(source, Generator):
            source.close()
    if cells != cube.size or blocks != len(corners):
        twice = blocks - len(corners)
        raise RuntimeError(f"the stream gave {cells} cells of a cube of {cube.size}, {twice} blocks twice")


def whole(stream: Stream, cube: xr.DataArray) -> np.ndarray:
    """All of a cube at once: for coordinates and for what is known to be small."""
    out = np.empty(cube.shape, cube.dtype)

    def take(where: Index, block: np.ndarray) -> None:
        out[where] = block

    pour(stream, cube, take)
    return out


def _corner(where: Index, cube: xr.DataArray) -> int:
    """The number of the first cell of a block, in the order of the dimensions."""
    number = 0
    for part, size in zip(where, cube.shape, strict=True):
        number = number * size + int(part.start)
    return number


def labels(stream: Stream, coord: xr.DataArray) -> np.ndarray:
    """The values of a coordinate; chunking a cube makes those lazy that are no index."""
    return np.asarray(coord.values) if coord.chunks is None else whole(stream, coord)


def _checked(index: Index, block: np.ndarray, cube: xr.DataArray) -> Index:
    """The index with plain starts and stops; it must lie in the cube and fit the block."""
    if len(index) != cube.ndim:
        raise RuntimeError(f"the stream gave an index of {len(index)} slices for {cube.ndim} dimensions")
    where = tuple(slice(*part.indices(size)[:2]) for part, size in zip(index, cube.shape, strict=True))
    shape = tuple(part.stop - part.start for part in where)
    if block.shape != shape:
        raise RuntimeError(f"the stream gave a block of {block.shape} where {shape} belongs")
    return where


def _typed(block: np.ndarray, cube: xr.DataArray) -> np.ndarray:
    """The block in the type that the cube has: a lazy cube's word and its blocks may differ in width."""
    if block.dtype == cube.dtype:
        return block
    if not np.can_cast(block.dtype, cube.dtype, "same_kind"):
        raise RuntimeError(f"the cube is {cube.dtype}, and a block came as {block.dtype}")
    return block.astype(cube.dtype)


def fingerprint(cells: np.ndarray) -> int:
    """A checksum of the values; all NaNs count as the same, because files keep one of them."""
    cells = np.asarray(cells)
    if cells.dtype.kind == "f" and (holes := np.isnan(cells)).any():
        cells = np.where(holes, np.array(np.nan, cells.dtype), cells)
    return int(crc32(np.ascontiguousarray(cells).data))


class Ledger:
    """What was written where: each window of each part (file or variable) has a fingerprint.

    A row of whole numbers for each (starts, stops, fingerprint): 56 bytes for a block of a megabyte.
    """

    def __init__(self) -> None:
        self._rows: dict[str, array[int]] = {}

    def note(self, part: str, where: Index, cells: np.ndarray) -> None:
        """Remember that `cells` went there."""
        rows = self._rows.setdefault(part, array("q"))
        rows.extend([*(s.start for s in where), *(s.stop for s in where), fingerprint(cells)])

    def check(self, part: str, dims: int, read: Callable[[Index], np.ndarray], path: Path) -> None:
        """Read everything of `part` back, in order, and compare; a difference is a storage failure."""
        table = np.frombuffer(self._rows[part], dtype="int64").reshape(-1, 2 * dims + 1)
        for number in np.lexsort(table.T[::-1]):
            *ends, expected = table[number].tolist()
            where = tuple(map(slice, ends[:dims], ends[dims:]))
            if fingerprint(read(where)) != expected:
                window = ", ".join(f"{s.start}:{s.stop}" for s in where)
                raise not_as_written(path, f"cells [{window}] of {part} differ")


def not_as_written(path: Path, what: str) -> Problem:
    """The refusal to publish a file that does not read back as it was written."""
    return storage_failure(path, f"it did not read back as it was written, {what}")
