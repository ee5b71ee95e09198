"""Blocks in whatever order, into one tiled temporary GeoTIFF per date, with statistics and fingerprints on the way."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rasterio.crs
from rasterio.env import get_gdal_config, set_gdal_config
from rasterio.windows import Window

from engine.write.atomic import STORAGE_ERRORS, Staging, storing
from engine.write.model import Index, Stream
from engine.write.pour import Ledger, pour
from engine.write.sheets import Piece, Raster
from engine.write.tally import Tally

OPEN_FILES = 128
"""How many sheets are open at once; the one unused longest is closed, and opened again when it is needed."""

TILE_SIZES = (512, 256, 128)
"""Sides of a tile, the one wished for first."""


GDAL_CACHE = 128 << 20
"""Bytes that GDAL may keep of tiles, in all; left alone it takes 5 % of the machine, filled as the file grows."""


class Spool:
    """The sheets of a raster cube on disk, uncommitted.

    A tile that comes in several pieces would be compressed again with each, so tiles are only compressed where
    the cube's chunks are made of whole tiles. No predictor here, whatever the final file has: on reflectances
    and NDVI zstd-1 alone takes half to two thirds of the time, for 7 to 16 % more bytes that live for a minute.
    """

    def __init__(
        self,
        raster: Raster,
        staging: Staging,
        compress: str = "ZSTD",
        watch: Callable[[Piece], None] | None = None,
    ) -> None:
        self.raster = raster
        """What is spooled."""
        self.tallies = [[Tally(raster.nodata) for _ in raster.bands] for _ in raster.sheets]
        """Statistics by sheet and band."""
        self.ledger = Ledger()
        """What each sheet must read back as; parts are the sheets' names."""
        self._files = [staging.scratch(f"{number}.tif") for number in range(len(raster.sheets))]
        self._open: OrderedDict[int, Any] = OrderedDict()
        self._made: set[int] = set()
        self._profile = _profile(raster, compress)
        self._watch = watch
        _bound_cache()

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        while self._open:
            try:
                self._open.popitem()[1].close()
            except STORAGE_ERRORS:
                if failed is None:  # else the first failure says more than this one
                    raise

    def fill(self, stream: Stream) -> None:
        """Take all blocks."""
        pour(stream, self.raster.cube, self._take)

    def tag(self, sheet: int, tags: Mapping[str, str]) -> None:
        """Write names, statistics, scales and tags of a sheet into its file."""
        raster, file = self.raster, self._at(sheet)
        file.descriptions = tuple(band.name for band in raster.bands)
        file.update_tags(**tags)
        scalings = [band.scaling(raster.dtype) or (1.0, 0.0) for band in raster.bands]
        if any(scaling != (1.0, 0.0) for scaling in scalings):
            file.scales, file.offsets = zip(*scalings, strict=True)
        file.units = tuple(str(band.meta.get("unit") or "") for band in raster.bands)
        for number, tally in enumerate(self.tallies[sheet], start=1):
            file.update_tags(number, **tally.gdal())

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

    def _take(self, index: Index, block: np.ndarray) -> None:
        for piece in self.raster.pieces(index, block):
            self._put(piece)

    def _put(self, piece: Piece) -> None:
        bands, rows, columns = piece.where
        window = Window(columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start)
        numbers = list(range(bands.start + 1, bands.stop + 1))
        with storing(Path(self.raster.sheets[piece.sheet].name)):
            self._at(piece.sheet).write(piece.cells, indexes=numbers, window=window)
        self.ledger.note(self.raster.sheets[piece.sheet].name, piece.where, piece.cells)
        for number, cells in zip(numbers, piece.cells, strict=True):
            self.tallies[piece.sheet][number - 1].add(cells)
        if self._watch is not None:
            self._watch(piece)

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


def _bound_cache() -> None:
    """Lower GDAL's cache to the bound. It is one for the process, so it is never raised again."""
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
