"""Pieces of any size in any order become whole tiles; what waits for its other pieces goes to disk beyond a bound."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.write.sheets import Piece, Raster

WAITING = 64 << 20
"""Bytes of unfinished tiles in memory; where chunks are made of whole tiles there are none."""


@dataclass(frozen=True, order=True)
class Spot:
    """Which tile."""

    sheet: int
    """Of which sheet."""
    band: int
    """Of which band, from 0."""
    row: int
    """How many tiles are above it."""
    column: int
    """How many tiles are to its left."""


class Patchwork:
    """Tiles that are being put together; each is handed to `whole` once, and forgotten."""

    def __init__(
        self, raster: Raster, side: int, spill: Path, whole: Callable[[Spot, np.ndarray], None]
    ) -> None:
        self._shape = raster.grid.height, raster.grid.width
        self._dtype = raster.dtype
        self._side = side
        self._spill = spill
        self._whole = whole
        self._waiting: OrderedDict[Spot, np.ndarray] = OrderedDict()
        self._missing: dict[Spot, int] = {}
        self._slots: dict[Spot, int] = {}

    def put(self, piece: Piece) -> None:
        """Take a piece."""
        bands, rows, columns = piece.where
        for band, cells in enumerate(piece.cells, start=bands.start):
            for row in range(rows.start // self._side, -(-rows.stop // self._side)):
                for column in range(columns.start // self._side, -(-columns.stop // self._side)):
                    self._part(Spot(piece.sheet, band, row, column), rows.start, columns.start, cells)

    def _part(self, spot: Spot, top: int, left: int, cells: np.ndarray) -> None:
        """Take what belongs to one tile from cells whose corner is at (top, left)."""
        first_row, first_column = spot.row * self._side, spot.column * self._side
        height = min(self._side, self._shape[0] - first_row)
        width = min(self._side, self._shape[1] - first_column)
        above, before = max(0, top - first_row), max(0, left - first_column)
        part = cells[
            max(0, first_row - top) : first_row + height - top,
            max(0, first_column - left) : first_column + width - left,
        ]
        if part.shape == (height, width):
            self._whole(spot, part)
            return
        tile = self._unfinished(spot, height, width)
        tile[above : above + part.shape[0], before : before + part.shape[1]] = part
        self._missing[spot] -= part.size
        if self._missing[spot] == 0:
            del self._missing[spot], self._waiting[spot]
            self._whole(spot, tile)

    def _unfinished(self, spot: Spot, height: int, width: int) -> np.ndarray:
        """The tile as far as it is there."""
        if spot in self._waiting:
            self._waiting.move_to_end(spot)
            return self._waiting[spot]
        size = self._side * self._side * self._dtype.itemsize
        while self._waiting and (len(self._waiting) + 1) * size > WAITING:
            self._put_away(*self._waiting.popitem(last=False))
        if spot in self._missing:
            tile = self._brought_back(spot, height, width)
        else:
            tile = np.empty((height, width), self._dtype)
            self._missing[spot] = tile.size
        self._waiting[spot] = tile
        return tile

    def _put_away(self, spot: Spot, tile: np.ndarray) -> None:
        slot = self._slots.setdefault(spot, len(self._slots))
        with self._spill.open("r+b" if self._spill.exists() else "w+b") as file:
            file.seek(slot * self._side * self._side * self._dtype.itemsize)
            file.write(np.ascontiguousarray(tile).data)

    def _brought_back(self, spot: Spot, height: int, width: int) -> np.ndarray:
        with self._spill.open("rb") as file:
            file.seek(self._slots[spot] * self._side * self._side * self._dtype.itemsize)
            data = file.read(height * width * self._dtype.itemsize)
        return np.frombuffer(bytearray(data), self._dtype).reshape(height, width)
