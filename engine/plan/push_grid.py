"""Rule: what is only wanted on a coarser grid is read on that grid, from overviews where the files have some.

The nearest cells may be chosen before or after a step that computes each cell by itself: it comes to the same. To
choose them first saves reading and computing all others. Where cells do not become coarser, to move one result takes
less than to move all that it is made of, and it is left as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol, runtime_checkable
from weakref import WeakKeyDictionary

import numpy as np
from dask.base import tokenize
from odc.geo.geobox import GeoBox

from engine.kernel.trace import Axes, axes_of
from processes.cubes.warp import Warped, mesh_over
from processes.kernels.moving import HAIR
from processes.places import Region, count, from_hull, hull, taken
from processes.recipes import Changed, Mapped, Picked, Recipe, inputs_first

NEAREST = ("near", "nearest")
"""Methods that give a new cell the numbers of one old one."""
COARSER = 2
"""Old cells along each side of a new one from which on the new grid is read: the first overview has so many."""


@runtime_checkable
class Gridded(Protocol):
    """A recipe that can be read on other grids than its own."""

    grid: GeoBox
    """Its cells."""

    def onto(self, grid: GeoBox) -> Recipe:
        """The nearest cells on another grid."""
        ...


_known: WeakKeyDictionary[Recipe, Recipe | None] = WeakKeyDictionary()
"""What recipes become; `None` for those that stay as they are, which must not hold themselves."""


def push_grid(recipe: Recipe) -> Recipe:
    """The recipe with reads on coarser grids in place of resampling."""
    for node in inputs_first(recipe, _known.__contains__):
        _known[node] = changed(node)
    return _known[recipe] or recipe


def changed(node: Recipe) -> Recipe | None:
    """What one recipe becomes, if its inputs are known; `None` where it stays as it is."""
    if isinstance(node, Warped) and (read := on_new_grid(node)) is not None:
        return read
    inputs = [_known[i] for i in node.inputs]
    if not any(inputs):
        return None
    return node.of(tuple(new or old for new, old in zip(inputs, node.inputs, strict=True)))


def on_new_grid(node: Warped) -> Recipe | None:
    """What is resampled, read on the grid that it is wanted on; `None` where that is not the same, or not less."""
    if node.step.method not in NEAREST or min(node.step.ratio) < COARSER:
        return None
    moved = moved_to(node.source, node.old, node.new)
    if moved is None or is_within(node.new, node.old):
        return moved
    return Framed(moved, node.old, node.new, node.step.filler(node.dtype))


def moved_to(recipe: Recipe, old: GeoBox, new: GeoBox) -> Recipe | None:
    """A recipe on another grid; `None` where a step looks beyond a cell, or where a source has one grid only."""
    roles: dict[int, Axes] = {}
    found: dict[int, Recipe] = {}
    for node in inputs_first(recipe, lambda n: id(n) in roles):
        roles[id(node)] = axes_of(node, roles)
        made = step(node, roles, found, old, new)
        if made is None:
            return None
        found[id(node)] = made
    return found[id(recipe)]


def step(
    node: Recipe, roles: Mapping[int, Axes], found: Mapping[int, Recipe], old: GeoBox, new: GeoBox
) -> Recipe | None:
    """One step on the new grid."""
    axes = roles[id(node)]
    inputs = tuple(found[id(i)] for i in node.inputs)
    if not node.inputs:
        if not {"y", "x"} & set(axes):
            return node
        if isinstance(node, Gridded) and axes[-2:] == ("y", "x") and node.grid == old:
            return node.onto(new)
        return None
    if isinstance(node, Picked):
        below = roles[id(node.source)]
        places = list(node.places)
        for axis, role in enumerate(below):
            if role not in ("y", "x"):
                continue
            if not is_whole(places[axis], node.source.shape[axis]):
                return None
            places[axis] = slice(0, inputs[0].shape[axis])
        return replace(node, source=inputs[0], places=tuple(places))
    return node.of(inputs) if isinstance(node, Mapped) and is_local(node, roles) else None


def is_local(node: Mapped, roles: Mapping[int, Axes]) -> bool:
    """Does a step compute each cell of the plane by itself, from inputs that all have that plane, or none?"""
    plane: dict[str, str] = {}
    for source, dims in zip(node.inputs, node.input_dims, strict=True):
        for dim, role in zip(dims, roles[id(source)], strict=True):
            if role in ("y", "x") and plane.setdefault(dim, role) != role:
                return False
    if not set(plane) <= set(node.dims) or not plane.keys().isdisjoint(node.new):
        return False
    return all(
        dim not in plane or role == plane[dim]
        for source, dims in zip(node.inputs, node.input_dims, strict=True)
        for dim, role in zip(dims, roles[id(source)], strict=True)
    )


def is_whole(place: Any, length: int) -> bool:
    """Is it all of an axis, in its order?"""
    return isinstance(place, slice) and (place.start, place.stop) == (0, length)


def is_within(new: GeoBox, old: GeoBox) -> bool:
    """Has every cell of one grid surely its centre in the other?"""
    if new.crs != old.crs or not new.axis_aligned or not old.axis_aligned:
        return False
    way = ~old.transform * new.transform
    height, width = new.shape
    corners = [way * (0.5, 0.5), way * (width - 0.5, height - 0.5)]
    return all(-HAIR <= x < old.shape[1] - HAIR and -HAIR <= y < old.shape[0] - HAIR for x, y in corners)


def origins(recipe: Recipe) -> dict[str, str]:
    """For what the rule has put in place of recipes, by token, the token of what it stands for."""
    found: dict[str, str] = {}
    pairs = [(recipe, push_grid(recipe))]
    seen: set[int] = set()
    while pairs:
        old, new = pairs.pop()
        if old is new or id(new) in seen:
            continue
        seen.add(id(new))
        found.setdefault(new.token, old.token)
        if isinstance(old, Warped) and not isinstance(new, Warped):
            inside = new.source if isinstance(new, Framed) else new
            pairs += zip(old.source.inputs, inside.inputs, strict=True)
            if inside is not new or not inside.inputs:
                found.setdefault(inside.token, old.source.token)
        else:
            pairs += zip(old.inputs, new.inputs, strict=True)
    return found


@dataclass(frozen=True, eq=False)
class Framed(Changed):
    """The recipe of an array (..., y, x) that has no data where another grid does not reach."""

    old: GeoBox
    """The other grid."""
    new: GeoBox
    """The array's own."""
    filler: Any
    """What stands where there is nothing."""

    @cached_property
    def token(self) -> str:
        """The same for the same part of the same array."""
        return str(tokenize("framed", self.source.token, self.old, self.new, self.filler))

    def needs(self, region: Region) -> tuple[Region, ...]:
        """The same places."""
        return (region,)

    def make(self, region: Region, blocks: Sequence[np.ndarray]) -> np.ndarray:
        """Take out what lies outside."""
        rows, columns = map(hull, region[-2:])
        if not count(rows) or not count(columns):
            return blocks[0]
        inside = reached(self.old, self.new, rows, columns)
        inside = taken(inside, tuple(map(from_hull, region[-2:])))
        return blocks[0] if inside.all() else np.where(inside, blocks[0], self.filler).astype(self.dtype)


def reached(old: GeoBox, new: GeoBox, rows: slice, columns: slice) -> np.ndarray:
    """For each cell of a part of the new grid: does its centre lie in the old one?"""
    mesh = mesh_over(old, new, rows, columns)
    x, y = mesh.places(*map(np.arange, mesh.shape)) + HAIR
    with np.errstate(invalid="ignore"):
        inside: np.ndarray = (x >= 0) & (x < old.shape[1]) & (y >= 0) & (y < old.shape[0])
    return inside
