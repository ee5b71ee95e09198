"""Warping from one grid to another, block by block, the same whatever the blocks.

The resampling is GDAL's, as by gdalwarp: where cells grow, the interpolating methods take in as many of the old cells
as a new one covers. How many that is, is settled once for the whole grid, so that no block differs from its neighbour.
The nearest cells, and what lies between four, are found here, with the places that a lattice gives; the means of
whole old cells, too. All else is left to GDAL.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import dask.array as da
import numpy as np
import rasterio.warp
from affine import Affine
from dask.base import tokenize
from odc.geo.geobox import GeoBox
from odc.geo.overlap import compute_reproject_roi
from odc.geo.roi import roi_is_empty
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.errors import NotGeoreferencedWarning

from processes.cubes.coarse import Blocks, blocks
from processes.cubes.lattice import mesh_of, window
from processes.kernels.moves import Mesh, Move
from processes.lazy import Lazy
from processes.places import Region, from_hull, hull, taken
from processes.recipes import Changed

GDAL_NAMES = {"near": "nearest", "cubicspline": "cubic_spline"}
"""openEO's names of resampling methods where GDAL has others."""
RADIUS = {"bilinear": 1, "cubic": 2, "cubicspline": 2, "lanczos": 3}
"""How many cells around a place a method looks at, where cells do not grow."""
BLOCK = 1024
"""Cells along each side of a new block."""
STRIP = 256
"""Columns that are warped at once: within these the warp's own approximation stays below a hundredth of a cell."""
NEARLY = 0.05
"""Part of a cell by which sizes may differ and still count as equal."""

# rasterio hides this warning by itself, but with a means that threads undo for each other
warnings.filterwarnings("ignore", message="Dataset has no geotransform", category=NotGeoreferencedWarning)


def warp(source: Any, old: GeoBox, new: GeoBox, method: str, null: Any) -> Any:
    """An array (..., y, x) on another grid, lazily where it is lazy.

    Args:
        source: Values on the old grid, NumPy or dask; `null` where there is none.
        old: The grid of `source`.
        new: The grid that is wanted.
        method: Resampling method, by openEO's name.
        null: The value that stands for no-data, before and after; `None` where there is none.
    """
    down, across = ratio(old, new)
    step = Step(method, null, (max(1.0, down), max(1.0, across)))
    if not isinstance(source, da.Array):
        return step(
            source, Part(old, new, slice(0, new.shape[0]), slice(0, new.shape[1])), whole(old), alone=True
        )
    if isinstance(source, Lazy):
        return source.of(Warped(source.recipe, old, new, step))
    rows, columns = (runs(n) for n in new.shape)
    lines = [[one_block(source, Part(old, new, r, c), step) for c in columns] for r in rows]
    return da.concatenate([da.concatenate(line, axis=-1) for line in lines], axis=-2)


def ratio(old: GeoBox, new: GeoBox) -> tuple[float, float]:
    """How many old cells go into a new one, down and across; on average, where they are of different projections."""
    if old.crs == new.crs and old.axis_aligned and new.axis_aligned:
        return abs(new.transform.e / old.transform.e), abs(new.transform.a / old.transform.a)
    with np.errstate(invalid="ignore"):  # where a corner of the grid has no place in the other
        across, down = compute_reproject_roi(old, new).scale2.xy
    return down, across


def runs(count: int) -> list[slice]:
    """An axis, cut into blocks."""
    return [slice(i, min(i + BLOCK, count)) for i in range(0, count, BLOCK)]


def one_block(source: da.Array, part: Part, step: Step) -> da.Array:
    """One block of the new grid, from the window of the old one that it is made of."""
    window = step.window(part, source.dtype)
    chunks = (*source.chunks[:-2], *((n,) for n in part.shape))
    if roi_is_empty(window):
        shape = (*source.shape[:-2], *part.shape)
        return da.full(shape, step.filler(source.dtype), dtype=source.dtype, chunks=chunks)
    cells = source[(..., *window)].rechunk({source.ndim - 2: -1, source.ndim - 1: -1})
    return cells.map_blocks(Warp(step, part, window), dtype=source.dtype, chunks=chunks)


