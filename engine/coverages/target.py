"""The grid that a coverage is wanted on: coarser, finer, or in another reference system."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from odc.geo.geobox import GeoBox

from engine.coverages.cut import Cut
from engine.coverages.faults import wrong
from engine.coverages.ground import Box, box_of, filled, moved
from engine.coverages.lattice import (
    Sizes,
    along,
    by_role,
    coarser,
    grid_of,
    grid_on,
    new_counts,
    new_steps,
    shrinks,
)
from engine.coverages.places import HAIR, Range
from engine.coverages.scaling import Scaling
from engine.domain.model import GROUND, Axis, Domain, Role, names_of
from engine.domain.reference import Reference

MARGIN = 2
"""Cells around what is put into another reference system: new cells at its edges are made of them."""
ROLES: Mapping[str, Role] = {"x": "x", "y": "y"}


@dataclass(frozen=True, slots=True)
class Pair:
    """One cell and its neighbour, put onto new cells."""

    cells: Range
    """Both."""
    before: int
    """New cells that the neighbour has before those of the one."""
    stop: int
    """New cells before and within the one."""


@dataclass(frozen=True, slots=True)
class Target:
    """The grid that is wanted."""

    x: Axis
    y: Axis
    """Its axes."""
    ranges: Mapping[str, Range]
    """The cells of the data that it is made of, by dimension."""
    resolution: tuple[float, float] | None = None
    """Along x and y, 0 for one that stays; none where cells stay as they are."""
    projection: Reference | None = None
    """Its reference system, if that is another one."""
    is_cropped: bool = False
    """May resampling give more than is wanted?"""
    is_coarser: bool = False
    """Are new cells larger than old ones along an axis, and along none smaller?"""
    coarse: tuple[float, float] | None = None
    """Sizes of cells that overviews have, and that are much smaller than those that are wanted."""


def target(domain: Domain, cut: Cut, scaling: Scaling | None, crs: Reference | None) -> Target | None:
    """The grid of what is left of a coverage; none where nothing of it lies there.

    Raises:
        Problem: The coverage cannot be put onto such a grid.
    """
    x, y = domain.axis("x"), domain.axis("y")
    if x is None or y is None:
        raise wrong(
            scaling.parameter if scaling else "crs",
            "the coverage has no axes x and y of the ground",
            "Leave it out.",
        )
    ranges = {axis.dim: cut.of(axis) for axis in (x, y)}
    native = domain.reference
    if crs is not None and native is None:
        raise wrong("crs", "nobody knows the reference system of the data", "Ask for them as they are.")
    other = crs if crs is not None and native is not None and not crs.same_grid(native) else None
    if scaling is None and other is None:
        return Target(part(x, ranges), part(y, ranges), ranges)
    parameter = scaling.parameter if scaling is not None else "crs"
    refuse_unfit(parameter, (x, y), ranges, native)
    if other is not None:
        return elsewhere(domain, cut, scaling, other)
    assert scaling is not None
    return in_place(domain, {"x": part(x, ranges), "y": part(y, ranges)}, ranges, scaling)


def part(axis: Axis, ranges: Mapping[str, Range]) -> Axis:
    """What is left of an axis."""
    cells = ranges[axis.dim]
    return axis.part(cells.start, cells.stop)


def refuse_unfit(
    parameter: str, axes: tuple[Axis, ...], ranges: Mapping[str, Range], native: Reference | None
) -> None:
    """Refuse to resample what has no grid, or is but a line of it."""
    for axis in axes:
        if not axis.is_even:
            raise wrong(
                parameter, f"cells along {axis.label} are not evenly spaced", "Ask for them as they are."
            )
        if ranges[axis.dim].sliced:
            hint = f"Give an interval: {axis.label}(LOW:HIGH)."
            raise wrong(parameter, f"{axis.label} is one place by subset, which has no size", hint)
    if native is None:
        raise wrong(parameter, "nobody knows the reference system of the data", "Ask for them as they are.")


# ----------------------------------------------------------------------------------------- the same system
def in_place(
    domain: Domain, parts: Mapping[str, Axis], ranges: Mapping[str, Range], scaling: Scaling
) -> Target:
    """Larger or smaller cells, from the corner of what is left."""
    counts = new_counts(domain, scaling, {role: axis.count for role, axis in parts.items()})
    steps = new_steps(domain, scaling)
    sizes: Sizes = {}
    for role, axis in parts.items():
        if role in steps:
            sizes[role] = steps[role]
        elif role in counts:
            sizes[role] = axis.count * abs(axis.step) / counts[role]
    if all(math.isclose(size, abs(parts[role].step), rel_tol=1e-9) for role, size in sizes.items()):
        return Target(parts["x"], parts["y"], ranges)
    return resized(domain, parts, ranges, sizes, scaling)


def resized(
    domain: Domain, parts: Mapping[str, Axis], ranges: Mapping[str, Range], sizes: Sizes, scaling: Scaling
) -> Target:
    """Cells of other sizes, from the corner of what is left."""
    whole = {role: axis for role in parts if (axis := domain.axis(ROLES[role])) is not None}
    pairs = {
        role: beside(whole[role], role, ranges, sizes.get(role, abs(axis.step)), scaling)
        for role, axis in parts.items()
        if axis.count < 2
    }
    wide = {**ranges, **{whole[role].dim: pair.cells for role, pair in pairs.items()}}
    assert domain.reference is not None
    source = grid_of({role: part(axis, wide) for role, axis in whole.items()}, domain.reference)
    grid = grid_on(source, (sizes.get("x", 0.0), sizes.get("y", 0.0)), None, scaling.parameter)
    new = {
        role: along(grid, axis, *((pairs[role].before, pairs[role].stop) if role in pairs else (0, count)))
        for (role, axis), count in zip(parts.items(), (grid.shape[1], grid.shape[0]), strict=True)
    }
    x, y = new["x"], new["y"]
    ratios = abs(x.step / parts["x"].step), abs(y.step / parts["y"].step)
    coarse = coarser(parts, min(ratios))
    cropped = bool(pairs) or coarse is not None
    resolution = sizes.get("x", 0.0), sizes.get("y", 0.0)
    return Target(x, y, wide, resolution, None, cropped, shrinks(ratios), coarse)


def beside(axis: Axis, role: str, ranges: Mapping[str, Range], size: float, scaling: Scaling) -> Pair:
    """One cell with a neighbour, since one alone does not tell how wide it is: the next one eastward or southward.

    Raises:
        Problem: There is none, or new cells do not fit into the one.
    """
    start, stop = ranges[axis.dim].start, ranges[axis.dim].stop
    onward = (axis.step > 0) == (role == "x")
    after, before = Range(start, stop + 1), Range(start - 1, stop)
    if not onward:
        after, before = before, after
    count = abs(axis.step) / size
    fits = abs(count - round(count)) < HAIR * max(count, 1.0) and round(count) >= 1
    for cells, place in ((after, 0), (before, round(count))):
        if cells.start >= 0 and cells.stop <= axis.count and fits:
            return Pair(cells, place, place + round(count))
    hint = "Ask for more cells, or for this one without scaling."
    raise wrong(scaling.parameter, f"the one cell along {axis.label} cannot be made cells of {size:g}", hint)


# ----------------------------------------------------------------------------------------- another system
def elsewhere(domain: Domain, cut: Cut, scaling: Scaling | None, other: Reference) -> Target | None:
    """Cells in another reference system, as far as what was asked for reaches there."""
    axes = {str(role): axis for role in GROUND if (axis := domain.axis(role)) is not None}
    wide = {axis.dim: wider(cut.of(axis), axis) for axis in axes.values()}
    parts = {role: part(axis, wide) for role, axis in axes.items()}
    for axis in parts.values():
        if axis.count < 2:
            raise wrong("crs", f"one cell along {axis.label} cannot be put there", "Ask for it as it is.")
    assert domain.reference is not None
    source = grid_of(parts, domain.reference)
    cover = grid_on(source, (0.0, 0.0), other, "crs")
    box = wanted_box(domain, cut, other, cover)
    if box is None:
        return None
    spans = {"x": box[2] - box[0], "y": box[3] - box[1]}
    own = {"x": abs(cover.resolution.x), "y": abs(cover.resolution.y)}
    sizes, counts = new_sizes(domain, scaling, spans, own)
    resolution = sizes["x"], sizes["y"]
    parameter = scaling.parameter if scaling is not None else "crs"
    ratios = sizes["x"] / own["x"], sizes["y"] / own["y"]
    coarse = coarser(parts, min(ratios))
    if coarse is not None:
        source = grid_on(source, coarse, None, parameter)
    grid = grid_on(source, resolution, other, parameter)
    left, _, _, top = grid.boundingbox.bbox
    columns = cells(
        (box[0] - left) / sizes["x"], (box[2] - left) / sizes["x"], grid.shape[1], counts.get("x")
    )
    rows = cells((top - box[3]) / sizes["y"], (top - box[1]) / sizes["y"], grid.shape[0], counts.get("y"))
    east, north = names_of(other)
    unit = "degree" if other.is_geographic else other.unit
    x, y = (
        replace(axes[role], label=label, unit=unit, labels=()) for role, label in (("x", east), ("y", north))
    )
    cropped = (columns, rows) != ((0, grid.shape[1]), (0, grid.shape[0]))
    return Target(
        along(grid, x, *columns),
        along(grid, y, *rows),
        wide,
        resolution,
        other,
        cropped,
        shrinks(ratios),
        coarse,
    )


def new_sizes(
    domain: Domain, scaling: Scaling | None, spans: Sizes, own: Sizes
) -> tuple[Sizes, dict[str, int]]:
    """How wide cells will be along x and y, and how many there have to be, where the scaling says so."""
    if scaling is None:
        return own, {}
    if scaling.factor is not None or scaling.factors:
        factors = by_role(domain, scaling, scaling.factors)
        return {role: size * (scaling.factor or factors.get(role, 1.0)) for role, size in own.items()}, {}
    if scaling.steps:
        return own | new_steps(domain, scaling), {}
    counts = new_counts(domain, scaling, {})
    return own | {role: spans[role] / count for role, count in counts.items()}, counts


def wanted_box(domain: Domain, cut: Cut, other: Reference, cover: GeoBox) -> Box | None:
    """What was asked for in another reference system, as far as the data reach; none where they do not.

    Raises:
        Problem: It goes across the antimeridian, which a grid there cannot.
    """
    left, bottom, right, top = cover.boundingbox.bbox
    ground, own = cut.ground, domain.reference
    assert own is not None
    if ground is None or ground.is_native(domain):
        source, box = own, box_of(exactly(domain, cut))
    else:
        source, box = ground.reference or own, filled(ground, domain)
    wanted = [box] if source.same_grid(other) else moved(box, source, other, "crs")
    if len(wanted) > 1 or wanted[0][0] > wanted[0][2]:
        raise wrong(
            "crs",
            "what is asked for goes across the antimeridian, where longitudes have their ends",
            "Ask for one side of it with bbox, or for the reference system of the data.",
        )
    if ground is None:
        return left, bottom, right, top
    west, south, east, north = wanted[0]
    if west == east or south == north:  # the cells that hold it
        rx, ry = (abs(r) for r in cover.resolution.xy)
        west, east = (west - rx / 2, east + rx / 2) if west == east else (west, east)
        south, north = (south - ry / 2, north + ry / 2) if south == north else (south, north)
    box = max(left, west), max(bottom, south), min(right, east), min(top, north)
    return box if box[0] < box[2] and box[1] < box[3] else None


def exactly(domain: Domain, cut: Cut) -> Domain:
    """The domain with the axes of the ground as they are cut."""
    ground = [axis for role in GROUND if (axis := domain.axis(role)) is not None]
    return domain.with_axes(*(axis.part(cut.of(axis).start, cut.of(axis).stop) for axis in ground))


def wider(cells: Range, axis: Axis) -> Range:
    """Cells with some around them, as far as the axis reaches."""
    if cells.stop > axis.count:
        return cells
    return Range(max(0, cells.start - MARGIN), min(axis.count, cells.stop + MARGIN))


def cells(first: float, last: float, count: int, exactly: int | None) -> tuple[int, int]:
    """The cells between two places that are counted in cells, or exactly so many from there on."""
    if exactly is not None:
        start = min(max(round(first), 0), max(count - exactly, 0))
        return start, min(start + exactly, count)
    start = min(max(math.floor(first + HAIR), 0), count - 1)
    return start, max(start + 1, min(math.ceil(last - HAIR), count))
