"""Reads what a recipe does to a cell: block functions of the processes become rows of a sheet.

A recipe is followed from its sources up, for all of its places at once. Along x, y and time one row stands for all
places; along any other axis (bands, above all) each place has its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from engine.graph.check import callback_parameters
from engine.graph.model import Child, Param, Ref, needed_for
from engine.kernel.callback import Callback
from engine.kernel.cells import Cell, Several, Wordless, is_cells, null_of, row_of, shadow_of
from engine.kernel.lift import call
from engine.kernel.sheet import Sheet
from engine.kernel.words import WORDS
from processes import REGISTRY
from processes.cubes.apply import OnCells, OnSeries
from processes.cubes.cells import Coding
from processes.cubes.indices import Difference
from processes.cubes.masks import Masking
from processes.cubes.merge import Merging
from processes.cubes.resample import Recode
from processes.errors import ProcessError
from processes.places import Place, Region, count, same, taken
from processes.recipes import Cast, Held, Mapped, Picked, Recipe
from processes.values import Labeled, Masked, join, split

ROLES = ("t", "y", "x")
"""Axes along which one row stands for all places."""
MOST = 64
"""More places than this along other axes are not taken apart."""
CELL = (1, 1, 1)
"""Shape of the shadow of a cell. That of a series along time has two axes, that of a statistic of it one."""

Axes = tuple[str, ...]
"""For each axis of a recipe its role: one of `ROLES`, or `each`, where each place has its own rows."""


@dataclass(frozen=True, eq=False)
class Plane:
    """Numbers that go into a kernel: of one place along each axis but those with a role."""

    recipe: Recipe
    """What they are numbers of."""
    axes: Axes
    """The roles of its axes."""
    places: Region
    """Where, along each of its axes, for all places of the kernel's result."""

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that it has axes for, in their order."""
        return tuple(r for r in ROLES if r in self.axes)


@dataclass(frozen=True, eq=False)
class Traced:
    """What stands in the places of a recipe."""

    axes: Axes
    """The roles of its axes."""
    stored: np.ndarray
    """Rows of stored values, of the shape of the axes that are taken apart."""


# ------------------------------------------------------------------------------------------------ roles
def axes_of(recipe: Recipe, known: Mapping[int, Axes]) -> Axes:
    """The roles of a recipe's axes, from those of its inputs."""
    if isinstance(recipe, Picked):
        below = known[id(recipe.source)]
        return tuple("each" if a is None else below[a] for a in recipe.axes)
    if isinstance(recipe, Mapped):
        roles: dict[str, str] = {}
        for source, dims in zip(recipe.inputs, recipe.input_dims, strict=True):
            for dim, role in zip(dims, known[id(source)], strict=True):
                if roles.get(dim, "each") == "each":
                    roles[dim] = role
        return tuple("each" if d in recipe.new else roles[d] for d in recipe.dims)
    if getattr(recipe, "keeps_axes", False):
        return known[id(recipe.inputs[0])]
    return tuple(getattr(recipe, "roles", ())) or ("each",) * len(recipe.shape)


# ------------------------------------------------------------------------------------------------ leaves
def leaf(recipe: Recipe, axes: Axes, region: Region, sheet: Sheet, planes: list[Plane]) -> Traced:
    """A recipe whose numbers go into the kernel as they are."""
    apart = [a for a, role in enumerate(axes) if role == "each"]
    lengths = tuple(count(region[a]) for a in apart)
    if np.prod(lengths, dtype=int) > MOST:
        raise Wordless
    stored = np.empty(lengths, dtype=object)
    for index in np.ndindex(lengths):
        places = list(region)
        for a, i in zip(apart, index, strict=True):
            places[a] = one(region[a], i)
        stored[index] = plane(Plane(recipe, axes, tuple(places)), sheet, planes)
    return Traced(axes, stored)


def one(place: Place, i: int) -> slice:
    """The i-th of some places, alone."""
    at = place.start + i if isinstance(place, slice) else int(place[i])
    return slice(at, at + 1)


def plane(wanted: Plane, sheet: Sheet, planes: list[Plane]) -> int:
    """The row of a plane, which is new unless the same one is there."""
    there = (i for i, p in enumerate(planes) if p.recipe is wanted.recipe and equal(p.places, wanted.places))
    number = next(there, len(planes))
    if number == len(planes):
        planes.append(wanted)
    return sheet.plane(number, wanted.recipe.dtype, timed="t" in wanted.axes)


