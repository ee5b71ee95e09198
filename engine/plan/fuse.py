"""Rule: what kernels have words for becomes one pass over the planes that it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from engine.kernel.cells import Wordless
from engine.kernel.emit import written
from engine.kernel.fused import Fused, Gate, Groups
from engine.kernel.sheet import RANKED, STREAMED, TRANSCENDENTAL, Sheet
from engine.kernel.trace import READERS, Axes, Plane, Traced, axes_of, leaf, read
from engine.plan.parts import all_of
from processes.cubes.apply import OnSeries, Series
from processes.cubes.groups import Grouping
from processes.places import count, everything
from processes.recipes import Mapped, Picked, Recipe, Step, inputs_first, schedule

TILE = 512
"""Cells along each side of a tile, where the blocks of the sources allow it."""


def fuse(recipe: Recipe, *, all_words: bool = True) -> Recipe:
    """The recipe with kernels in the place of what they can compute.

    Parts that kernels have no words for stay as they are written, and what they are made of is fused by itself. So do,
    unless `all_words` count, kernels that would take longer than NumPy's functions.
    """
    roles = roles_of(recipe)
    found: dict[int, Recipe] = {}
    order: list[tuple[Recipe, Draft | None]] = []
    waiting = [recipe]
    seen: set[int] = set()
    for node in waiting:  # grows while it is walked
        if id(node) in seen:
            continue
        seen.add(id(node))
        draft = drafted(node, roles)
        if draft is not None and not all_words and draft.is_slow():
            draft = None
        order.append((node, draft))
        waiting += [p.recipe for p in draft.planes] if draft else node.inputs
    for node, draft in reversed(settled(order)):
        if id(node) not in found:
            found[id(node)] = draft.fused(node, found) if draft else rebuilt(node, found)
    return found[id(recipe)]


def settled(order: list[tuple[Recipe, Draft | None]]) -> list[tuple[Recipe, Draft | None]]:
    """Each after all that it is needed for, so that the reverse has all parts of a node before it."""
    by_id = {id(node): (node, draft) for node, draft in order}
    done: list[int] = []
    state: dict[int, int] = {}
    waiting = [id(order[0][0])]
    while waiting:
        at = waiting[-1]
        node, draft = by_id[at]
        if state.get(at) is None:
            state[at] = 1
            parts = [p.recipe for p in draft.planes] if draft else node.inputs
            waiting += [id(p) for p in parts if state.get(id(p)) is None]
            continue
        waiting.pop()
        if state[at] == 1:
            state[at] = 2
            done.append(at)
    return [by_id[at] for at in reversed(done)]


def rebuilt(node: Recipe, found: Mapping[int, Recipe]) -> Recipe:
    """A node made of what its inputs have become."""
    inputs = tuple(found[id(i)] for i in node.inputs)
    return node if all(a is b for a, b in zip(inputs, node.inputs, strict=True)) else node.of(inputs)


def roles_of(recipe: Recipe) -> dict[int, Axes]:
    """The roles of the axes of all that a recipe is made of."""
    known: dict[int, Axes] = {}
    for node in inputs_first(recipe, lambda n: id(n) in known):
        known[id(node)] = axes_of(node, known)
    return known


@dataclass(frozen=True)
class Draft:
    """A kernel, before its planes are what they will be."""

    sheet: Sheet
    traced: Traced
    planes: tuple[Plane, ...]
    groups: Groups | None

    def fused(self, node: Recipe, found: Mapping[int, Recipe]) -> Recipe:
        """The node as a kernel."""
        formulas = np.empty(self.traced.stored.shape, dtype=object)
        for index in np.ndindex(formulas.shape):
            formulas[index] = written(self.sheet, int(self.traced.stored[index]))
        planes = tuple(Plane(found[id(p.recipe)], p.axes, p.places) for p in self.planes)
        axes = self.traced.axes
        if self.groups is not None:
            axes = (*axes[: self.groups.axis], "each", *axes[self.groups.axis :])
        return Fused(node, axes, formulas, planes, self.gate(), self.groups)

    def is_slow(self) -> bool:
        """Has it transcendental functions, and nothing that is gathered along time?

        NumPy computes these for several numbers at once, a kernel for one after the other: two to ten times as long. What
        a kernel saves where something is gathered behind them is more than that.
        """
        results = {int(r) for r in self.traced.stored.ravel()}
        ops = {self.sheet.rows[n].op for n in self.sheet.needed(*results)}
        return bool(ops & TRANSCENDENTAL) and not ops & (STREAMED | RANKED)

    def gate(self) -> Gate | None:
        """The gate, where there is one: what all that is gathered along time leaves out, as one plane tells."""
        results = sorted({int(r) for r in self.traced.stored.ravel()})
        if any(self.sheet.rows[r].timed for r in results):
            return None
        gathered = [n for n in self.sheet.needed(*results) if self.sheet.rows[n].op in STREAMED | RANKED]
        if not gathered or any(len(self.sheet.rows[n].args) < 2 for n in gathered):
            return None
        terms = set.intersection(*(left_out(self.sheet, self.sheet.rows[n].args[1]) for n in gathered))
        by_plane: dict[int, list[int]] = {}
        for term in sorted(terms):
            of = {
                self.sheet.rows[n].told for n in self.sheet.needed(term) if self.sheet.rows[n].op == "plane"
            }
            if len(of) == 1:
                by_plane.setdefault(of.pop(), []).append(term)
        masks = {
            p: ts
            for p, ts in by_plane.items()
            if self.sheet.rows[ts[0]].timed and self.is_mask(p, results, ts)
        }
        if not masks:
            return None
        plane, chosen = max(masks.items(), key=lambda m: len(self.sheet.needed(*m[1])))
        dead = chosen[0]
        for term in chosen[1:]:
            dead = self.sheet.do("or", dead, term, dtype=bool)
        alive = self.sheet.do("not", dead, dtype=bool)
        return Gate(written(self.sheet, alive), tiles_of(self.planes[plane]))

    def is_mask(self, plane: int, results: list[int], terms: list[int]) -> bool:
        """Does a plane say more than where it has no data itself, and are there others besides it?"""
        planes = {r.told for n in self.sheet.needed(*results) if (r := self.sheet.rows[n]).op == "plane"}
        own = {
            n
            for n in terms
            if all(self.sheet.rows[a].op in ("plane", "constant") for a in self.sheet.rows[n].args)
        }
        return planes > {plane} and set(terms) > own


def left_out(sheet: Sheet, known: int) -> set[int]:
    """The conditions of which each alone leaves a value out; `known` is the row of what counts."""
    row = sheet.rows[known]
    if row.op != "not":
        return set()
    found: set[int] = set()
    waiting = [row.args[0]]
    while waiting:
        n = waiting.pop()
        if sheet.rows[n].op == "or":
            waiting += sheet.rows[n].args
        else:
            found.add(n)
    return found


def tiles_of(plane: Plane) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Where tiles of a plane begin and end, in cells of the result, so that they hold whole blocks of its source."""
    sizes = getattr(plane.recipe, "chunks", None)
    edges = []
    for role in ("y", "x"):
        axis = plane.axes.index(role)
        place = plane.places[axis]
        length = count(place)
        if sizes is None or not isinstance(place, slice):
            edges.append(tuple(range(0, length + TILE, TILE)))
            continue
        first, full = sizes[axis][0], max(sizes[axis])
        step = TILE if full % TILE == 0 else full
        edges.append(
            tuple(e - place.start for e in range(first % step, place.stop + step, step) if e >= place.start)
        )
    return edges[0], edges[1]


