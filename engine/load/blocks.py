"""Cuts a cube into blocks along the blocks of its sources, and reads any region of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from dask.base import tokenize
from odc.geo.geobox import GeoBox
from odc.loader.types import RasterLoadParams

from engine.errors import Problem
from engine.load.extent import Rect, bounds_in, meeting, pixel_rect
from engine.load.files import is_local
from engine.load.grid import share_grid
from engine.load.model import Source
from engine.load.moments import Group
from engine.load.remembered import remembered
from engine.load.windows import Request, hand_windows, read_windows
from processes.places import Region, count, from_hull, hull, indices, taken
from processes.recipes import Recipe

AT_ONCE = 24
"""Windows that are asked for in one call: remote files are read so many at a time."""
GOAL = 1024
"""Pixels along each side of a block, about."""

Sizes = tuple[int, ...]


class Chunks(NamedTuple):
    """Sizes of the blocks of a cube."""

    y: Sizes
    """Rows of each block."""
    x: Sizes
    """Columns of each block."""


def choose_chunks(
    grid: GeoBox, wished: Mapping[str, int] | None, source: GeoBox, block: Callable[[], tuple[int, int]]
) -> Chunks:
    """Blocks as wished, else whole source blocks where the grids agree, else squares; `block` is asked when needed."""
    height, width = grid.shape
    if wished is not None:
        return Chunks(_even(height, _wished(wished, "y")), _even(width, _wished(wished, "x")))
    if not share_grid([grid, source]):
        return Chunks(_even(height, GOAL), _even(width, GOAL))
    rows, cols = _goal(block(), source.shape)
    first = ~source.transform * grid.transform
    return Chunks(_along(height, rows, round(first.f)), _along(width, cols, round(first.c)))


def _wished(chunks: Mapping[str, int], axis: str) -> int:
    size = chunks.get(axis, GOAL)
    if size != -1 and size < 1:
        raise Problem(
            "ProcessParameterInvalid",
            f"blocks of {size} pixels along {axis} cannot be.",
            hint="Wish for 1 or more.",
        )
    return size


def _goal(block: tuple[int, int], shape: tuple[int, int]) -> tuple[int, int]:
    """Whole source blocks: a square near the goal, or of strips as many as have the goal's area."""
    rows, cols = block
    wide = cols * max(1, round(GOAL / cols))
    if cols >= shape[1]:  # strips: a part of one costs as much as the whole
        wide = cols
        tall = GOAL * GOAL / wide if wide > GOAL else GOAL
        return rows * max(1, round(tall / rows)), wide
    return rows * max(1, round(GOAL / rows)), wide


def _even(length: int, size: int) -> Sizes:
    return _along(length, length if size == -1 else size, 0)


def _along(length: int, size: int, offset: int) -> Sizes:
    """Cut a length at the multiples of a size, where it begins `offset` after one of them."""
    first = min(length, size - offset % size)
    full, rest = divmod(length - first, size)
    return (first, *([size] * full), *([rest] if rest else []))