@dataclass(frozen=True, eq=False)
class Warped(Changed):
    """The recipe of an array (..., y, x) on another grid."""

    old: GeoBox
    """Its grid."""
    new: GeoBox
    """The grid that is wanted."""
    step: Step
    """How values are moved."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return (*self.source.shape[:-2], *self.new.shape)

    @property
    def chunks(self) -> tuple[tuple[int, ...], ...]:
        """Squares, and one block along all other axes."""
        sizes = ((BLOCK,) * (n // BLOCK) + ((n % BLOCK,) if n % BLOCK else ()) for n in self.new.shape)
        return (*((n,) for n in self.source.shape[:-2]), *sizes)

    @cached_property
    def token(self) -> str:
        """The same for the same numbers on the same grid."""
        return str(tokenize(self.source.token, self.old, self.new, self.step))

    def needs(self, region: Region) -> tuple[Region, ...]:
        """The window of the old grid that lies under the region, with a margin."""
        return ((*region[:-2], *self.step.window(self.part(region), self.dtype)),)

    def make(self, region: Region, blocks: Sequence[np.ndarray]) -> np.ndarray:
        """Warp the window."""
        part = self.part(region)
        made = self.step(blocks[0], part, self.step.window(part, self.dtype))
        return taken(made, (*(slice(None) for _ in region[:-2]), *map(from_hull, region[-2:])))

    @cached_property
    def grids(self) -> Grids:
        """Both grids."""
        return Grids(self.old, self.new)

    def part(self, region: Region) -> Part:
        """The part of the new grid that a region lies in."""
        rows, columns = map(hull, region[-2:])
        return part_of(self.grids, (rows.start, rows.stop), (columns.start, columns.stop))


@dataclass(frozen=True, eq=False)
class Grids:
    """An old grid and a new one, known by themselves: to compare grids takes as long as to warp a small block."""

    old: GeoBox
    new: GeoBox


@lru_cache(maxsize=32)  # each is asked for several times, for what it needs and for what it is
def part_of(grids: Grids, rows: tuple[int, int], columns: tuple[int, int]) -> Part:
    """The part in these rows and columns of the new grid."""
    return Part(grids.old, grids.new, slice(*rows), slice(*columns))


@dataclass(frozen=True)
class Part:
    """A part of a new grid."""

    old: GeoBox
    """The whole old grid."""
    new: GeoBox
    """The whole new one."""
    rows: slice
    columns: slice

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows.stop - self.rows.start, self.columns.stop - self.columns.start

    @property
    def grid(self) -> GeoBox:
        """The part by itself."""
        return self.new[self.rows, self.columns]

    @cached_property
    def mesh(self) -> Mesh:
        """Where its cells lie in the old grid."""
        return mesh_over(self.old, self.new, self.rows, self.columns)

    @cached_property
    def under(self) -> tuple[slice, slice]:
        """The window of the old grid that lies under it, with a cell around; empty where there is none."""
        return window(self.mesh, self.old.shape, 1)

    @cached_property
    def blocks(self) -> Blocks | None:
        """How its cells are made of whole old ones; none where they are not."""
        return blocks(self.old, self.new)

    def padded(self, padding: int) -> tuple[slice, slice]:
        """That window as GDAL wants it, with so many cells around; empty where there is none."""
        if padding not in self._padded:
            found = compute_reproject_roi(self.old, self.grid, padding=padding).roi_src
            self._padded[padding] = (slice(0, 0), slice(0, 0)) if roi_is_empty(found) else found
        return self._padded[padding]

    @cached_property
    def _padded(self) -> dict[int, tuple[slice, slice]]:
        return {}


def mesh_over(old: GeoBox, new: GeoBox, rows: slice, columns: slice) -> Mesh:
    """Where the cells in these rows and columns of a new grid lie in an old one."""
    return mesh_of(old, new, (rows.start, rows.stop), (columns.start, columns.stop))


@dataclass(frozen=True)
class Step:
    """How values are moved."""

    method: str
    null: Any
    ratio: tuple[float, float]
    """How many old cells go into a new one, down and across; at least 1."""

    def filler(self, dtype: Any) -> Any:
        """What stands where the old grid has nothing."""
        return np.zeros((), dtype)[()] if self.null is None else np.asarray(self.null).astype(dtype)[()]

    def meshed(self, dtype: np.dtype[Any]) -> bool:
        """Are values moved here? Otherwise by GDAL."""
        return moves(self.method, dtype, self.ratio)

    def merged(self, part: Part, dtype: np.dtype[Any]) -> Blocks | None:
        """The whole old cells whose means the new ones are; none where they are something else."""
        if self.method != "average" or not (dtype.kind == "f" or (dtype.kind in "iu" and dtype.itemsize < 8)):
            return None
        return part.blocks

    def window(self, part: Part, dtype: np.dtype[Any]) -> tuple[slice, slice]:
        """The window of the old grid that a part of the new one is made of; empty where there is none."""
        if 0 in part.shape:
            return slice(0, 0), slice(0, 0)
        if self.meshed(dtype):
            return part.under
        if (cells := self.merged(part, dtype)) is not None:
            return cells.under(part.rows, part.columns, tuple(part.old.shape))
        padding = math.ceil(RADIUS.get(self.method, 1) * max(self.ratio)) + 2
        return part.padded(padding)

    def __call__(
        self, values: np.ndarray, part: Part, under: tuple[slice, slice], *, alone: bool = False
    ) -> np.ndarray:
        """Values of a part of the new grid, from those in a window of the old one."""
        if values.size and part.shape[0] and part.shape[1] and self.meshed(values.dtype):
            move = Move(self.method == "bilinear", self.null, self.filler(values.dtype))
            corner = (under[0].start, under[1].start)
            return move(values, corner, tuple(part.old.shape), part.mesh, alone=alone)
        out = np.full((*values.shape[:-2], *part.shape), self.filler(values.dtype), dtype=values.dtype)
        if not values.size or not out.size:
            return out
        if (cells := self.merged(part, values.dtype)) is not None:
            corner = (under[0].start, under[1].start)
            return cells.means(values, corner, part.rows, part.columns, self.null)
        method = Resampling[GDAL_NAMES.get(self.method, self.method)]
        old, new = part.old[under], part.grid
        for place in np.ndindex(values.shape[:-2]):
            out[place] = by_gdal(np.ascontiguousarray(values[place]), old, new, method, self.null, self.ratio)
        return out


def whole(grid: GeoBox) -> tuple[slice, slice]:
    """All rows and columns of a grid."""
    return slice(0, grid.shape[0]), slice(0, grid.shape[1])


def moves(method: str, dtype: np.dtype[Any], ratio: tuple[float, float]) -> bool:
    """Are values moved by their places: the nearest, or by four where cells do not shrink? The rest is GDAL's."""
    if dtype.kind not in "iuf" or dtype == np.float16:
        return False
    if method in ("near", "nearest"):
        return True
    return method == "bilinear" and max(ratio) < 1 + NEARLY and (dtype.kind == "f" or dtype.itemsize < 8)