def drafted(node: Recipe, roles: Mapping[int, Axes]) -> Draft | None:
    """The node as a kernel; `None` where its own step has no words, or where there is nothing to compute."""
    root, groups = node, None
    if isinstance(node, Mapped) and isinstance(node.fn, Grouping):
        root, groups = ungrouped(node, roles)
        if groups is None:
            return None
    if not isinstance(root, Mapped) or type(root.fn) not in READERS:
        return None
    sheet = Sheet()
    planes: list[Plane] = []
    axes = {**roles, id(root): axes_of(root, roles)}
    try:
        traced = traced_whole(root, axes, sheet, planes)
    except Wordless:
        return None
    if not planes:
        return None
    return Draft(sheet, traced, tuple(planes), groups)


def traced_whole(root: Recipe, roles: Mapping[int, Axes], sheet: Sheet, planes: list[Plane]) -> Traced:
    """A recipe and what it is made of, as rows, as far as there are words."""
    steps = schedule(root, everything(root.shape), opaque)
    traced: list[Traced] = []
    for step in steps:
        inputs = [traced[i] for i in step.inputs]
        axes = roles[id(step.recipe)]
        try:
            traced.append(stepped(step, inputs, axes, sheet))
        except Wordless:
            if step is steps[-1]:
                raise
            traced.append(leaf(step.recipe, axes, step.region, sheet, planes))
    return traced[-1]