def equal(a: Region, b: Region) -> bool:
    """Are these the same places?"""
    return all(type(p) is type(q) and same(p) == same(q) for p, q in zip(a, b, strict=True))


# ------------------------------------------------------------------------------------- stored and decoded
def decoded(sheet: Sheet, stored: int, coding: Coding, shape: tuple[int, ...]) -> Cell:
    """A stored value as a cell; `shape` is that of its shadow."""
    shadow = coding.decode(np.zeros(shape, dtype=coding.dtype))
    if coding.dtype.kind not in "iufb":
        raise Wordless
    if coding.logical:
        one = sheet.do("eq", stored, sheet.constant(1, coding.dtype), dtype=bool, within=coding.dtype)
        gone = sheet.never() if coding.nodata is None else absent(sheet, stored, coding)
        return Cell(one, gone, shadow)
    if isinstance(shadow, Masked):
        return Cell(stored, absent(sheet, stored, coding), shadow)
    return Cell(stored, None, shadow)


def absent(sheet: Sheet, stored: int, coding: Coding) -> int:
    """Where a stored value stands for no-data."""
    return sheet.do(
        "eq", stored, sheet.constant(coding.nodata, coding.dtype), dtype=bool, within=coding.dtype
    )


def encoded(sheet: Sheet, value: Any, coding: Coding) -> int:
    """A cell as a stored value."""
    if coding.dtype.kind not in "iufb":
        raise Wordless
    if value is None:
        return sheet.constant(coding.null, coding.dtype)
    if not is_cells(value):
        return row_of(sheet, value, coding.dtype)
    data = sheet.do("cast", value.data, dtype=coding.dtype)
    null = value.null
    if null is None and coding.nodata is not None and value.dtype.kind == "f":
        null = null_of(sheet, value)
    if null is None:
        return data
    if coding.null is None:
        raise Wordless
    return sheet.do("select", null, sheet.constant(coding.null, coding.dtype), data, dtype=coding.dtype)


# ----------------------------------------------------------------------------------------- child graphs
def graph_words(callback: Any, sheet: Sheet, given: Mapping[str, Any]) -> Any:
    """What a child graph gives for these values of its parameters."""
    if not isinstance(callback, Callback):
        raise Wordless
    env = {**callback.scope, **given}
    needed = needed_for(callback.graph, [callback.graph.result])
    values: dict[str, Any] = {}
    for name in callback.graph:
        if name in needed:
            node = callback.graph[name]
            args = {k: argument(v, values, env) for k, v in node.args.items()}
            values[name] = word(node.process, args, sheet)
    return values[callback.graph.result]


def argument(value: Any, values: Mapping[str, Any], env: Mapping[str, Any]) -> Any:
    """An argument with references and parameters replaced."""
    if isinstance(value, Ref):
        return values[value.node]
    if isinstance(value, Param):
        return env[value.name]
    if isinstance(value, Child):
        raise Wordless
    if isinstance(value, (list, tuple)):
        return [argument(v, values, env) for v in value]
    return value


def word(process: str, args: Mapping[str, Any], sheet: Sheet) -> Any:
    """What a process gives."""
    if process not in REGISTRY:
        raise Wordless
    known = REGISTRY[process]
    shadows = {k: shadow_of(v) for k, v in args.items()}
    if not any(isinstance(v, (Cell, Several)) or holds_cells(v) for v in args.values()):
        if known.signature.wants or callback_parameters([p.schema for p in known.signature.params]):
            raise Wordless
        return call(known, shadows)
    if known.id not in WORDS:
        raise Wordless
    return WORDS[known.id](sheet, args, call(known, shadows))


def holds_cells(value: Any) -> bool:
    """Is this a list with cells in it?"""
    return isinstance(value, list) and any(is_cells(v) or holds_cells(v) for v in value)


