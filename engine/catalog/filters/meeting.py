"""Whether a footprint lies so to the geometry of a filter, on a globe that has no edge."""

from __future__ import annotations

from functools import cached_property

import shapely
from shapely.geometry.base import BaseGeometry

from engine.catalog.filters.shapes import around, at_edge, single_kind


class Target:
    """The geometry of a filter, prepared for many footprints; used by one thread at a time."""

    def __init__(self, wkb: bytes) -> None:
        self.shape: BaseGeometry = shapely.from_wkb(wkb)
        """As the filter has it: its west in -180..180 degrees."""
        self.at_edge = at_edge(self.shape)
        """Whether it reaches the antimeridian."""

    @cached_property
    def near(self) -> BaseGeometry:
        """The geometry with its neighbours a turn away, prepared: a footprint meets it wherever it is written."""
        whole = around(self.shape)
        shapely.prepare(whole)
        return whole


def relates(relation: str, item: BaseGeometry, target: Target) -> bool | None:
    """Whether the footprint lies so to the target.

    None where that cannot be told: the footprint is not valid, or mixes points, lines and polygons and the
    relation is none that such have.
    """
    try:
        if relation == "s_intersects":
            return bool(shapely.intersects(target.near, item))
        single = single_kind(item)
        return None if single is None else _relates(relation, single, target)
    except shapely.errors.ShapelyError:
        return None


def _relates(relation: str, item: BaseGeometry, target: Target) -> bool:
    """The footprint is laid round the globe only where it or the target reaches the edge: that costs a union."""
    if relation == "s_within":
        return bool(shapely.contains(target.near, item))
    whole = around(item) if target.at_edge or at_edge(item) else item
    covered = bool(shapely.covers(whole, target.shape))
    if relation == "s_contains":
        return covered and bool(shapely.contains(whole, target.shape))
    if relation == "s_equals":
        return covered and bool(shapely.covers(target.near, item))
    if relation == "s_touches":
        return bool(shapely.touches(whole, target.shape))
    meets = shapely.crosses if relation == "s_crosses" else shapely.overlaps
    return not covered and bool(meets(item, target.near))
