"""From a request for a coverage to its process graph, and to what will be in the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.coverages import choice, forms, graph
from engine.coverages.cut import Cut, cut
from engine.coverages.faults import wrong
from engine.coverages.forms import FORMS, Form
from engine.coverages.places import Range
from engine.coverages.source import Source
from engine.coverages.target import Target, target
from engine.coverages.wish import Wish
from engine.domain.model import GROUND, Axis, Domain


@dataclass(frozen=True, slots=True)
class Plan:
    """A coverage that can be computed."""

    process: Mapping[str, Any]
    """The process graph."""
    domain: Domain
    """Of the answer: its axes, its fields, its reference system."""
    wide: Mapping[str, Any] | None = None
    """The same by a graph that looks through all of the collection, where the first trusts items to tell where and when
    they are; a collection whose items do not, or that are on several grids, needs it."""


def restricted(domain: Domain, wish: Wish) -> Domain | None:
    """The domain of what a request leaves of a coverage; none where nothing is."""
    fields = choice.chosen(domain.fields, wish.properties, wish.excluded)
    left = cut(domain, wish)
    grid = None if left is None else grid_for(domain, left, wish)
    if left is None or (grid is None and has_ground(domain)):
        return None
    return replace(answered(domain, left, grid, wish, gone(domain, left)), fields=fields)


def plan(
    source: Source, domain: Domain, wish: Wish, name: str, limit: int, *, narrow: bool = True
) -> Plan | None:
    """How a coverage is computed; none where nothing of it is asked for.

    Args:
        source: What it is made of.
        domain: What there is.
        wish: What is asked for.
        name: The form that it is wanted in.
        limit: Bytes that the cells may have.
        narrow: Are only the items looked at that are where and when something is asked for?

    Raises:
        Problem: The request cannot be fulfilled.
    """
    form = FORMS[name]
    fields = choice.chosen(domain.fields, wish.properties, wish.excluded)
    left = cut(domain, wish)
    if left is None:
        return None
    forms.refuse_fields(name, form, len(fields))
    if wish.scaling is not None and has_ground(domain):
        refuse_lines(wish.scaling.parameter, domain, left)
    if form.has_ground:
        left = with_ground(domain, left)
    if form.is_plane:
        left = as_plane(name, form, domain, left)
    grid = grid_for(domain, left, wish)
    if grid is None and has_ground(domain):
        return None
    dropped = gone(domain, left)
    if form.has_ground:
        dropped = [*dropped, *strange(name, form, domain, left, dropped)]
    told = replace(answered(domain, left, grid, wish, dropped), fields=fields)
    forms.refuse_size(name, form, told.cells * len(fields), np.dtype(domain.data_type).itemsize, limit)
    options = {"crs": wish.crs.name} if form.tells_crs and wish.crs is not None else {}
    if form.stacks and (time := told.axis("time")) is not None and time.count > 1:
        options["dates"] = "bands"
    draft = graph.Draft(source, domain, left, grid, fields, dropped, form.format, options)
    full = graph.graph(draft)
    if not narrow:
        return Plan(full, told)
    made = graph.graph(replace(draft, narrow=True))
    return Plan(made, told, None if made == full else full)


def refuse_lines(parameter: str, domain: Domain, left: Cut) -> None:
    """Refuse to scale one place along an axis of the ground, which has no size."""
    for axis in domain.axes:
        if axis.role in GROUND and left.of(axis).sliced:
            hint = f"Give an interval: {axis.label}(LOW:HIGH)."
            raise wrong(parameter, f"{axis.label} is one place by subset, which has no size", hint)


def has_ground(domain: Domain) -> bool:
    """Has it both axes of the ground?"""
    return domain.axis("x") is not None and domain.axis("y") is not None


def grid_for(domain: Domain, left: Cut, wish: Wish) -> Target | None:
    """The grid that is wanted of what is left."""
    if has_ground(domain) or wish.scaling is not None or wish.crs is not None:
        return target(domain, left, wish.scaling, wish.crs)
    return None


def gone(domain: Domain, left: Cut) -> list[str]:
    """The dimensions that slices take away."""
    return [axis.dim for axis in domain.axes if left.of(axis).sliced]


def answered(domain: Domain, left: Cut, grid: Target | None, wish: Wish, dropped: list[str]) -> Domain:
    """The domain of the answer."""
    new = {axis.dim: axis.part(left.of(axis).start, left.of(axis).stop) for axis in domain.axes}
    if grid is not None:
        new |= {grid.x.dim: grid.x, grid.y.dim: grid.y}
    axes = tuple(new[axis.dim] for axis in domain.axes if axis.dim not in dropped)
    sliced = tuple(new[dim] for dim in dropped)
    return replace(domain, axes=axes, sliced=sliced, reference=wish.crs or domain.reference)


def strange(name: str, form: Form, domain: Domain, left: Cut, dropped: Sequence[str]) -> list[str]:
    """Further axes that a form does not know: they go where they have one place.

    Raises:
        Problem: One has more.
    """
    known = ("x", "y", "time") if form.is_plane else ("x", "y", "time", "z")
    found = [axis for axis in domain.axes if axis.role not in known and axis.dim not in dropped]
    for axis in found:
        cells = left.of(axis)
        if cells.stop - cells.start > 1:
            raise forms.refuse_axis(name, axis, cells.stop - cells.start)
    return [axis.dim for axis in found]


def with_ground(domain: Domain, left: Cut) -> Cut:
    """The same with axes of the ground that are one cell wide where they were to go."""
    ground = [axis for axis in domain.axes if axis.role in GROUND]
    kept = {axis.dim: replace(left.of(axis), sliced=False) for axis in ground}
    return replace(left, ranges={**left.ranges, **kept})


def as_plane(name: str, form: Form, domain: Domain, left: Cut) -> Cut:
    """One time of what is left, the latest, unless something was said of time.

    Raises:
        Problem: There are several, and the form cannot have them as fields.
    """
    ranges = dict(left.ranges)
    for axis in domain.axes:
        cells = left.of(axis)
        if axis.role == "time" and not left.timed:
            ranges[axis.dim] = latest(axis)
        elif axis.role == "time" and cells.stop - cells.start > 1 and not form.stacks:
            raise forms.refuse_axis(name, axis, cells.stop - cells.start)
        elif axis.role == "time":
            ranges[axis.dim] = replace(cells, sliced=False)  # an image has its time beside it
    return replace(left, ranges=ranges)


def latest(axis: Axis) -> Range:
    """The last place of an axis."""
    return Range(axis.count - 1, axis.count)
