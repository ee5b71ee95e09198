"""Tiles as the bytes that a TIFF keeps: differences of neighbours (the predictor), compressed."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numcodecs.zstd import Zstd  # type: ignore[import-untyped]
from rasterio import Affine
from rasterio.io import MemoryFile

from engine.write.tiff import STRIP_OFFSETS, STRIP_SIZES, read_heads

SOMEWHERE = Affine(2, 0, 0, 0, -2, 0)
"""Any place: rasterio warns of images that have none."""


@dataclass(frozen=True)
class Packing:
    """How cells become bytes.

    The predictors are in NumPy and zstd is called directly because GDAL would unpack twice what is packed once:
    to lay tiles out anew, and to compare them. Deflate and LZW are left to GDAL, whose deflate is twice as fast
    as zlib.
    """

    dtype: np.dtype[Any]
    """Type of the cells."""
    side: int
    """Rows and columns of a tile."""
    compress: str
    """`ZSTD`, `DEFLATE`, `LZW` or `NONE`."""
    level: int
    """Effort."""
    predict: bool
    """Whether differences are stored."""

    @property
    def predictor(self) -> int:
        """TIFF's number: 1 for none, 2 for differences of numbers, 3 for differences of the bytes of floats."""
        if not self.predict or self.compress == "NONE":
            return 1
        return 3 if self.dtype.kind == "f" else 2

    @property
    def reversible(self) -> bool:
        """Whether `unpack` can undo `pack`; else somebody else's reader has to."""
        return self.compress in ("ZSTD", "NONE")

    def plain(self, cells: np.ndarray) -> np.ndarray:
        """Cells as bytes before compression, (rows, bytes); at the edges of the raster the last cell is repeated."""
        little = self.dtype.newbyteorder("<")
        cells = np.ascontiguousarray(_padded(cells, self.side), dtype=little)
        match self.predictor:
            case 2:
                cells = _differences(cells)
            case 3:
                return _byte_planes(cells)
        return cells.view("uint8")

    def pack(self, plain: np.ndarray) -> bytes:
        """Compress."""
        match self.compress:
            case "ZSTD":
                return bytes(Zstd(level=self.level).encode(plain))
            case "NONE":
                return plain.tobytes()
        return _packed_by_gdal(plain, self.compress, min(self.level, 9))

    def unpack(self, packed: bytes, room: np.ndarray) -> np.ndarray:
        """Undo `pack`, where that is `reversible`; ValueError where the bytes are damaged.

        The result lies in `room`, the bytes of one tile: fresh memory for each would cost half as much again.
        """
        if self.compress == "NONE":
            return np.frombuffer(packed, "uint8")
        try:
            Zstd().decode(packed, out=room)
        except RuntimeError as fault:
            raise ValueError(str(fault)) from fault
        return room

    def room(self) -> np.ndarray:
        """Memory for one tile before compression."""
        return np.empty(self.side * self.side * self.dtype.itemsize, "uint8")


def checksum(plain: np.ndarray) -> int:
    """What tells one tile from another; of plain bytes, so that it says something of every cell."""
    return zlib.crc32(plain.data)


def _padded(cells: np.ndarray, side: int) -> np.ndarray:
    rows, columns = cells.shape
    if (rows, columns) == (side, side):
        return cells
    tile = np.empty((side, side), cells.dtype)
    tile[:rows, :columns] = cells
    tile[:rows, columns:] = cells[:, -1:]
    tile[rows:] = tile[rows - 1]
    return tile


def _differences(cells: np.ndarray) -> np.ndarray:
    """Each cell less its left neighbour; integers wrap, and that is meant."""
    out = np.empty_like(cells)
    out[:, 0] = cells[:, 0]
    np.subtract(cells[:, 1:], cells[:, :-1], out=out[:, 1:])
    return out


def _byte_planes(cells: np.ndarray) -> np.ndarray:
    """In each row the first bytes (sign and exponent) of all cells, then the second ones...; then differences."""
    rows, columns = cells.shape
    size = cells.dtype.itemsize
    parts = cells.view("uint8").reshape(rows, columns, size)
    planes = np.empty((rows, size, columns), "uint8")
    for number in range(size):
        planes[:, number] = parts[:, :, size - 1 - number]
    return _differences(planes.reshape(rows, size * columns))


def _packed_by_gdal(plain: np.ndarray, compress: str, level: int) -> bytes:
    """The only strip of an image in memory whose cells are the bytes."""
    rows, columns = plain.shape
    effort = {"zlevel": level} if compress == "DEFLATE" else {}
    with MemoryFile(ext=".tif") as memory:
        with memory.open(
            driver="GTiff", width=columns, height=rows, count=1, dtype="uint8", transform=SOMEWHERE,
            blockysize=rows, compress=compress, BIGTIFF="YES", **effort,
        ) as image:  # fmt: skip
            image.write(plain, 1)
        (head,) = read_heads(memory)
        memory.seek(head.number(STRIP_OFFSETS))
        return bytes(memory.read(head.number(STRIP_SIZES)))
