"""Takes the blocks of a raster cube, and keeps their tiles packed as the finished files will have them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.write.atomic import Staging, storing
from engine.write.cog import Level, Place
from engine.write.model import Index, Stream
from engine.write.packing import Packing
from engine.write.patchwork import Patchwork, Spot
from engine.write.pour import pour
from engine.write.press import Press
from engine.write.pyramid import Pyramid
from engine.write.sheets import Raster
from engine.write.tally import Tally


class Tiles:
    """The tiles of all sheets on disk, uncommitted; each is packed once, when its last cell has come."""

    def __init__(
        self, raster: Raster, packing: Packing, pyramid: Pyramid, press: Press, staging: Staging
    ) -> None:
        self.tallies = [[Tally(raster.nodata) for _ in raster.bands] for _ in raster.sheets]
        """Statistics by sheet and band."""
        self._raster = raster
        self._side = packing.side
        self._pyramid = pyramid
        self._press = press
        self._files = [staging.scratch(f"{number}.tiles") for number in range(len(raster.sheets))]
        self._levels = [self._empty(path) for path in self._files]
        self._patchwork = Patchwork(raster, packing.side, staging.scratch("unfinished"), self._whole)
        self._room = np.empty(packing.side * packing.side, raster.dtype)

    def fill(self, stream: Stream) -> None:
        """Take all blocks."""
        pour(stream, self._raster.cube, self._take)
        self._press.flush()

    def finish(self, sheet: int) -> Sequence[Level]:
        """The full resolution and its reduced copies; call it once for each sheet."""
        levels = self._levels[sheet]
        for tile in self._pyramid.tiles(sheet):
            self._keep(sheet, tile.level, (tile.band, tile.row, tile.column), tile.cells)
        self._press.flush()
        return levels

    def drop(self, sheet: int) -> None:
        """Free the disk and the memory that a sheet took."""
        self._files[sheet].unlink(missing_ok=True)
        self._levels[sheet] = []

    def _empty(self, path: Path) -> list[Level]:
        grid, side = self._raster.grid, self._side
        return [
            Level(width, height, path, (len(self._raster.bands), -(-height // side), -(-width // side)))
            for width, height in [(grid.width, grid.height), *self._pyramid.sizes]
        ]

    def _take(self, index: Index, block: np.ndarray) -> None:
        for piece in self._raster.pieces(index, block):
            with storing(Path(self._raster.sheets[piece.sheet].name)):
                self._pyramid.piece(piece)
                self._patchwork.put(piece)

    def _whole(self, spot: Spot, cells: np.ndarray) -> None:
        cells = self._in_a_row(cells)
        self.tallies[spot.sheet][spot.band].add(cells)
        if self._keep(spot.sheet, 0, (spot.band, spot.row, spot.column), cells):
            self._pyramid.tile(spot, cells)

    def _in_a_row(self, cells: np.ndarray) -> np.ndarray:
        """The cells of a tile without others between them: what follows reads them several times."""
        if cells.flags.c_contiguous:
            return cells
        tile = self._room[: cells.size].reshape(cells.shape)
        tile[:] = cells
        return tile

    def _keep(self, sheet: int, level: int, place: Place, cells: np.ndarray) -> bool:
        """Have a tile packed, unless it is empty: a tile that is missing reads as no-data."""
        if is_empty(cells, self._raster.nodata):
            return False
        self._press.put(Path(self._raster.sheets[sheet].name), self._levels[sheet][level], place, cells)
        return True


def is_empty(cells: np.ndarray, nodata: float | None) -> bool:
    """Whether all cells are no-data, or 0 where there is no no-data; mostly the first one tells."""
    empty: Any = np.isnan if nodata != nodata else lambda some: some == (0 if nodata is None else nodata)
    return bool(empty(cells[0, 0]) and empty(cells).all())