# -------------------------------------------------------------------------------------- block functions
@dataclass(frozen=True)
class Site:
    """Where a block function stands."""

    recipe: Mapped
    inputs: tuple[Traced, ...]
    axes: Axes
    """Roles of the axes of the result."""
    region: Region
    """Which part of the result is wanted."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes that are taken apart in the result."""
        return tuple(count(p) for role, p in zip(self.axes, self.region, strict=True) if role == "each")

    def names(self, i: int | None = None) -> list[str]:
        """Names of the axes that are taken apart: of an input, or of the result."""
        dims = self.recipe.dims if i is None else self.recipe.input_dims[i]
        axes = self.axes if i is None else self.inputs[i].axes
        return [d for d, role in zip(dims, axes, strict=True) if role == "each"]

    def places(self) -> Iterator[tuple[tuple[int, ...], dict[str, int]]]:
        """The places of the result, each with its index along the axes by their names."""
        names = self.names()
        for index in product(*map(range, self.shape)):
            yield index, dict(zip(names, index, strict=True))

    def at(self, i: int, where: Mapping[str, int]) -> int:
        """The row of an input in the place that goes with one of the result."""
        return int(self.inputs[i].stored[tuple(where[n] for n in self.names(i))])

    def timed(self, i: int) -> bool:
        """Has an input an axis of time?"""
        return "t" in self.inputs[i].axes

    def dim_of(self, i: int, role: str) -> str | None:
        """The name of the axis with a role."""
        dims, axes = self.recipe.input_dims[i], self.inputs[i].axes
        return next((d for d, r in zip(dims, axes, strict=True) if r == role), None)


def on_cells(fn: OnCells, site: Site, sheet: Sheet) -> Callable[[Mapping[str, int]], int]:
    """A child graph for each cell."""

    def at(where: Mapping[str, int]) -> int:
        x = decoded(sheet, site.at(0, where), fn.before, CELL)
        return encoded(sheet, graph_words(fn.process, sheet, {"x": x, "context": fn.context}), fn.after)

    return at


def on_series(fn: OnSeries, site: Site, sheet: Sheet) -> Callable[[Mapping[str, int]], int]:
    """A reducer along an axis."""
    if fn.keeps:
        raise Wordless
    series = fn.series
    dim = site.recipe.input_dims[0][series.position]

    def at(where: Mapping[str, int]) -> int:
        data = along(site, dim, where, sheet, series.coding, series.labels)
        return encoded(
            sheet, graph_words(fn.process, sheet, {"data": data, "context": series.context}), fn.after
        )

    return at


def along(
    site: Site, dim: str, where: Mapping[str, int], sheet: Sheet, coding: Coding, labels: Sequence[Any]
) -> Any:
    """The values along an axis: along time as one cell with all dates, else one by one."""
    role = site.inputs[0].axes[site.recipe.input_dims[0].index(dim)]
    if role == "t":
        return decoded(sheet, site.at(0, where), coding, (len(labels), 1))
    if role != "each":
        raise Wordless
    elements = tuple(decoded(sheet, site.at(0, {**where, dim: i}), coding, CELL) for i in range(len(labels)))
    shadow = coding.decode(np.zeros((len(labels), *CELL), dtype=coding.dtype))
    return Several(elements, Labeled(shadow, tuple(labels)))


def masking(fn: Masking, site: Site, sheet: Sheet) -> Callable[[Mapping[str, int]], int]:
    """Cells that are taken out."""
    if isinstance(fn.replacement, str):
        raise Wordless

    def at(where: Mapping[str, int]) -> int:
        stored = site.at(0, where)
        cell = decoded(sheet, stored, fn.before, CELL)
        marks = decoded(sheet, site.at(1, where), fn.mask_coding, CELL)
        out = marks.data
        if marks.dtype.kind != "b":
            zero = sheet.constant(0, marks.dtype)
            out = sheet.do("neq", out, zero, dtype=bool, within=marks.dtype)
        for gone in [null_of(sheet, marks)] + ([] if fn.gaps else [null_of(sheet, cell)]):
            if gone is not None:
                out = sheet.do("and", out, sheet.do("not", gone, dtype=bool), dtype=bool)
        kept = stored if fn.before == fn.after else encoded(sheet, cell, fn.after)
        value = fn.after.null if fn.replacement is None else fn.replacement
        return sheet.do("select", out, sheet.constant(value, fn.after.dtype), kept, dtype=fn.after.dtype)

    return at