def opaque(node: Recipe) -> bool:
    """Is this surely a step that kernels have no words for?"""
    return isinstance(node, Mapped) and type(node.fn) not in READERS


def stepped(step: Step, inputs: list[Traced], axes: Axes, sheet: Sheet) -> Traced:
    """One step, as rows."""
    node = step.recipe
    if isinstance(node, Picked) and inputs:
        return picked(node, inputs[0], axes)
    if isinstance(node, Mapped) and inputs:
        return read(node, inputs, axes, step.region, sheet)
    raise Wordless


def picked(node: Picked, source: Traced, axes: Axes) -> Traced:
    """Some places: the rows of the source, its axes in another order."""
    apart = [a for a, role in enumerate(source.axes) if role == "each"]
    if any(role != "each" and a not in node.axes for a, role in enumerate(source.axes)):
        raise Wordless  # one date, row or column of many: rows stand for all of them
    kept = [a for a in node.axes if a in apart]
    stored = source.stored.transpose([apart.index(a) for a in (*[a for a in apart if a not in kept], *kept)])
    stored = stored.reshape(stored.shape[len(apart) - len(kept) :])
    for i, a in enumerate([a for a in node.axes if a is None or a in apart]):
        if a is None:
            stored = np.expand_dims(stored, i)
    return Traced(axes, stored)


def ungrouped(node: Mapped, roles: Mapping[int, Axes]) -> tuple[Recipe, Groups | None]:
    """A reducer over groups of dates as one over all dates, and the groups."""
    fn: Any = node.fn
    dim = node.input_dims[0][fn.position]
    if roles[id(node.inputs[0])][fn.position] != "t" or fn.after is None:
        return node, None
    series = Series(fn.position, fn.labels, fn.before, fn.context)
    alone = OnSeries(fn.reducer, series, fn.after, keeps=False)
    dims = tuple(d for d in node.dims if d != dim)
    root = Mapped(alone, dims, node.inputs, node.input_dims, {}, node.dtype)
    empty: Any = None
    if any(not len(g) for g in fn.groups):
        shape = [len(fn.labels) if a == fn.position else 1 for a in range(len(node.input_dims[0]))]
        made = np.moveaxis(fn(np.zeros(shape, dtype=node.inputs[0].dtype)), fn.position, 0)
        empty = made[next(i for i, g in enumerate(fn.groups) if not len(g))].ravel()[0]
    return root, Groups(node.dims.index(dim), tuple(fn.groups), empty)


def work(recipe: Recipe) -> int:
    """How many numbers go into the kernels of a recipe, all in all."""
    kernels = [node for node in all_of(recipe) if isinstance(node, Fused)]
    places = [node.planes[n].places for node in kernels for n in node.used]
    return sum(prod(map(count, region)) for region in places)