@dataclass(frozen=True)
class Warp:
    """One window of the old grid onto one block of the new one."""

    step: Step
    part: Part
    window: tuple[slice, slice]

    def __call__(self, block: np.ndarray) -> np.ndarray:
        return self.step(block, self.part, self.window)


def warped(
    pixels: np.ndarray,
    old: GeoBox,
    new: GeoBox,
    method: Resampling,
    null: float | None,
    ratio: tuple[float, float],
) -> np.ndarray:
    """One plane on another grid, with the kernel's width fixed by the ratio of the cell sizes (down, across)."""
    if not pixels.size or 0 in new.shape or not moves(method.name, pixels.dtype, ratio):
        return by_gdal(pixels, old, new, method, null, ratio)
    move = Move(method is Resampling.bilinear, null, 0 if null is None else null)
    part = Part(old, new, *whole(new))
    return move(pixels, (0, 0), tuple(old.shape), part.mesh)


def by_gdal(
    pixels: np.ndarray,
    old: GeoBox,
    new: GeoBox,
    method: Resampling,
    null: float | None,
    ratio: tuple[float, float],
) -> np.ndarray:
    """GDAL's warp of one plane, with the kernel's width fixed by the ratio of the cell sizes (down, across)."""
    out = np.full(new.shape, 0 if null is None else null, pixels.dtype)
    down, across = (1.0 if r < 1 + NEARLY else 1.0 / r for r in ratio)
    for start in range(0, new.shape[1], STRIP):
        stop = min(start + STRIP, new.shape[1])
        strip = np.ascontiguousarray(out[:, start:stop])
        rasterio.warp.reproject(
            pixels,
            strip,
            src_transform=old.transform,
            src_crs=CRS.from_user_input(str(old.crs)),
            src_nodata=null,
            dst_transform=new.transform * Affine.translation(start, 0),
            dst_crs=CRS.from_user_input(str(new.crs)),
            dst_nodata=null,
            resampling=method,
            XSCALE=across,
            YSCALE=down,
        )
        out[:, start:stop] = strip
    return out
