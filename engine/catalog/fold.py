"""What is known of many items at once, taken in one after the other, so that a new one costs no look at the others."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isclose
from typing import Any

from engine.catalog.model import Box, Json
from engine.catalog.space import split

MAX_VALUES = 1000
"""Labels of a dimension that are told one by one."""
FEW = 20
"""Numbers that are told one by one; of more, the least and the greatest are told."""
MAX_LISTED = 100
"""Different values of a property that are told."""


@dataclass(slots=True)
class Range:
    """Numbers or instants: the ends, and each of them as long as they are few."""

    most: int
    low: Any = None
    high: Any = None
    each: set[Any] | None = field(default_factory=set)
    """None: they are too many."""

    def add(self, value: Any) -> None:
        """Take one in."""
        self.low = value if self.low is None or value < self.low else self.low
        self.high = value if self.high is None or value > self.high else self.high
        if self.each is not None:
            self.each.add(value)
            if len(self.each) > self.most:
                self.each = None


@dataclass(slots=True)
class Ground:
    """Boxes put together: their latitudes, and the longitudes that any of them covers."""

    south: float = 90.0
    north: float = -90.0
    spans: list[tuple[float, float]] = field(default_factory=list)
    """Ranges of longitudes that do not meet, from west to east."""

    def add(self, box: Box) -> None:
        """Take a box in; it may cross the antimeridian (west > east)."""
        for west, south, east, north in split(box):
            self.south, self.north = min(self.south, south), max(self.north, north)
            first = bisect_left(self.spans, west, key=lambda span: span[1])
            last = first
            while last < len(self.spans) and self.spans[last][0] <= east:
                west, east = min(west, self.spans[last][0]), max(east, self.spans[last][1])
                last += 1
            self.spans[first:last] = [(west, east)]

    def box(self) -> Box | None:
        """The box around all; it crosses the antimeridian where they meet there, and leaves the widest gap out."""
        if not self.spans:
            return None
        west, east = self.spans[0][0], self.spans[-1][1]
        if west > -180 or east < 180:
            return west, self.south, east, self.north
        pairs = zip(self.spans, self.spans[1:], strict=False)
        width, low, reach = max(((b[0] - a[1], b[0], a[1]) for a, b in pairs), default=(0.0, 0.0, 0.0))
        return (low, self.south, reach, self.north) if width > 0 else (-180.0, self.south, 180.0, self.north)


@dataclass(slots=True)
class Grids:
    """Grids of items: the CRSs, and the extents and pixel sizes that they share."""

    codes: dict[str, None] = field(default_factory=dict)
    unknown: bool = False
    """Has an item no CRS?"""
    whole: bool = True
    """Do all have extents?"""
    x: Range = field(default_factory=lambda: Range(0))
    y: Range = field(default_factory=lambda: Range(0))
    step: tuple[float, float] | None = None
    alike: bool = True
    """Do all have that pixel size?"""

    def add(self, grid: Mapping[str, Any] | None, *, first: bool) -> None:
        """Take the grid of an item in."""
        if grid is None:
            self.unknown, self.whole, self.alike = True, False, False
            return
        self.codes.setdefault(grid["code"])
        if grid["x"] is None:
            self.whole = False
        else:
            for axis, ends in ((self.x, grid["x"]), (self.y, grid["y"])):
                axis.add(ends[0])
                axis.add(ends[1])
        step = grid["step"]
        if first and step is not None:
            self.step = (step[0], step[1])
        self.alike = self.alike and step is not None and self.step is not None and same(step, self.step)

    @property
    def code(self) -> str | None:
        """The CRS that all share."""
        return next(iter(self.codes)) or None if len(self.codes) == 1 and not self.unknown else None


def same(one: Any, other: Any) -> bool:
    """Are these pixel sizes the same, but for rounding?"""
    return all(isclose(a, b, rel_tol=1e-9) for a, b in zip(one, other, strict=True))


@dataclass(slots=True)
class Fold:
    """All that the description of a collection wants to know of its items."""

    count: int = 0
    time: Range = field(default_factory=lambda: Range(MAX_VALUES))
    """Instants at which items begin, and the last at which one ends."""
    end: int | None = None
    instants: bool = True
    """Is each item of one instant?"""
    ground: Ground = field(default_factory=Ground)
    grids: Grids = field(default_factory=Grids)
    dims: list[Json] | None = field(default_factory=list)
    """Dimensions that items tell by themselves; None: not all do."""
    listed: dict[str, dict[Any, None]] = field(default_factory=dict)
    """Values of properties, lists among them taken apart."""
    ranged: dict[str, Range] = field(default_factory=dict)
    """Numbers of properties."""
    layouts: dict[int, Json] = field(default_factory=dict)
    """Bands and assets that items have in common, by identity; equal ones are shared when they are read."""

    def add(self, varies: Json, layout: Json) -> None:
        """Take an item in, by what differs from item to item, and by what mostly is the same."""
        first, last = varies["span"]
        self.time.add(first)
        self.end = last if self.end is None or last > self.end else self.end
        self.instants = self.instants and bool(varies["instant"])
        if (box := varies["box"]) is not None:
            self.ground.add((box[0], box[1], box[2], box[3]))
        self.grids.add(varies["grid"], first=self.count == 0)
        if not (dims := varies.get("dims")):
            self.dims = None
        elif self.dims is not None:
            self.dims.append(dims)
        for name, value in varies["properties"].items():
            self._add_property(name, value)
        self.layouts.setdefault(id(layout), layout)
        self.count += 1

    def _add_property(self, name: str, value: Any) -> None:
        values = self.listed.setdefault(name, {})
        if len(values) <= MAX_LISTED:
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, str | int | float):
                    values.setdefault(one)
        if isinstance(value, int | float):
            self.ranged.setdefault(name, Range(FEW)).add(value)
