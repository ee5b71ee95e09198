"""One band of a raster whose windows come in the numbers of the cube: its type, its no-data, its scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox
from odc.loader.types import RasterLoadParams
from rasterio.errors import RasterioIOError
from rasterio.windows import Window

from engine.errors import Problem
from engine.load.files import HANDLES, Header, header_of, key_of, named
from engine.load.handles import Key
from engine.load.model import Source
from engine.load.place import shrinkage
from engine.load.remembered import remembered

NEARLY = 1.01
"""An overview that is up to a hundredth coarser than the target still serves it."""
LEADER = 4
"""Bytes before and after a block that GDAL may read with it: some writers repeat its size there."""
SLACK = 0.1
"""Part of its size by which a file may lie off what the metadata say of it."""


@dataclass(frozen=True)
class Image:
    """A band of a raster, or of one of its overviews."""

    key: Key
    """The file, or the overview of it."""
    head: Header
    """What that says of itself."""
    source: Source
    """Which band of which asset this is."""
    geobox: GeoBox
    """Its pixel grid."""
    dtype: np.dtype
    """Type of the cube."""
    fill: float
    """What stands for no-data in the cube (for integers without any: what is never seen)."""
    marked: bool
    """Whether the cube knows no-data."""

    @property
    def stored(self) -> np.dtype:
        """Type of the file's numbers."""
        return np.dtype(self.head.dtypes[self.source.index - 1])

    def window(self, rows: slice, cols: slice) -> np.ndarray:
        """These pixels in the numbers of the cube."""
        return self._decoded(named(self.source, lambda: self._read(rows, cols), rows=rows, cols=cols))

    def _read(self, rows: slice, cols: slice) -> np.ndarray:
        window = Window(cols.start, rows.start, cols.stop - cols.start, rows.stop - rows.start)
        with HANDLES.lent(self.key) as dataset:
            stored: np.ndarray = dataset.read(self.source.index, window=window)
            return stored

    def spans(self, rows: slice, cols: slice) -> tuple[tuple[int, int], ...]:
        """Which bytes of a TIFF these pixels are decoded from."""
        return named(self.source, lambda: self._spans(rows, cols), rows=rows, cols=cols)

    def _spans(self, rows: slice, cols: slice) -> tuple[tuple[int, int], ...]:
        band = self.source.index
        found = []
        with HANDLES.lent(self.key) as dataset:
            tall, wide = dataset.block_shapes[band - 1]
            for y in range(rows.start // tall, -(-rows.stop // tall)):
                for x in range(cols.start // wide, -(-cols.stop // wide)):
                    at = dataset.get_tag_item(f"BLOCK_OFFSET_{x}_{y}", "TIFF", bidx=band)
                    size = dataset.get_tag_item(f"BLOCK_SIZE_{x}_{y}", "TIFF", bidx=band)
                    if at and size:  # a block without any is one of no-data
                        found.append((max(0, int(at) - LEADER), int(at) + int(size) + LEADER))
        return tuple(found)

    def _decoded(self, stored: np.ndarray) -> np.ndarray:
        source = self.source
        void = self.head.tags[source.index - 1] if source.nodata is None else source.nodata
        integers = self.dtype.kind not in "fc"
        if integers and not np.can_cast(stored.dtype, self.dtype):
            raise self._unfit(f"holds {stored.dtype} numbers, which do not fit the cube's {self.dtype}")
        missing = None if integers and self.marked and void == self.fill else _missing(stored, void)
        if missing is not None and not self.marked and missing.any():
            raise self._unfit(
                f"has pixels with its no-data value {void:g}, of which metadata and other files know nothing"
            )
        numbers: np.ndarray = stored.astype(self.dtype, copy=False)
        if source.scaled and source.scale is not None:
            numbers = numbers * self.dtype.type(source.scale)
        if source.scaled and source.offset is not None:
            numbers = numbers + self.dtype.type(source.offset)
        if missing is not None and self.marked:
            numbers[missing] = self.fill
        return numbers

    def _unfit(self, what: str) -> Problem:
        source = self.source
        return Problem(
            "FileContentInvalid",
            f"asset {source.asset!r} (band {source.index}) of item {source.item!r} {what}.",
            hint="Correct the item's data_type or nodata, or wish for a nodata value.",
            facts={"item": source.item, "asset": source.asset, "band": source.index},
        )


def _missing(stored: np.ndarray, void: float | None) -> np.ndarray | None:
    """Where the stored numbers stand for no-data; None where none can."""
    if void is None or math.isnan(void):
        return None  # NaN stays NaN
    if stored.dtype.kind in "fc":
        return stored == stored.dtype.type(void)
    if (
        not math.isfinite(void)
        or void != int(void)
        or not np.iinfo(stored.dtype).min <= void <= np.iinfo(stored.dtype).max
    ):
        return None
    return stored == stored.dtype.type(int(void))


def image_of(source: Source, target: GeoBox, cfg: RasterLoadParams) -> Image:
    """The band at full size, or at the coarsest overview that is not coarser than the target."""
    key = named(source, lambda: key_of(source))
    head = named(source, lambda: _with_band(header_of(key), source.index))
    grid = own_grid(head, source)
    full = _image(key, head, source, grid, cfg)
    level = _overview(head.shrinks[source.index - 1], grid, target) if cfg.use_overviews else None
    if level is None:
        return full
    key = replace(key, overview=level)
    smaller = named(source, lambda: header_of(key))
    if smaller.means[source.index - 1] and (source.classified or head.palette):
        return full  # there is no mean of classes
    return replace(full, key=key, head=smaller, geobox=_shrunk(grid, smaller.shape))


def _with_band(head: Header, index: int) -> Header:
    if index > len(head.dtypes):
        raise RasterioIOError(f"the file has {len(head.dtypes)} bands only")
    return head


def _image(key: Key, head: Header, source: Source, grid: GeoBox, cfg: RasterLoadParams) -> Image:
    dtype = np.dtype(cfg.dtype or head.dtypes[source.index - 1])
    floats = dtype.kind in "fc"
    fill: Any = cfg.fill_value if cfg.fill_value is not None else (math.nan if floats else 0)
    return Image(key, head, source, grid, dtype, fill, floats or cfg.fill_value is not None)


def own_grid(head: Header, source: Source) -> GeoBox:
    """The file's own grid, or the one that the metadata give to a file that has none."""
    told = source.geobox
    own = head.geobox
    if own is None or not head.placed:
        if told is None or told.shape != head.shape:
            raise Problem(
                "FileContentInvalid",
                f"asset {source.asset!r} of item {source.item!r} has no place on earth: no CRS and transform in the file,"
                " nor such in the metadata that fit its size.",
                hint="Give the item proj:code, proj:shape and proj:transform.",
                facts={"item": source.item, "asset": source.asset},
            )
        return told
    if told is not None and not _agree(own, told):
        raise Problem(
            "FileContentInvalid",
            f"asset {source.asset!r} of item {source.item!r} lies at {_corners(own)}, but its metadata say {_corners(told)}.",
            hint="Correct the item's proj:shape and proj:transform.",
            facts={"item": source.item, "asset": source.asset},
        )
    return own


@remembered
def _agree(own: GeoBox, told: GeoBox) -> bool:
    """Whether two grids may be meant for one file; of different CRSs that is taken for granted."""
    if told.crs != own.crs:
        return True
    a, b = own.boundingbox, told.boundingbox
    x, y = SLACK * (a.right - a.left), SLACK * (a.top - a.bottom)
    return all(abs(p - q) <= slack for p, q, slack in zip(a.bbox, b.bbox, (x, y, x, y), strict=True))


def _corners(box: GeoBox) -> str:
    return "(" + ", ".join(f"{v:.10g}" for v in box.boundingbox.bbox) + ")"


def _overview(factors: Sequence[int], grid: GeoBox, target: GeoBox) -> int | None:
    """Number of the coarsest overview that still has as many pixels as the target, whatever the resampling.

    So `nearest` takes what the file's maker thought right for a smaller picture, as GDAL's own warp does.
    """
    wanted = min(shrinkage(grid, target)) * NEARLY
    fitting = [n for n, factor in enumerate(factors) if factor <= wanted]
    return max(fitting, key=lambda n: factors[n], default=None)


def _shrunk(grid: GeoBox, shape: tuple[int, int]) -> GeoBox:
    """The grid of an overview, which covers the same ground with fewer pixels."""
    return GeoBox(
        shape, grid.transform * Affine.scale(grid.shape[1] / shape[1], grid.shape[0] / shape[0]), grid.crs
    )