@dataclass(frozen=True, eq=False)
class Rasters:
    """The recipe of a cube (t, bands, y, x) that is read from rasters."""

    sources: tuple[tuple[tuple[Source, ...], ...], ...]
    """For each time step and each band its sources; the first valid pixel of them counts."""
    grid: GeoBox
    """The cube's pixels."""
    chunks: tuple[Sizes, ...]
    """Blocks that go well with those of the sources."""
    cfg: RasterLoadParams
    """What a reader must know of the cube."""

    inputs = ()
    roles = ("t", "each", "y", "x")
    """What the axes are to a kernel: bands are taken apart."""

    def of(self, inputs: tuple[Recipe, ...]) -> Recipe:  # noqa: ARG002 (a recipe's)
        """Itself."""
        return self

    def onto(self, grid: GeoBox) -> Rasters:
        """The nearest cells on another grid, from overviews where it is coarser."""
        chunks = (*self.chunks[:2], *(_even(n, GOAL) for n in grid.shape))
        return replace(self, grid=grid, chunks=chunks, cfg=replace(self.cfg, resampling="nearest"))

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return tuple(map(sum, self.chunks))

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers."""
        return np.dtype(self.cfg.dtype)

    @cached_property
    def is_far(self) -> bool:
        """Are some of the files on servers, which take their time to answer?"""
        return any(not is_local(s.href) for step in self.sources for band in step for s in band)

    @cached_property
    def token(self) -> str:
        """The same for the same pixels of the same files."""
        told = [
            [[(s.href, s.index, s.nodata, s.scale, s.offset, s.scaled) for s in sources] for sources in step]
            for step in self.sources
        ]
        return str(tokenize(told, self.grid, self.cfg))

    def needs(self, region: Region) -> tuple[Region, ...]:  # noqa: ARG002 (a recipe's)
        """Nothing but the files."""
        return ()

    def make(self, region: Region, blocks: Sequence[np.ndarray]) -> np.ndarray:  # noqa: ARG002
        """Read a region."""
        times, bands, rows, cols = region
        if count(times) == count(bands) == 1:  # as it was read
            (request,) = self.requests(region)
            (pixels,) = read_windows([request])
            return taken(pixels[None, None], (slice(0, 1), slice(0, 1), from_hull(rows), from_hull(cols)))
        out = np.empty((count(times), count(bands), count(rows), count(cols)), self.dtype)
        self.make_into(region, out)
        return out

    def make_into(self, region: Region, out: np.ndarray) -> None:
        """Read a region into an array (t, bands, y, x), window by window."""
        _, bands, rows, cols = region
        part = from_hull(rows), from_hull(cols)
        requests = self.requests(region)
        for start in range(0, len(requests), AT_ONCE):

            def take(number: int, pixels: np.ndarray, start: int = start) -> None:
                out[divmod(start + number, count(bands))] = taken(pixels, part)

            hand_windows(requests[start : start + AT_ONCE], take)

    def requests(self, region: Region) -> list[Request]:
        """What is read for a region, by dates and bands: the window around its rows and columns."""
        times, bands, rows, cols = region
        window = hull(rows), hull(cols)
        box = self.grid[window]
        return [
            Request(self.meeting(t, b, window), box, self.cfg)
            for t, b in product(indices(times).tolist(), indices(bands).tolist())
        ]

    @cached_property
    def extents(self) -> tuple[tuple[tuple[tuple[Rect, ...], ...], ...], ...]:
        """For each source the rectangles of the grid that it may have pixels in."""
        known: dict[int, tuple[Rect, ...]] = {}

        def extent(box: GeoBox | None) -> tuple[Rect, ...]:
            assert box is not None
            if id(box) not in known:  # scenes of one tile share their grid; to compare grids takes longer
                known[id(box)] = reached(box, self.grid)
            return known[id(box)]

        return tuple(tuple(tuple(extent(s.geobox) for s in band) for band in step) for step in self.sources)

    def meeting(self, t: int, b: int, window: tuple[slice, slice]) -> tuple[Source, ...]:
        """The sources of a date and a band that may have pixels in a window, in their order."""
        rows, cols = window

        def meets(rects: tuple[Rect, ...]) -> bool:
            return any(
                r.bottom < rows.stop and r.top > rows.start and r.left < cols.stop and r.right > cols.start
                for r in rects
            )

        found = zip(self.sources[t][b], self.extents[t][b], strict=True)
        return tuple(source for source, rects in found if meets(rects))


def rasters(
    groups: Sequence[Group], bands: Sequence[str], grid: GeoBox, chunks: Chunks, cfg: RasterLoadParams
) -> Rasters:
    """The recipe of these scenes on this grid."""
    sources = tuple(
        tuple(tuple(scene.sources[b] for scene in group if b in scene.sources) for b in bands)
        for group in groups
    )
    return Rasters(sources, grid, ((1,) * len(groups), (1,) * len(bands), *chunks), cfg)


@partial(remembered, kept=65536)
def reached(source: GeoBox, grid: GeoBox) -> tuple[Rect, ...]:
    """The rectangles of the grid, in its pixels, outside of which the source has nothing."""
    assert grid.crs is not None
    height, width = grid.shape
    whole = Rect(0, 0, width, height)
    around = bounds_in(source, grid.crs)
    if around is None:
        return (whole,)
    slack = 0.0 if source.crs == grid.crs else 1.0  # the edges of a projected box are bent between the points
    found = []
    for moved in meeting(around, Rect(*grid.boundingbox.bbox), grid.crs):
        rect = pixel_rect(moved, grid)
        wide = Rect(rect.left - slack, rect.bottom - slack, rect.right + slack, rect.top + slack) & whole
        if wide is not None and wide.right - wide.left > 1e-3 and wide.top - wide.bottom > 1e-3:
            found.append(wide)
    return tuple(found)


def covers(source: GeoBox, grid: GeoBox) -> bool:
    """Whether the source surely has a pixel for each of the grid's."""
    if source.crs != grid.crs or not source.axis_aligned:
        return False
    half = 0.5 - 0.01  # a centre must lie on a source pixel
    height, width = grid.shape
    return any(
        rect.left <= half and rect.bottom <= half and rect.right >= width - half and rect.top >= height - half
        for rect in reached(source, grid)
    )


def volume(source: GeoBox, grid: GeoBox, ratio: tuple[float, float], overviews: Sequence[int]) -> int:
    """Source pixels that will be decoded for the grid, from the overview that serves it."""
    area = sum((rect.right - rect.left) * (rect.top - rect.bottom) for rect in reached(source, grid))
    level = max((factor for factor in overviews if factor <= min(ratio) * 1.01), default=1)
    return min(round(area * ratio[0] * ratio[1] / level**2), math.prod(source.shape))
