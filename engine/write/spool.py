"""Pieces in whatever order, into one tiled temporary GeoTIFF per date."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rasterio.crs
from rasterio.env import get_gdal_config, set_gdal_config
from rasterio.windows import Window

from engine.settings import GDAL_CACHE
from engine.write.atomic import STORAGE_ERRORS, Staging, storing
from engine.write.sheets import Piece, Raster

OPEN_FILES = 128
"""How many sheets are open at once; the one unused longest is closed, and opened again when it is needed."""

TILE_SIZES = (512, 256, 128)
"""Sides of a tile, the one wished for first."""


IN_MEMORY = 64 << 20
"""Bytes of cells that are not worth a file."""


class Shelf:
    """The sheets of a small raster cube in memory; otherwise like `Spool`."""

    def __init__(self, raster: Raster) -> None:
        self.raster = raster
        """What lies on it."""
        shape = len(raster.sheets), len(raster.bands), raster.grid.height, raster.grid.width
        self._cells = np.empty(shape, raster.dtype)
        self._there: dict[int, list[Any]] = {number: [] for number in range(len(raster.sheets))}
        """Where pieces came, for sheets of which nobody knows yet that all is there."""

    def __enter__(self) -> Shelf:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def put(self, piece: Piece) -> None:
        """Take a piece."""
        self._cells[piece.sheet][piece.where] = piece.cells
        self._there[piece.sheet].append(piece.where)

    def drop(self, sheet: int) -> None:
        """Nothing is freed before the end."""

    def rows(self, sheet: int, start: int, stop: int) -> np.ndarray:
        """Some rows of a sheet, (bands, rows, columns); no-data where nothing came."""
        if sheet in self._there:
            self._complete(sheet, self._there.pop(sheet))
        return self._cells[sheet, :, start:stop]

    def _complete(self, sheet: int, there: Sequence[Any]) -> None:
        """Put no-data where nothing came."""
        if sum(self._cells[sheet][where].size for where in there) < self._cells[sheet].size:
            missing = np.ones(self._cells[sheet].shape, bool)
            for where in there:
                missing[where] = False
            self._cells[sheet][missing] = 0 if self.raster.nodata is None else self.raster.nodata


def shelf_or_spool(raster: Raster, staging: Staging) -> Shelf | Spool:
    """Where the cells of a cube wait until all are there."""
    bound_cache()
    return Shelf(raster) if raster.cube.size * raster.dtype.itemsize <= IN_MEMORY else Spool(raster, staging)


class Spool:
    """The sheets of a raster cube on disk, uncommitted.

    A tile that comes in several pieces would be compressed again with each, so tiles are only compressed where
    the cube's chunks are made of whole tiles. No predictor here, whatever the final file has: on reflectances
    and NDVI zstd-1 alone takes half to two thirds of the time, for 7 to 16 % more bytes that live for a minute.
    """

    def __init__(self, raster: Raster, staging: Staging, compress: str = "ZSTD") -> None:
        self.raster = raster
        """What is spooled."""
        self._files = [staging.scratch(f"{number}.tif") for number in range(len(raster.sheets))]
        self._open: OrderedDict[int, Any] = OrderedDict()
        self._made: set[int] = set()
        self._profile = _profile(raster, compress)
        bound_cache()

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        while self._open:
            try:
                self._open.popitem()[1].close()
            except STORAGE_ERRORS:
                if failed is None:  # else the first failure says more than this one
                    raise

    def put(self, piece: Piece) -> None:
        """Take a piece."""
        bands, rows, columns = piece.where
        window = Window(columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start)
        numbers = list(range(bands.start + 1, bands.stop + 1))
        with storing(Path(self.raster.sheets[piece.sheet].name)):
            self._at(piece.sheet).write(piece.cells, indexes=numbers, window=window)

    def close(self, sheet: int) -> Path:
        """The finished file of a sheet."""
        self._at(sheet)
        self._open.pop(sheet).close()
        return self._files[sheet]

    def drop(self, sheet: int) -> None:
        """Free the disk that a sheet took."""
        if sheet in self._open:
            self._open.pop(sheet).close()
        self._files[sheet].unlink()

    def rows(self, sheet: int, start: int, stop: int) -> np.ndarray:
        """Some rows of a sheet, (bands, rows, columns)."""
        window = Window(0, start, self.raster.grid.width, stop - start)
        return np.asarray(self._at(sheet).read(window=window))

    def _at(self, sheet: int) -> Any:
        """The open file of a sheet."""
        if sheet in self._open:
            self._open.move_to_end(sheet)
            return self._open[sheet]
        if len(self._open) >= OPEN_FILES:
            self._open.popitem(last=False)[1].close()
        path = self._files[sheet]
        if sheet in self._made:
            file = rasterio.open(path, "r+", driver="GTiff")
        else:
            file = rasterio.open(path, "w+", **self._profile)
            self._made.add(sheet)
        self._open[sheet] = file
        return file


def bound_cache() -> None:
    """Lower GDAL's cache to the bound: left alone it takes 5 % of the machine, and it is one for the process."""
    with rasterio.Env():
        if get_gdal_config("GDAL_CACHEMAX") > GDAL_CACHE:
            set_gdal_config("GDAL_CACHEMAX", GDAL_CACHE)


def _profile(raster: Raster, compress: str) -> dict[str, Any]:
    tile = _tile(raster)
    profile: dict[str, Any] = {
        "driver": "GTiff", "dtype": raster.dtype.name, "nodata": raster.nodata, "count": len(raster.bands),
        "width": raster.grid.width, "height": raster.grid.height, "transform": raster.grid.transform,
        "tiled": True, "blockxsize": tile or TILE_SIZES[0], "blockysize": tile or TILE_SIZES[0],
        "interleave": "band", "bigtiff": "IF_SAFER", "sparse_ok": True,
    }  # fmt: skip
    if raster.grid.crs is not None:
        profile["crs"] = rasterio.crs.CRS.from_wkt(raster.grid.crs.to_wkt())
    if tile and compress != "NONE":
        profile |= (
            {"compress": "deflate", "zlevel": 1}
            if compress == "DEFLATE"
            else {"compress": "zstd", "zstd_level": 1}
        )
    return profile


def _tile(raster: Raster) -> int | None:
    """The greatest tile that all chunks are made of, as the sheets lie; None where there is none."""
    ways = ((raster.axes.y, raster.grid.flip_y), (raster.axes.x, raster.grid.flip_x))
    edges: list[int] = []
    for dim, flip in ways:
        lengths = raster.cube.variable.chunksizes.get(dim, (raster.cube.sizes[dim],))
        edges += lengths[1:] if flip else lengths[:-1]
    return next((size for size in TILE_SIZES if all(edge % size == 0 for edge in edges)), None)