def difference(fn: Difference, site: Site, sheet: Sheet) -> Callable[[Mapping[str, int]], int]:
    """The normalized difference of two bands."""
    dim = site.recipe.input_dims[0][fn.position]

    def at(where: Mapping[str, int]) -> int:
        x, y = (decoded(sheet, site.at(0, {**where, dim: i}), fn.before, CELL) for i in (0, 1))
        bare = [Cell(c.data, None, np.asarray(split(c.shadow)[0])) for c in (x, y)]
        index = word("normalized_difference", {"x": bare[0], "y": bare[1]}, sheet)
        if x.null is None or y.null is None:
            return encoded(sheet, index, fn.after)
        null = sheet.do("or", x.null, y.null, dtype=bool)
        shadow = join(index.shadow, np.zeros(index.shadow.shape, bool), index.shadow)
        nan = sheet.constant(np.nan, index.dtype)
        return encoded(
            sheet, Cell(sheet.do("select", null, nan, index.data, dtype=index.dtype), None, shadow), fn.after
        )

    return at


def merging(fn: Merging, site: Site, sheet: Sheet) -> Callable[[Mapping[str, int]], int]:
    """Two cubes that become one: in each place the values of one, or what is made of both."""
    members = {}
    for n, dim in enumerate(fn.shared):
        held = site.recipe.inputs[2 + n]
        if not isinstance(held, Held):
            raise Wordless
        member = taken(held.array, (site.region[site.recipe.dims.index(dim)],))
        if dim in site.names():
            members[dim] = member
        elif (member != 3).any():
            raise Wordless

    def at(where: Mapping[str, int]) -> int:
        inside = 3
        for dim, held in members.items():
            inside &= int(held[where[dim]])
        one = decoded(sheet, site.at(0, where), fn.coding1, CELL)
        two = decoded(sheet, site.at(1, where), fn.coding2, CELL)
        if inside == 3 and fn.resolver is not None:
            return encoded(
                sheet, graph_words(fn.resolver, sheet, {"x": one, "y": two, "context": fn.context}), fn.target
            )
        if not inside:
            return encoded(sheet, None, fn.target)
        return encoded(sheet, one if inside & 1 else two, fn.target)

    return at


def recoding(fn: Recode, site: Site, sheet: Sheet) -> Callable[[Mapping[str, int]], int]:
    """The same cells, stored in another way."""
    return lambda where: encoded(sheet, decoded(sheet, site.at(0, where), fn.before, CELL), fn.after)


def casting(fn: Cast, site: Site, sheet: Sheet) -> Callable[[Mapping[str, int]], int]:
    """Numbers as another type."""
    if fn.dtype.kind not in "iuf" or site.recipe.inputs[0].dtype.kind not in "iuf":
        raise Wordless
    return lambda where: sheet.do("cast", site.at(0, where), dtype=fn.dtype)


READERS: Mapping[type, Callable[..., Callable[[Mapping[str, int]], int]]] = {
    OnCells: on_cells,
    OnSeries: on_series,
    Masking: masking,
    Difference: difference,
    Merging: merging,
    Recode: recoding,
    Cast: casting,
}
"""What reads which block function."""


def read(recipe: Mapped, inputs: Sequence[Traced], axes: Axes, region: Region, sheet: Sheet) -> Traced:
    """A function of blocks, as rows of a region.

    Raises:
        Wordless: It does something that a kernel has no words for.
    """
    reader = READERS.get(type(recipe.fn))
    if reader is None or recipe.new:
        raise Wordless
    site = Site(recipe, tuple(inputs), axes, region)
    if np.prod(site.shape, dtype=int) > MOST or mixes_plane(site):
        raise Wordless
    try:
        at = reader(recipe.fn, site, sheet)
        stored = np.empty(site.shape, dtype=object)
        for index, where in site.places():
            stored[index] = at(where)
    except (ProcessError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise Wordless from error  # the functions themselves will say it
    return Traced(axes, stored)


def mixes_plane(site: Site) -> bool:
    """Is an axis of x or y given up, or made anew?"""
    return any(
        role in ("x", "y") and (dim not in site.recipe.dims or dim in site.recipe.new)
        for i, dims in enumerate(site.recipe.input_dims)
        for dim, role in zip(dims, site.inputs[i].axes, strict=True)
    )
