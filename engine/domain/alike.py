"""Is a cube what was foretold of it?"""

from __future__ import annotations

import math

import numpy as np

from engine.domain.model import Axis, Domain
from engine.errors import Problem

HAIR = 1e-3
"""Part of a cell by which coordinates may differ."""
OTHER = "DimensionLabelCountMismatch"
"""The code of the refusal."""


def refuse_other(foretold: Domain, found: Domain) -> None:
    """Refuse what has other cells than were foretold.

    Raises:
        Problem: What differs.
    """
    what = difference(foretold, found)
    if what is not None:
        raise Problem(OTHER, f"the cube has other {what} than were foretold", hint="Ask again.")


def difference(foretold: Domain, found: Domain) -> str | None:
    """What differs between what was foretold and what there is; none where nothing does."""
    if [field.name for field in foretold.fields] != [field.name for field in found.fields]:
        return "fields"
    if [axis.dim for axis in foretold.axes] != [axis.dim for axis in found.axes]:
        return "axes"
    for one, other in zip(foretold.axes, found.axes, strict=True):
        if not same_places(one, other):
            return f"cells along {one.label}"
    if not np.can_cast(foretold.data_type, found.data_type):  # what is resampled may be widened
        return "types of values"
    if foretold.data_type == found.data_type and told(foretold.nodata) != told(found.nodata):
        return "numbers in place of no value"
    one_crs, other_crs = foretold.reference, found.reference
    if (one_crs is None) != (other_crs is None):
        return "reference systems"
    return (
        None if one_crs is None or other_crs is None or one_crs.same_grid(other_crs) else "reference systems"
    )


def told(nodata: float | None) -> float | None:
    """What stands in place of no value, where it is told: NaN is not, and is no other than itself."""
    return None if nodata is None or math.isnan(nodata) else nodata


def same_places(one: Axis, other: Axis) -> bool:
    """Are the cells of two axes at the same places?"""
    if one.count != other.count:
        return False
    if not one.is_even and not all(isinstance(label, int | float) for label in one.labels):
        return one.labels == other.labels
    here, there = centres(one), centres(other)
    width = abs(one.step) if one.is_even else float(np.abs(here).max(initial=1.0)) * 1e-6
    return bool(np.all(np.abs(here - there) <= HAIR * width))


def centres(axis: Axis) -> np.ndarray:
    """The coordinates of the cells along an axis."""
    if axis.first is not None:
        return axis.first + axis.step * np.arange(axis.count)
    return np.asarray(axis.labels, dtype=float)
