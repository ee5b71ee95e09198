"""A part of a recipe that is computed by kernels: planes are read, one pass over them makes the result.

Where the planes of a mask alone tell that a date has nothing to give in a tile, its other planes are not read there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import numpy as np

from engine.kernel.compiled import kernel, network
from engine.kernel.emit import Formula
from engine.kernel.trace import Axes, Plane
from processes.recipes import Place, Recipe, Region, among, computed, count, from_hull, hull, indices, taken


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

    @property
    def dates(self) -> int:
        """How many dates go in."""
        return next((count(p.places[p.axes.index("t")]) for p in self.planes if "t" in p.axes), 1)

    def make(self, region: Region, blocks: Sequence[np.ndarray]) -> np.ndarray:  # noqa: ARG002 (a recipe's)
        """Read the planes of a region and run the kernels."""
        places = dict(zip(self.axes, region, strict=True))
        rows, cols = (hull(places.get(r, slice(0, 1))) for r in ("y", "x"))
        dates: Place = places.get("t", slice(0, self.dates))
        grouped = None if self.groups is None else self.groups.axis
        apart = [
            indices(p)
            for a, (role, p) in enumerate(zip(self.axes, region, strict=True))
            if role == "each" and a != grouped
        ]
        groups = None if grouped is None else indices(region[grouped])
        lead = (
            [len(a) for a in apart]
            + ([count(dates)] if "t" in self.axes else [])
            + ([] if groups is None else [len(groups)])
        )
        out = np.empty((*lead, count(rows), count(cols)), self.dtype)
        for tile, alive, known in self.tiles(rows, cols, dates):
            self.fill(out, apart, groups, tile, alive, known, (rows.start, cols.start))
        return self.arranged(out, region)

    def arranged(self, out: np.ndarray, region: Region) -> np.ndarray:
        """The result with its axes in their order: it was made with those that are apart first, then t, groups, y, x."""
        grouped = None if self.groups is None else self.groups.axis
        order = [a for a, role in enumerate(self.axes) if role == "each" and a != grouped]
        order += [a for a, role in enumerate(self.axes) if role == "t"] + (
            [] if grouped is None else [grouped]
        )
        order += [self.axes.index(r) for r in ("y", "x") if r in self.axes]
        missing = tuple(out.ndim - 2 + i for i, r in enumerate(("y", "x")) if r not in self.axes)
        out = np.squeeze(out, missing)
        out = np.transpose(out, np.argsort(order))
        rest = [
            from_hull(p) if role in ("y", "x") else slice(None)
            for role, p in zip(self.axes, region, strict=True)
        ]
        return taken(out, rest)

    def tiles(
        self, rows: slice, cols: slice, dates: Place
    ) -> list[tuple[tuple[slice, slice], Place, dict[int, np.ndarray]]]:
        """Parts of a window, each with the dates that have something to give there and the planes known already."""
        if self.gate is None:
            return [((rows, cols), dates, {})]
        formula = self.gate.formula
        read = {p: self.read(p, dates, (rows, cols)) for p in formula.planes}
        height, width = count(rows), count(cols)
        alive = np.empty((count(dates), height, width), np.bool_)
        kernel(formula.text)(*read.values(), np.arange(count(dates)), network(0), alive)
        found = []
        for part in product(
            *(cuts(place, edges) for place, edges in zip((rows, cols), self.gate.tiles, strict=True))
        ):
            inner = tuple(
                slice(p.start - w.start, p.stop - w.start) for p, w in zip(part, (rows, cols), strict=True)
            )
            some = np.flatnonzero(alive[:, inner[0], inner[1]].any(axis=(1, 2)))
            known = {p: np.ascontiguousarray(a[some][:, inner[0], inner[1]]) for p, a in read.items()}
            chosen = among(dates, some) if len(some) else slice(0, 0)
            found.append(((part[0], part[1]), chosen, known))
        return found

    def fill(
        self,
        out: np.ndarray,
        apart: Sequence[np.ndarray],
        groups: np.ndarray | None,
        tile: tuple[slice, slice],
        dates: Place,
        known: Mapping[int, np.ndarray],
        corner: tuple[int, int],
    ) -> None:
        """Compute one tile."""
        planes = dict(known)
        at = tuple(slice(p.start - c, p.stop - c) for p, c in zip(tile, corner, strict=True))
        for place in product(*(range(len(a)) for a in apart)):
            formula: Formula = self.formulas[tuple(int(a[i]) for a, i in zip(apart, place, strict=True))]
            for p in formula.planes:
                if p not in planes:
                    planes[p] = self.read(p, dates, tile)
            target = out[place]
            if groups is None:
                self.run(formula, planes, np.arange(count(dates)), target, at)
                continue
            assert self.groups is not None
            here = indices(dates)
            for g, number in enumerate(groups):
                group = self.groups.dates[number]
                if not len(group):
                    target[g][at] = self.groups.empty
                    continue
                some = np.flatnonzero(np.isin(here, group))
                self.run(formula, planes, some, target[g], at)

    @staticmethod
    def run(
        formula: Formula,
        planes: Mapping[int, np.ndarray],
        dates: np.ndarray,
        target: np.ndarray,
        at: tuple[slice, ...],
    ) -> None:
        """Run one kernel into a part of an array (..., y, x)."""
        part = target[..., at[0], at[1]]
        lacks_time = part.ndim == 3 and not formula.timed
        fits = part.flags.c_contiguous and not lacks_time
        whole = part if fits else np.empty(part.shape[-2:] if lacks_time else part.shape, part.dtype)
        kernel(formula.text)(*(planes[p] for p in formula.planes), dates, network(len(dates)), whole)
        if whole is not part:
            part[...] = whole

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
        whole = block if block.shape == shape else np.broadcast_to(block, shape)
        return np.require(whole, requirements=["C", "A", "W"])  # as the kernel's signature says


def cuts(place: slice, edges: Sequence[int]) -> list[slice]:
    """A run of indices, cut at the edges."""
    ends = [place.start, *(e for e in edges if place.start < e < place.stop), place.stop]
    return [slice(a, b) for a, b in pairwise(ends)] if place.stop > place.start else []
