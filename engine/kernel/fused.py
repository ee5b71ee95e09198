"""A part of a recipe that is computed by kernels: planes are read, one pass over them makes the result.

Where the planes of a mask alone tell that a date has nothing to give in a tile, its other planes are not read there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, product
from typing import Any

import numpy as np

from engine.kernel.compiled import kernel, network
from engine.kernel.emit import Formula
from engine.kernel.trace import Axes, Plane
from processes.kernels.planes import in_rows
from processes.places import Place, Region, among, count, from_hull, hull, indices, taken, tidy
from processes.recipes import Recipe, computed

AT_ONCE = 24 * 2**20
"""Bytes of planes that are read at a time where dates can come a few at a time."""


@dataclass(frozen=True)
class Gate:
    """What tells, date by date and cell by cell, whether anything comes of the other planes."""

    formula: Formula
    """True where something may come of them."""
    tiles: tuple[tuple[int, ...], tuple[int, ...]]
    """Where tiles begin and end along y and x: sources are read in whole ones of these."""


@dataclass(frozen=True)
class Groups:
    """Groups of dates, of which each has a result of its own."""

    axis: int
    """The axis of the result that they are along."""
    dates: tuple[np.ndarray, ...]
    """The dates of each."""
    empty: Any
    """What comes of an empty one."""


@dataclass(frozen=True, eq=False)
class Fused:
    """What kernels compute."""

    recipe: Recipe
    """The same, as it is written."""
    axes: Axes
    """The roles of its axes."""
    formulas: np.ndarray
    """A formula for each place along the axes that are taken apart, groups left out."""
    planes: tuple[Plane, ...]
    """All planes."""
    gate: Gate | None = None
    groups: Groups | None = None

    inputs = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return self.recipe.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers."""
        return self.recipe.dtype

    @property
    def token(self) -> str:
        """That of the recipe as it is written."""
        return self.recipe.token

    def of(self, inputs: tuple[Recipe, ...]) -> Recipe:  # noqa: ARG002 (a recipe's)
        """Itself: it has its planes."""
        return self

    def needs(self, region: Region) -> tuple[Region, ...]:  # noqa: ARG002 (a recipe's)
        """Nothing: it reads its planes itself."""
        return ()

    @cached_property
    def used(self) -> tuple[int, ...]:
        """The planes that kernels take; others were seen on the way and are not read."""
        formulas = [*self.formulas.ravel(), *([self.gate.formula] if self.gate is not None else [])]
        return tuple(sorted({p for f in formulas for p in f.planes}))

    @property
    def dates(self) -> int:
        """How many dates go in."""
        return next((count(p.places[p.axes.index("t")]) for p in self.planes if "t" in p.axes), 1)

    def make(self, region: Region, blocks: Sequence[np.ndarray]) -> np.ndarray:  # noqa: ARG002 (a recipe's)
        """Read the planes of a region and run the kernels."""
        return self.arranged(self.computed(region), region)

    def make_into(self, region: Region, out: np.ndarray) -> None:
        """The same, into an array, without a copy where the axes are in their order."""
        straight = self.order == sorted(self.order) and {"y", "x"} <= set(self.axes)
        if straight and all(isinstance(p, slice) for p in region[-2:]):
            self.computed(region, out)
        else:
            out[...] = self.make(region, ())

    def computed(self, region: Region, out: np.ndarray | None = None) -> np.ndarray:
        """The numbers of a region with the axes that are taken apart first, then t, groups, y, x."""
        places = dict(zip(self.axes, region, strict=True))
        rows, cols = (hull(places.get(r, slice(0, 1))) for r in ("y", "x"))
        dates: Place = places.get("t", slice(0, self.dates))
        apart = [indices(region[a]) for a in self.apart]
        lead = [len(a) for a in apart] + ([count(dates)] if "t" in self.axes else [])
        groups = None if self.groups is None else indices(region[self.groups.axis])
        lead += [] if groups is None else [len(groups)]
        if out is None:
            out = np.empty((*lead, count(rows), count(cols)), self.dtype)
        for tile in self.tiles(rows, cols):
            alive, known = self.opened(tile, dates)
            at = tuple(
                slice(p.start - w.start, p.stop - w.start) for p, w in zip(tile, (rows, cols), strict=True)
            )
            self.fill(out[..., at[0], at[1]], apart, groups, Work(self, tile, dates, alive, known))
        return out

    @property
    def apart(self) -> list[int]:
        """The axes that are taken apart, groups left out."""
        grouped = None if self.groups is None else self.groups.axis
        return [a for a, role in enumerate(self.axes) if role == "each" and a != grouped]

    @property
    def order(self) -> list[int]:
        """The axes in the order that they are made in."""
        order = [*self.apart, *(a for a, role in enumerate(self.axes) if role == "t")]
        order += [] if self.groups is None else [self.groups.axis]
        return order + [self.axes.index(r) for r in ("y", "x") if r in self.axes]

    def arranged(self, out: np.ndarray, region: Region) -> np.ndarray:
        """The result with its axes in their order."""
        order = self.order
        out = np.squeeze(out, tuple(out.ndim - 2 + i for i, r in enumerate(("y", "x")) if r not in self.axes))
        out = np.transpose(out, np.argsort(order))
        in_plane = zip(self.axes, region, strict=True)
        return taken(out, [from_hull(p) if role in ("y", "x") else slice(None) for role, p in in_plane])

    def tiles(self, rows: slice, cols: slice) -> list[tuple[slice, slice]]:
        """The parts of a window that are looked at one by one: with a gate, whole blocks of its source."""
        if self.gate is None:
            return [(rows, cols)]
        return list(product(cuts(rows, self.gate.tiles[0]), cuts(cols, self.gate.tiles[1])))

    def opened(self, tile: tuple[slice, slice], dates: Place) -> tuple[np.ndarray, dict[int, np.ndarray]]:
        """Which of the dates have something to give in a tile, and the planes that are known already."""
        if self.gate is None:
            return np.arange(count(dates)), {}
        formula = self.gate.formula
        read = {p: self.read(p, dates, tile) for p in formula.planes}
        alive = np.empty((count(dates), *map(count, tile)), np.bool_)
        every = np.arange(count(dates))
        launch(formula, [(a, every) for a in read.values()], count(dates), [network(0)], alive)
        return np.flatnonzero(alive.any(axis=(1, 2))), read

    def fill(
        self, out: np.ndarray, apart: Sequence[np.ndarray], groups: np.ndarray | None, work: Work
    ) -> None:
        """Compute one tile into its part of the result."""
        for place in product(*(range(len(a)) for a in apart)):
            formula: Formula = self.formulas[tuple(int(a[i]) for a, i in zip(apart, place, strict=True))]
            if groups is None or self.groups is None:
                work.run(formula, work.alive, out[place])
                continue
            here = indices(work.dates)[work.alive]
            for g, number in enumerate(groups):
                group = self.groups.dates[number]
                if len(group):
                    work.run(formula, work.alive[np.isin(here, group)], out[place][g])
                else:
                    out[place][g] = self.groups.empty

    @cached_property
    def shared(self) -> frozenset[int]:
        """Planes that more than one formula takes, or that groups of dates have in common."""
        uses = Counter(p for f in {id(f): f for f in self.formulas.ravel()}.values() for p in set(f.planes))
        overlap = self.groups is not None and sum(map(len, self.groups.dates)) > self.dates
        return frozenset(p for p, n in uses.items() if n > 1 or overlap)

    def read(self, number: int, dates: Place, window: tuple[slice, slice]) -> np.ndarray:
        """A plane as an array (t, y, x), or (y, x) where it has no time."""
        plane = self.planes[number]
        wanted = {"t": dates, "y": window[0], "x": window[1]}
        region = tuple(
            among(p, wanted[role]) if role in wanted else p
            for role, p in zip(plane.axes, plane.places, strict=True)
        )
        block = computed(plane.recipe, region)
        block = np.squeeze(block, tuple(a for a, role in enumerate(plane.axes) if role == "each"))
        present = [role for role in plane.axes if role != "each"]
        block = np.transpose(block, [present.index(r) for r in plane.roles])
        for i, role in enumerate(("y", "x")):
            if role not in present:
                block = np.expand_dims(block, block.ndim - (1 - i))
        shape = (*([count(dates)] if "t" in present else []), *map(count, window))
        return block if block.shape == shape else np.broadcast_to(block, shape)


