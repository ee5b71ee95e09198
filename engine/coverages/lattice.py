"""Grids of evenly spaced cells, and how many cells a request wants of what width."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from affine import Affine
from odc.geo.geobox import GeoBox

from engine.coverages import names
from engine.coverages.faults import wrong
from engine.coverages.places import HAIR
from engine.coverages.scaling import MOST, Scaling
from engine.domain.model import Axis, Domain, names_of
from engine.domain.reference import Reference
from processes.cubes.resample import target_grid
from processes.errors import ProcessError

COARSE = 4
"""Old cells along a new one from which on it is made of cells of overviews, two to four of them."""
Sizes = dict[str, float]


def shrinks(ratios: tuple[float, float]) -> bool:
    """Is there more than one old cell in a new one, and along no axis less?"""
    return min(ratios) > 1 - HAIR and max(ratios) > 1 + HAIR


def coarser(parts: Mapping[str, Axis], ratio: float) -> tuple[float, float] | None:
    """The sizes of cells of overviews, of which two to four are along a new one; none where these are not so large."""
    if ratio < COARSE:
        return None
    halved = 2.0 ** (math.floor(math.log2(ratio)) - 1)
    return abs(parts["x"].step) * halved, abs(parts["y"].step) * halved


def new_counts(domain: Domain, scaling: Scaling, now: Mapping[str, int]) -> dict[str, int]:
    """How many cells there will be along x and y, where the scaling says so."""
    if scaling.factor is not None:
        return {role: fewer(count, scaling.factor, scaling.parameter) for role, count in now.items()}
    if scaling.factors:
        factors = by_role(domain, scaling, scaling.factors)
        return {role: fewer(now[role], factor, scaling.parameter) for role, factor in factors.items()}
    return {role: int(size) for role, size in by_role(domain, scaling, scaling.sizes).items()}


def new_steps(domain: Domain, scaling: Scaling) -> Sizes:
    """How wide cells will be along x and y, where the scaling says so."""
    return by_role(domain, scaling, scaling.steps)


def by_role(domain: Domain, scaling: Scaling, values: Mapping[str, float]) -> dict[str, float]:
    """Values by the role of the axis that is named."""
    found: dict[str, float] = {}
    for name, value in values.items():
        axis = names.axis_named(domain, name, scaling.parameter)
        if axis.role not in ("x", "y"):
            raise wrong(
                scaling.parameter,
                f"cells along {axis.label} are not resampled, only those on the ground",
                f"Name {' or '.join(names_of(domain.reference))}, and choose along {axis.label} with subset.",
            )
        if axis.role in found:
            raise wrong(scaling.parameter, f"the axis {axis.label} is named twice", "Name each axis once.")
        found[axis.role] = value
    return found


def fewer(count: int, factor: float, parameter: str) -> int:
    """So many cells, divided; one at least."""
    new = count / factor
    if new > MOST:
        raise wrong(parameter, f"this gives {new:.3g} cells along an axis", f"At most {MOST:,} are given.")
    return max(1, math.floor(new + 0.5))


def grid_of(parts: Mapping[str, Axis], reference: Reference) -> GeoBox:
    """The cells of two axes as a grid."""
    x, y = parts["x"], parts["y"]
    assert x.first is not None
    assert y.first is not None
    corner = x.first - x.step / 2, y.first - y.step / 2
    crs = reference.graph_crs
    return GeoBox((y.count, x.count), Affine(x.step, 0, corner[0], 0, y.step, corner[1]), crs)


def grid_on(
    source: GeoBox, resolution: tuple[float, float], other: Reference | None, parameter: str
) -> GeoBox:
    """The grid that `resample_spatial` puts these cells on."""
    projection = None if other is None else other.graph_crs
    try:
        return target_grid(source, resolution, projection, "upper-left")
    except ProcessError as fault:
        raise wrong(parameter, str(fault), "Ask for other cells, or for another reference system.") from None
    except ValueError:  # a number that is none
        raise wrong(
            parameter, "the data reach beyond where the other reference system has places",
            "Ask for a part of them with bbox.",
        ) from None  # fmt: skip


def along(grid: GeoBox, axis: Axis, start: int, stop: int) -> Axis:
    """The axis of a part of a grid, the north up."""
    t = grid.transform
    first, step = (t.c, t.a) if axis.role == "x" else (t.f, t.e)
    return replace(axis, first=first + (start + 0.5) * step, step=step, count=stop - start)
