"""Statistics of zones that can be put together of parts: each block is read once and leaves a few numbers a zone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise, product
from typing import Any

import dask.array as da
import numpy as np
from dask.base import tokenize

from processes.cubes.cells import Coding
from processes.kernels.zonal import KINDS, NEUTRAL, Runs, Tally, runs
from processes.lazy import Lazy
from processes.places import Region, from_hull, hull, size, taken
from processes.recipes import Recipe


@dataclass(frozen=True)
class Statistic:
    """One value of all cells of a zone, where it can be put together of parts."""

    name: str
    """Name of the process."""
    ignore_nodata: bool
    before: Coding
    """How cells are stored."""
    after: Coding
    """How results are stored."""
    counts: bool
    """Are there, beside the value, the numbers of all cells and of those with a value?"""

    @property
    def gap(self) -> float:
        """What stands for a result that there is none of."""
        return np.nan if self.after.dtype.kind == "f" else self.after.nodata or 0

    @property
    def tally(self) -> Tally:
        """What is kept of cells."""
        return Tally(self.name, self.before.nodata)

    def finished(self, parts: np.ndarray, zones: np.ndarray, cells: np.ndarray) -> np.ndarray:
        """The results (zone, ..., statistic?).

        Args:
            parts: What was kept, (3, part, ...).
            zones: The zone of each part.
            cells: How many cells each zone has.
        """
        shape = (len(cells), *parts.shape[2:])
        kept = np.full((3, *shape), 0.0)
        kept[0] = NEUTRAL[self.tally.kind]
        put = (np.add, np.minimum, np.maximum)[self.tally.kind]
        with np.errstate(invalid="ignore"):
            put.at(kept[0], zones, parts[0])
        np.add.at(kept[1], zones, parts[1])
        np.add.at(kept[2], zones, parts[2])
        value, valid, finite = kept
        everything = np.broadcast_to(cells.reshape(-1, *(1,) * (len(shape) - 1)), shape)
        null = (valid == 0) if self.ignore_nodata else (valid < everything) | (everything == 0)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            value = value / valid if self.name == "mean" else value
            stored: np.ndarray = np.where(null, self.gap, value).astype(self.after.dtype)
        if not self.counts:
            return stored
        return np.stack([stored, everything, finite], axis=-1).astype(self.after.dtype)


def known(reducer: Any, before: Coding, after: Coding, *, counts: bool) -> Statistic | None:
    """The statistic that a reducer is; `None` where it needs all cells together, or cells are no plain numbers.

    Reducers that are nothing but one process on their data say so: its name and its other arguments are their
    `statistic`.
    """
    told: tuple[str, Mapping[str, Any]] | None = getattr(reducer, "statistic", None)
    name, args = told or ("", {})
    plain = before.dtype.kind in "iuf" and before.dtype != np.float16 and not before.logical
    exact = before.dtype.kind == "f" or before.dtype.itemsize < 8
    same = name in ("min", "max") and after == before
    whole = name == "sum" and after.dtype == np.int64 and before.dtype.itemsize <= 2
    fits = after.dtype.kind == "f" or same or (whole and (before.nodata is None or after.nodata is not None))
    if name not in KINDS or not (plain and exact and fits) or set(args) - {"ignore_nodata"}:
        return None
    ignore = args.get("ignore_nodata", True)
    return Statistic(name, ignore, before, after, counts) if isinstance(ignore, bool) else None


def over_plane(statistic: Statistic, source: Any) -> Any:
    """The statistic of all cells of the plane of an array (..., y, x), a block at a time."""
    sizes = source.chunks[-2:] if isinstance(source, da.Array) else [(n,) for n in source.shape[-2:]]
    edges = [np.cumsum((0, *s)).tolist() for s in sizes]
    tiles = [
        Tile(slice(*rows), slice(*columns), np.zeros(1, dtype=np.int64), one_run(rows, columns))
        for rows, columns in product(*(pairwise(e) for e in edges))
        if rows[0] < rows[1] and columns[0] < columns[1]
    ]
    return put_together(statistic, source, tiles, np.array([np.prod(source.shape[-2:], dtype=np.int64)]))[0]


def one_run(rows: tuple[int, int], columns: tuple[int, int]) -> Runs:
    """All cells of a block, as one zone."""
    whole = (rows[1] - rows[0]) * (columns[1] - columns[0])
    return Runs(np.array([0, 1]), np.zeros(1, dtype=np.int64), np.array([whole]))


def over_blocks(statistic: Statistic, source: Any, places: Sequence[np.ndarray]) -> Any:
    """The statistic of zones (flat places of their cells in the plane, ascending) of an array (..., y, x)."""
    lazy = isinstance(source, da.Array)
    height, width = source.shape[-2:]
    edges = (
        [np.cumsum((0, *c)) for c in source.chunks[-2:]]
        if lazy
        else [np.array([0, n]) for n in (height, width)]
    )
    return put_together(
        statistic, source, tiled(places, width, *edges), np.array([len(p) for p in places], dtype=np.int64)
    )


def put_together(statistic: Statistic, source: Any, tiles: Sequence[Tile], cells: np.ndarray) -> Any:
    """The statistic of zones that have so many cells, from what each block of the plane has of them."""
    finish = Finish(statistic, np.concatenate([t.zones for t in tiles] or [cells[:0]]), cells)
    if not isinstance(source, da.Array):
        parts = [statistic.tally(source, t.runs, alone=True) for t in tiles]
        return finish(parts[0] if parts else np.zeros((3, 0, *source.shape[:-2])))
    parts = parted(statistic.tally, source, tiles)
    others = tuple(range(2, parts.ndim))
    extra = {parts.ndim: 3} if statistic.counts else {}
    return da.blockwise(
        finish,
        (parts.ndim + 1, *others, *extra),
        parts,
        (0, 1, *others),
        new_axes={parts.ndim + 1: len(cells), **extra},
        concatenate=True,
        dtype=statistic.after.dtype,
        meta=np.empty((0,) * (1 + len(others) + len(extra)), statistic.after.dtype),
    )


@dataclass(frozen=True, eq=False)
class Finish:
    """Results of zones, as a function of what was kept of all their parts."""

    statistic: Statistic
    zones: np.ndarray
    cells: np.ndarray

    def __call__(self, parts: np.ndarray) -> np.ndarray:
        return self.statistic.finished(parts, self.zones, self.cells)


# --------------------------------------------------------------------------------------------- blocks
@dataclass(frozen=True, eq=False)
class Tile:
    """A block of the plane in which zones have cells."""

    rows: slice
    columns: slice
    zones: np.ndarray
    """Numbers of the zones."""
    runs: Runs
    """Their cells in the block."""


def tiled(places: Sequence[np.ndarray], width: int, y_edges: np.ndarray, x_edges: np.ndarray) -> list[Tile]:
    """The blocks that have cells of zones, and only these."""
    if not sum(map(len, places)):
        return []
    if len(y_edges) == len(x_edges) == 2:
        counts = np.array([len(p) for p in places])
        some = np.flatnonzero(counts)
        whole = runs(np.concatenate(places), counts[some])
        return [Tile(slice(0, int(y_edges[1])), slice(0, int(x_edges[1])), some, whole)]
    rows, columns = np.divmod(np.concatenate(places), width)
    zones = np.repeat(np.arange(len(places)), [len(p) for p in places])
    i, j = (np.searchsorted(e, at, "right") - 1 for e, at in ((y_edges, rows), (x_edges, columns)))
    block = i * (len(x_edges) - 1) + j
    order = np.argsort(block, kind="stable")
    cuts = np.flatnonzero(np.diff(block[order], prepend=-1, append=-1))
    found = []
    for a, b in pairwise(cuts):
        some = order[a:b]
        y, x = i[some[0]], j[some[0]]
        local = (rows[some] - y_edges[y]) * (x_edges[x + 1] - x_edges[x]) + columns[some] - x_edges[x]
        here, counts = np.unique(zones[some], return_counts=True)
        down, across = (slice(int(e[k]), int(e[k + 1])) for e, k in ((y_edges, y), (x_edges, x)))
        found.append(Tile(down, across, here, runs(local, counts)))
    return found


def parted(tally: Tally, source: da.Array, tiles: Sequence[Tile]) -> da.Array:
    """What is kept of all zones of all blocks, (3, part, ...), lazily; one task a block."""
    others = source.chunks[:-2]
    if isinstance(source, Lazy) and tiles:
        made = Parts(source.recipe, tally, tuple(tiles))
        return Lazy(made, source.planner, ((3,), tuple(len(t.zones) for t in tiles), *others))
    parts = [
        source[..., t.rows, t.columns].map_blocks(
            OnTile(tally, t.runs),
            dtype=np.float64,
            chunks=((3,), (len(t.zones),), *others),
            drop_axis=[source.ndim - 2, source.ndim - 1],
            new_axis=[0, 1],
        )
        for t in tiles
    ]
    empty = (3, 0, *source.shape[:-2])
    return da.concatenate(parts, axis=1) if parts else da.zeros(empty, chunks=((3,), (0,), *others))


@dataclass(frozen=True, eq=False)
class OnTile:
    """What is kept of a block."""

    tally: Tally
    runs: Runs

    def __call__(self, block: np.ndarray) -> np.ndarray:
        return self.tally(block, self.runs)


@dataclass(frozen=True, eq=False)
class Parts:
    """The recipe of what is kept of all zones of all blocks, (3, part, ...); the parts of a block are neighbours."""

    source: Recipe
    """An array (..., y, x)."""
    tally: Tally
    tiles: tuple[Tile, ...]

    dtype = np.dtype(np.float64)

    @property
    def inputs(self) -> tuple[Recipe, ...]:
        """The array."""
        return (self.source,)

    @cached_property
    def edges(self) -> np.ndarray:
        """Where the parts of each block begin and end."""
        return np.cumsum([0, *(len(t.zones) for t in self.tiles)])

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return (3, int(self.edges[-1]), *self.source.shape[:-2])

    @cached_property
    def token(self) -> str:
        """The same for the same cells of the same array."""
        cells = [
            (t.rows, t.columns, t.zones, t.runs.first, t.runs.starts, t.runs.lengths) for t in self.tiles
        ]
        return str(tokenize(self.source.token, self.tally, cells))

    def of(self, inputs: tuple[Recipe, ...]) -> Recipe:
        """The same of another array."""
        return replace(self, source=inputs[0])

    def needs(self, region: Region) -> tuple[Region, ...]:
        """The blocks of the parts."""
        return ((*region[2:], *self.window(self.under(region))),)

    def make(self, region: Region, blocks: Sequence[np.ndarray]) -> np.ndarray:
        """What is kept of each block."""
        tiles = self.under(region)
        top, left = (s.start for s in self.window(tiles))
        alone = size(region) == self.shape
        made = [np.zeros((3, 0, *blocks[0].shape[:-2]))]
        for t in tiles:
            rows, columns = (slice(s.start - o, s.stop - o) for s, o in ((t.rows, top), (t.columns, left)))
            made.append(self.tally(blocks[0][..., rows, columns], t.runs, alone=alone))
        first = self.edges[self.tiles.index(tiles[0])] if tiles else 0
        inside = hull(region[1])
        parts = np.concatenate(made, axis=1)[:, inside.start - first : inside.stop - first]
        return taken(parts, (region[0], from_hull(region[1]), *(slice(None) for _ in region[2:])))

    def under(self, region: Region) -> tuple[Tile, ...]:
        """The blocks that the parts in a region are of."""
        inside = hull(region[1])
        first = int(np.searchsorted(self.edges, inside.start, "right")) - 1
        last = int(np.searchsorted(self.edges, inside.stop, "left"))
        return self.tiles[first:last] if inside.start < inside.stop else ()

    @staticmethod
    def window(tiles: Sequence[Tile]) -> tuple[slice, slice]:
        """The part of the plane that some blocks lie in."""
        if not tiles:
            return slice(0, 0), slice(0, 0)
        return (
            slice(min(t.rows.start for t in tiles), max(t.rows.stop for t in tiles)),
            slice(min(t.columns.start for t in tiles), max(t.columns.stop for t in tiles)),
        )
