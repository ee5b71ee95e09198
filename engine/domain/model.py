"""The words of coverages: axes, fields, and the domain that they make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from engine.domain.reference import Reference

Role = Literal["x", "y", "z", "time", "other"]
GROUND: tuple[Role, Role] = ("x", "y")
"""The axes of the ground."""
LABELS = {"geographic": ("Lon", "Lat"), "projected": ("E", "N")}
"""How the axes x and y are called."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a coverage; evenly spaced cells have a first centre and a step, all others have labels."""

    dim: str
    """Name of the dimension in the cube."""
    label: str
    """Name of the axis for clients."""
    role: Role
    count: int
    """Cells along it."""
    first: float | None = None
    """Centre of its first cell; none where it is not evenly spaced."""
    step: float = 1.0
    """From one centre to the next; below zero where it runs southward or westward."""
    labels: tuple[Any, ...] = ()
    """Its labels, where it is not evenly spaced: numbers, texts, or times as RFC 3339."""
    unit: str = ""

    @property
    def is_even(self) -> bool:
        """Is it evenly spaced?"""
        return self.first is not None

    @property
    def low(self) -> float:
        """The outer edge of the cell with the least coordinate, of an even axis."""
        assert self.first is not None
        return min(self.first, self.first + (self.count - 1) * self.step) - abs(self.step) / 2

    @property
    def high(self) -> float:
        """The outer edge of the cell with the greatest coordinate, of an even axis."""
        return self.low + self.count * abs(self.step)

    def part(self, start: int, stop: int) -> Axis:
        """The cells from one place to before another; of an even axis these may lie beyond its ends."""
        if self.first is not None:
            return replace(self, first=self.first + start * self.step, count=stop - start)
        return replace(self, labels=self.labels[start:stop], count=stop - start)

    def bounds(self) -> tuple[Any, Any]:
        """From where to where it reaches: edges of cells, or the least and the greatest label."""
        if self.is_even:
            return self.low, self.high
        return (min(self.labels), max(self.labels)) if self.labels else (None, None)


@dataclass(frozen=True, slots=True)
class Field:
    """What there is one value of in each cell."""

    name: str
    unit: str = ""
    common_name: str = ""
    scale: float | None = None
    """Factor from stored to physical values."""
    offset: float | None = None
    """Summand from stored to physical values, after the factor."""
    is_alike: bool = False
    """Has it, as it is stored, the type that all fields have together, and the same in place of no value?"""
    classified: bool = False
    """Do its numbers stand for classes, of which there is no mean?"""

    @property
    def is_scaled(self) -> bool:
        """Are its stored numbers others than the physical ones?"""
        return self.scale not in (None, 1) or self.offset not in (None, 0)


@dataclass(frozen=True, slots=True)
class Domain:
    """Where a coverage has values, and which."""

    reference: Reference | None
    """Of its axes x and y; none where nobody knows."""
    axes: tuple[Axis, ...]
    """In the order of the cube's dimensions."""
    fields: tuple[Field, ...]
    bands: str | None
    """Name of the dimension of bands; none where the cube has no such dimension."""
    data_type: str
    """numpy's name of the type of its values."""
    nodata: float | None = None
    """What stands where there is no value; NaN is not told."""
    sliced: tuple[Axis, ...] = ()
    """Axes of one place each that were given up."""

    def axis(self, role: Role) -> Axis | None:
        """The axis of that role."""
        return next((axis for axis in self.axes if axis.role == role), None)

    def with_axes(self, *changed: Axis) -> Domain:
        """The same with other axes in place of those of the same dimensions."""
        new = {axis.dim: axis for axis in changed}
        return replace(self, axes=tuple(new.get(axis.dim, axis) for axis in self.axes))

    @property
    def times(self) -> tuple[str, str] | None:
        """The first and the last of its times, also where that axis was given up."""
        found = next(
            (axis for axis in (*self.axes, *self.sliced) if axis.role == "time" and axis.labels), None
        )
        return None if found is None else (str(min(found.labels)), str(max(found.labels)))

    @property
    def north_first(self) -> bool:
        """Is the axis y told before x?"""
        return self.reference is not None and self.reference.north_first

    @property
    def told(self) -> tuple[Axis, ...]:
        """The axes as clients are told them: those of the ground first, in the order of the reference system."""
        ground = [axis for role in GROUND if (axis := self.axis(role)) is not None]
        if self.north_first:
            ground.reverse()
        return (*ground, *(axis for axis in self.axes if axis not in ground))

    @property
    def cells(self) -> int:
        """Places that have values."""
        total = 1
        for axis in self.axes:
            total *= axis.count
        return total

    @property
    def box(self) -> tuple[float, ...] | None:
        """Least and greatest coordinates of the ground, in the order of the reference system."""
        x, y = self.axis("x"), self.axis("y")
        if x is None or y is None:
            return None
        (left, right), (bottom, top) = x.bounds(), y.bounds()
        return (bottom, left, top, right) if self.north_first else (left, bottom, right, top)


def names_of(reference: Reference | None) -> tuple[str, str]:
    """What the axes x and y are called."""
    return LABELS["geographic" if reference is None or reference.is_geographic else "projected"]


def listing(axes: Sequence[Axis]) -> str:
    """The names of axes, for messages."""
    return ", ".join(axis.label for axis in axes)