def launch(
    formula: Formula,
    planes: Sequence[tuple[np.ndarray, np.ndarray]],
    length: int,
    rest: Sequence[Any],
    out: np.ndarray,
) -> None:
    """Call a kernel for planes, each with the dates of it that are gone through: `length` of them.

    The result goes into `out`, ([t,] y, x), whose rows have to lie in one piece.
    """
    if not out.size:
        return
    laid = [lying(array) for array, _ in (*planes, (out, None))]
    places = np.array([place for _, place in laid], dtype=np.int64)
    dates = np.array([d for _, d in planes] or [np.zeros(length)], dtype=np.int64)
    *memories, made = (memory for memory, _ in laid)
    kernel(formula.text)(*memories, places, dates, *rest, made, np.array(out.shape[-2:], dtype=np.int64))


def lying(array: np.ndarray) -> tuple[np.ndarray, tuple[int, int, int]]:
    """The memory that an array ([t,] y, x) lies in, and its place there; nothing is copied that need not be."""
    wide = array.dtype.itemsize
    if array.size == 0:
        return np.empty(0, array.dtype), (0, 0, 0)
    if not (in_rows(array) and array.flags.writeable):
        array = np.array(array, order="C")
    steps = [s // wide for s in array.strides[:-1]]
    length = array.shape[-1] + sum((n - 1) * s for n, s in zip(array.shape[:-1], steps, strict=True))
    memory = np.lib.stride_tricks.as_strided(array, (length,), (wide,))
    return memory, (0, steps[-2] if len(steps) > 1 else 0, steps[-1])


@dataclass
class Work:
    """One tile while it is computed."""

    fused: Fused
    tile: tuple[slice, slice]
    dates: Place
    """The dates that are asked for."""
    alive: np.ndarray
    """Which of them have something to give."""
    known: dict[int, np.ndarray]
    """Planes of all these dates."""

    def run(self, formula: Formula, chosen: np.ndarray, target: np.ndarray) -> None:
        """Run a kernel for some of the dates, by their places among `dates`, into an array ([t,] y, x)."""
        lacks_time = target.ndim == 3 and not formula.timed
        fits = in_rows(target) and not lacks_time
        whole = target if fits else np.empty(target.shape[-2:] if lacks_time else target.shape, target.dtype)
        if formula.timed:
            for part in self.batches(formula, chosen):
                self.call(formula, chosen[part], whole[part])
        elif formula.sums is None:
            self.call(formula, chosen, whole)
        else:
            parts = self.batches(formula, chosen) or [slice(0, 0)]
            rows = whole.shape[0] if len(parts) > 1 else min(1, whole.shape[0])
            sums = [np.empty((rows, whole.shape[1]), s) for s in formula.sums]
            for part in parts:
                self.call(formula, chosen[part], whole, sums, (part is parts[0], part is parts[-1]))
        if whole is not target:
            target[...] = whole

    def call(
        self,
        formula: Formula,
        chosen: np.ndarray,
        out: np.ndarray,
        sums: Sequence[np.ndarray] | None = None,
        ends: tuple[bool, bool] = (True, True),
    ) -> None:
        """Call a kernel once."""
        planes = [self.plane(p, chosen) for p in formula.planes]
        rest = [network(len(chosen))] if sums is None else [*sums, *ends]
        launch(formula, planes, len(chosen), rest, out)

    def plane(self, number: int, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A plane, and where along its time the chosen dates are.

        What is needed more than once is read for all dates, and kept for the tile.
        """
        timed = "t" in self.fused.planes[number].axes
        if number not in self.known and timed and number not in self.fused.shared:
            dates = among(self.dates, tidy(chosen)) if len(chosen) else slice(0, 0)
            return self.fused.read(number, dates, self.tile), np.arange(len(chosen))
        if number not in self.known:
            self.known[number] = self.fused.read(number, self.dates, self.tile)
        return self.known[number], chosen

    def batches(self, formula: Formula, chosen: np.ndarray) -> list[slice]:
        """Dates that are read at a time, so that what is held does not grow with them."""
        fresh = [self.fused.planes[p].recipe.dtype.itemsize for p in formula.planes if p not in self.known]
        most = max(1, AT_ONCE // max(1, sum(fresh) * count(self.tile[0]) * count(self.tile[1])))
        return [slice(i, min(i + most, len(chosen))) for i in range(0, len(chosen), most)]


def cuts(place: slice, edges: Sequence[int]) -> list[slice]:
    """A run of indices, cut at the edges."""
    ends = [place.start, *(e for e in edges if place.start < e < place.stop), place.stop]
    return [slice(a, b) for a, b in pairwise(ends)] if place.stop > place.start else []
