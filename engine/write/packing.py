"""Tiles as the bytes that a TIFF keeps: differences of neighbours (the predictor), compressed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numcodecs.zstd import Zstd  # type: ignore[import-untyped]
from rasterio import Affine
from rasterio.io import MemoryFile

from engine.write.pour import crc32
from engine.write.tiff import STRIP_OFFSETS, STRIP_SIZES, read_heads
from processes.kernels.writing import byte_planes, differences

PLAINER = -5
"""The level of zstd at which what does not repeat is kept as it is: less than half the time of level 1."""

WORTH = 1.05
"""How much longer a tile may be for that: computed floats end in bytes that nothing shortens."""

SAMPLED = 8
"""Rows of a tile that are tried."""

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

    def plain(self, cells: np.ndarray, room: np.ndarray | None = None) -> np.ndarray:
        """Cells as bytes before compression, (rows, bytes); at the edges of the raster the last cell is repeated.

        The result lies in `room`, where there is one.
        """
        cells = np.asarray(cells, dtype=self.dtype)
        rows = (self.room() if room is None else room).reshape(self.side, -1)
        little = rows.view(self.dtype.newbyteorder("<"))
        match self.predictor:
            case 1:
                repeated(cells, little)
            case 2:
                differences(cells, little)
            case 3:
                byte_planes(cells, rows)
        return rows

    def pack(self, plain: np.ndarray) -> bytes:
        """Compress."""
        match self.compress:
            case "ZSTD":
                return _zstd(plain, self._effort(plain))
            case "NONE":
                return plain.tobytes()
        return _packed_by_gdal(plain, self.compress, min(self.level, 9))

    def _effort(self, plain: np.ndarray) -> int:
        """The level for a tile: at the least one for floats, a sample of rows says whether it can be less."""
        if self.level > 1 or self.predictor != 3:
            return self.level
        some = np.ascontiguousarray(plain[:: max(1, self.side // SAMPLED)])
        return PLAINER if len(_zstd(some, PLAINER)) <= WORTH * len(_zstd(some, 1)) else 1

    def unpack(self, packed: bytes | memoryview, room: np.ndarray) -> np.ndarray:
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


def _zstd(plain: np.ndarray, level: int) -> bytes:
    return bytes(Zstd(level=level).encode(plain))


def checksum(plain: np.ndarray) -> int:
    """What tells one tile from another; of plain bytes, so that it says something of every cell."""
    return int(crc32(plain.data))


def repeated(cells: np.ndarray, out: np.ndarray) -> None:
    """The cells, and beyond them the last ones of each row and column."""
    rows, columns = cells.shape
    out[:rows, :columns] = cells
    out[:rows, columns:] = cells[:, -1:]
    out[rows:] = out[rows - 1]


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
