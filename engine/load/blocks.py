"""Cuts a cube into blocks along the blocks of its sources, and builds the lazy array of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate, product
from typing import Any, NamedTuple

import dask.array as da
import numpy as np
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph
from dask.task_spec import Task
from odc.geo.geobox import GeoBox
from odc.loader.types import RasterLoadParams

from engine.errors import Problem
from engine.load.extent import Rect, bounds_in, meeting, pixel_rect
from engine.load.grid import share_grid
from engine.load.model import Source
from engine.load.moments import Group
from engine.load.reader import read_block

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


def lazy_blocks(
    groups: Sequence[Group],
    bands: Sequence[str],
    grid: GeoBox,
    chunks: Chunks,
    cfg: Mapping[str, RasterLoadParams],
) -> da.Array:
    """The lazy array (t, bands, y, x): one task reads one band of one time step in one block."""
    tiles = _Tiles(grid, chunks)
    plan = [[tiles.sources(group, band) for band in bands] for group in groups]
    name = f"load-{tokenize(_identity(groups, bands), grid, chunks, cfg)}"
    graph: dict[Any, Any] = {}
    for (t, by_band), (y, x) in product(enumerate(plan), np.ndindex(len(chunks.y), len(chunks.x))):
        for b, by_tile in enumerate(by_band):
            key = (name, t, b, y, x)
            sources = by_tile.get((y, x), ())
            graph[key] = Task(key, read_block, sources, tiles.box(y, x), cfg[bands[b]], _data_producer=True)
    sizes = ((1,) * len(groups), (1,) * len(bands), chunks.y, chunks.x)
    layers = HighLevelGraph.from_collections(name, graph, dependencies=[])
    return da.Array(layers, name, chunks=sizes, dtype=cfg[bands[0]].dtype)


def _identity(groups: Sequence[Group], bands: Sequence[str]) -> list[Any]:
    """What makes the numbers of these sources what they are."""
    return [
        [
            [
                (s.href, s.index, s.nodata, s.scale, s.offset, s.scaled)
                for band in bands
                if (s := scene.sources.get(band))
            ]
            for scene in group
        ]
        for group in groups
    ]


class _Tiles:
    """The blocks of a grid, and which of them a source may touch."""

    def __init__(self, grid: GeoBox, chunks: Chunks) -> None:
        self.grid = grid
        self.edges = [np.array([0, *accumulate(sizes)]) for sizes in chunks]
        self._boxes: dict[tuple[int, int], GeoBox] = {}
        self._touched: dict[GeoBox, tuple[tuple[int, int], ...]] = {}

    def box(self, y: int, x: int) -> GeoBox:
        """The grid of one block."""
        if (y, x) not in self._boxes:
            rows, cols = (slice(int(e[i]), int(e[i + 1])) for e, i in zip(self.edges, (y, x), strict=True))
            self._boxes[y, x] = self.grid[rows, cols]
        return self._boxes[y, x]

    def sources(self, group: Group, band: str) -> dict[tuple[int, int], tuple[Source, ...]]:
        """For each block the sources of a group that it needs, in their order."""
        found: dict[tuple[int, int], tuple[Source, ...]] = {}
        for scene in group:
            source = scene.sources.get(band)
            if source is not None:
                for tile in self._tiles(source.geobox):
                    found[tile] = (*found.get(tile, ()), source)
        return found

    def _tiles(self, source: GeoBox | None) -> tuple[tuple[int, int], ...]:
        assert source is not None
        if source not in self._touched:
            tiles = [tile for rect in reached(source, self.grid) for tile in self._under(rect)]
            self._touched[source] = tuple(dict.fromkeys(tiles))
        return self._touched[source]

    def _under(self, rect: Rect) -> list[tuple[int, int]]:
        spans: list[range] = []
        for edges, low, high in zip(
            self.edges, (rect.bottom, rect.left), (rect.top, rect.right), strict=True
        ):
            first = int(np.searchsorted(edges, low, side="right")) - 1
            last = int(np.searchsorted(edges, high, side="left"))
            spans.append(range(max(0, first), min(len(edges) - 1, last)))
        return list(product(spans[0], spans[1]))


@lru_cache(maxsize=65536)
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
