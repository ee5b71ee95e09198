"""The reduced copies of the sheets: halved on the way where that is exact, the rest by GDAL from what was halved."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio import Affine
from rasterio.enums import Resampling
from rasterio.windows import Window

from engine.write.atomic import Staging
from engine.write.patchwork import Spot
from engine.write.sheets import Piece, Raster
from engine.write.spool import IN_MEMORY, Shelf, Spool
from processes.kernels.writing import halved


@dataclass(frozen=True)
class Reduced:
    """A tile of a reduced copy."""

    level: int
    """1 for the largest copy, which has half the rows and columns."""
    band: int
    """Of which band, from 0."""
    row: int
    """How many tiles are above it."""
    column: int
    """How many tiles are to its left."""
    cells: np.ndarray
    """(rows, columns)."""


class Pyramid:
    """Reduced copies of every sheet, until no side is longer than a tile.

    What is small is kept in memory, and each copy made of the one before. Of larger sheets GDAL makes what cannot be
    made tile by tile.

    With even sides each cell of the first copy covers two by two cells, so it can be made tile by tile, and a
    quarter of the cells is all that GDAL has to read for the other copies. With odd sides cells of the copies are
    a little less than two wide, and their kernels reach into neighbouring tiles; so do bilinear and the like.
    Then the cells are kept as they are, for GDAL to make all copies.
    """

    def __init__(
        self, raster: Raster, staging: Staging, side: int, resampling: str | None, compress: str
    ) -> None:
        grid = raster.grid
        self.sizes = [] if resampling is None else _sizes(grid.width, grid.height, side)
        """Columns and rows of the copies, the largest first; none without a way of resampling."""
        self._side = side
        self._resampling = _GDAL_NAMES.get(str(resampling), str(resampling))
        local = resampling == "NEAREST" or (resampling == "AVERAGE" and raster.dtype.kind == "f")
        self._halved = local and grid.width % 2 == 0 and grid.height % 2 == 0
        if self._halved:
            smaller = replace(
                grid,
                width=grid.width // 2,
                height=grid.height // 2,
                transform=grid.transform @ Affine.scale(2),
            )
            raster, compress = replace(raster, grid=smaller), "NONE"
        size = math.prod((len(raster.sheets), len(raster.bands), raster.grid.height, raster.grid.width))
        self._spool: Spool | Shelf | None = None
        if self.sizes:
            small = local and size * raster.dtype.itemsize <= IN_MEMORY
            self._spool = Shelf(raster) if small else Spool(raster, staging, compress)

    def __enter__(self) -> Pyramid:
        return self

    def __exit__(self, *failed: Any) -> None:
        if self._spool is not None:
            self._spool.__exit__(*failed)

    def piece(self, piece: Piece) -> None:
        """Take a piece as it comes."""
        if self._spool is not None and not self._halved:
            self._spool.put(piece)

    def tile(self, spot: Spot, cells: np.ndarray) -> None:
        """Take a whole tile of the full resolution."""
        if self._spool is None or not self._halved:
            return
        half = self._half(cells)
        top, left = spot.row * self._side // 2, spot.column * self._side // 2
        rows, columns = half.shape
        where = slice(spot.band, spot.band + 1), slice(top, top + rows), slice(left, left + columns)
        self._spool.put(Piece(spot.sheet, where, half[np.newaxis]))

    def tiles(self, sheet: int) -> Iterator[Reduced]:
        """All tiles of all copies of a sheet."""
        if isinstance(self._spool, Shelf):
            yield from self._own(self._spool, sheet)
        elif self._spool is not None:
            yield from self._by_gdal(self._spool, sheet)

    def _half(self, cells: np.ndarray) -> np.ndarray:
        return cells[::2, ::2] if self._resampling == "NEAREST" else halved(cells)

    def _own(self, shelf: Shelf, sheet: int) -> Iterator[Reduced]:
        """All copies of what is in memory: means of the copy before, the nearest cells of all."""
        kept = planes = list(shelf.rows(sheet, 0, shelf.raster.grid.height))
        for level, (width, height) in enumerate(self.sizes, 1):
            if self._resampling == "NEAREST":
                planes = [_nearest(plane, (height, width)) for plane in kept]
            elif level > 1 or not self._halved:
                planes = [self._half(plane) for plane in planes]
            for band, plane in enumerate(planes):
                for row, column in np.ndindex(-(-height // self._side), -(-width // self._side)):
                    top, left = row * self._side, column * self._side
                    cells = plane[top : top + self._side, left : left + self._side]
                    yield Reduced(level, band, row, column, cells)

    def _by_gdal(self, spool: Spool, sheet: int) -> Iterator[Reduced]:
        path = spool.close(sheet)
        factors = [2**n for n in range(1, len(self.sizes) + (not self._halved))]
        if factors:
            with (
                rasterio.Env(GDAL_TIFF_OVR_BLOCKSIZE=self._side),
                rasterio.open(path, "r+", driver="GTiff") as file,
            ):
                file.build_overviews(factors, Resampling[self._resampling.lower()])
        for level in range(1, len(self.sizes) + 1):
            yield from self._tiles_of(path, level)
        spool.drop(sheet)

    def _tiles_of(self, path: Path, level: int) -> Iterator[Reduced]:
        number = level - (2 if self._halved else 1)
        kind: Mapping[str, Any] = {} if number < 0 else {"overview_level": number}
        width, height = self.sizes[level - 1]
        with rasterio.open(path, driver="GTiff", **kind) as file:
            if (file.width, file.height) != (width, height):
                raise RuntimeError(
                    f"GDAL made a copy of {file.width} x {file.height}, not {width} x {height}"
                )
            for band, row, column in np.ndindex(
                file.count, -(-height // self._side), -(-width // self._side)
            ):
                top, left = row * self._side, column * self._side
                window = Window(left, top, min(self._side, width - left), min(self._side, height - top))
                yield Reduced(level, band, row, column, file.read(band + 1, window=window))


_GDAL_NAMES = {"CUBICSPLINE": "CUBIC_SPLINE"}


def _nearest(cells: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """So many rows and columns of all, chosen as GDAL does it."""
    rows, columns = (
        np.floor(0.5 + np.arange(few) * (many / few)).astype(np.intp)
        for few, many in zip(shape, cells.shape, strict=True)
    )
    return cells[np.ix_(rows, columns)]


def _sizes(width: int, height: int, side: int) -> list[tuple[int, int]]:
    sizes = []
    while max(width, height) > side:
        width, height = -(-width // 2), -(-height // 2)
        sizes.append((width, height))
    return sizes
