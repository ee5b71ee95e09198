"""The part of the ground that is asked for, in whatever reference system, as a box in that of the data."""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.coverages.faults import wrong
from engine.coverages.places import GLOBE
from engine.domain.model import Domain
from engine.domain.reference import Reference
from engine.errors import Problem
from processes.cubes.places import boxes_in
from processes.errors import ProcessError
from processes.types import BBox

SLACK = 0.01
"""Part of the data's extent by which a box may lie beside them and still be looked at closely."""
Ends = tuple[float, float]
Box = tuple[float, float, float, float]
"""Least x and y, greatest x and y; the greatest x may lie beyond 180 degrees."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What is asked for of the ground."""

    parameter: str
    """The parameter that asks for it."""
    reference: Reference | None
    """What the numbers are in; none: what the data are in."""
    x: Ends | None = None
    """Of longitudes the first may be greater than the last: across the antimeridian. None: all there is."""
    y: Ends | None = None
    slices: frozenset[str] = frozenset()
    """Which of the two is one place, so that the axis is gone afterwards."""

    def is_native(self, domain: Domain) -> bool:
        """Are the numbers in what the data are in?"""
        known = domain.reference
        return self.reference is None or known is None or self.reference.same_grid(known)


def native_ends(ground: Ground, domain: Domain) -> tuple[Ends | None, Ends | None] | None:
    """The ends along x and y in the reference system of the data; none where nothing of it is there.

    Raises:
        Problem: An end is not where it can be, or the box cannot be shown in that system.
    """
    check(ground, domain)
    if ground.is_native(domain):
        return ground.x, ground.y
    assert domain.reference is not None
    assert ground.reference is not None
    if len(ground.slices) == 1:
        raise wrong(
            ground.parameter,
            "one coordinate alone in another reference system is no row and no column of the data",
            "Give both coordinates, or an interval low:high, or the axis in the reference system of the data.",
        )
    near = near_data(filled(ground, domain), ground, domain)
    if near is None:
        return None
    found = moved(near, ground.reference, domain.reference, ground.parameter)
    own = box_of(domain)
    if not domain.reference.is_globe:
        found = [b for b in found if b[0] <= own[2] and own[0] <= b[2] and b[1] <= own[3] and own[1] <= b[3]]
    if not found:
        return None
    joined = found[0]
    for other in found[1:]:
        turn = GLOBE if domain.reference.is_globe and other[0] < joined[0] else 0.0
        joined = (
            min(joined[0], other[0] + turn), min(joined[1], other[1]),
            max(joined[2], other[2] + turn), max(joined[3], other[3]),
        )  # fmt: skip
    return (joined[0], joined[2]), (joined[1], joined[3])


def check(ground: Ground, domain: Domain) -> None:
    """Refuse ends in the wrong order."""
    reference = ground.reference or domain.reference
    if ground.y is not None and ground.y[0] > ground.y[1]:
        raise wrong(
            ground.parameter,
            f"the lower end {ground.y[0]:g} is greater than the upper one {ground.y[1]:g}",
            "Give the lower one first, and mind the order of the axes of the reference system.",
        )
    if ground.x is not None and ground.x[0] > ground.x[1] and (reference is None or not reference.is_globe):
        raise wrong(
            ground.parameter,
            f"the lower end {ground.x[0]:g} is greater than the upper one {ground.x[1]:g}",
            "Only longitudes come round: there it means across the antimeridian.",
        )


def filled(ground: Ground, domain: Domain) -> Box:
    """The box that is asked for, in its own reference system, with the ends of the data where it has none."""
    x, y = ground.x, ground.y
    if x is None or y is None:
        assert ground.reference is not None
        assert domain.reference is not None
        whole = moved(box_of(domain), domain.reference, ground.reference, ground.parameter)
        x = x or (whole[0][0], whole[-1][2])
        y = y or (min(b[1] for b in whole), max(b[3] for b in whole))
    if ground.reference is not None and ground.reference.is_geographic:
        y = max(y[0], -90.0), min(y[1], 90.0)
    return x[0], y[0], x[1], y[1]


def near_data(box: Box, ground: Ground, domain: Domain) -> Box | None:
    """The part of a box where there are data: far from its home a projection gives nonsense; none where there are none."""
    assert ground.reference is not None
    assert domain.reference is not None
    try:
        whole = moved(box_of(domain), domain.reference, ground.reference, ground.parameter)
    except Problem:  # data reach beyond where there is ground, such as pictures of the whole earth
        return box
    turns = (-GLOBE, 0.0, GLOBE) if ground.reference.is_globe else (0.0,)
    west, south, east, north = box
    east += GLOBE if west > east else 0.0
    parts: list[Box] = []
    for left, bottom, right, top in whole:
        slack = SLACK * max(right - left, top - bottom)
        for turn in turns:
            part = (
                max(west, left + turn - slack), max(south, bottom - slack),
                min(east, right + turn + slack), min(north, top + slack),
            )  # fmt: skip
            if part[0] <= part[2] and part[1] <= part[3]:
                parts.append(part)
    if not parts:
        return None
    lefts, bottoms, rights, tops = zip(*parts, strict=True)
    return min(lefts), min(bottoms), max(rights), max(tops)


def box_of(domain: Domain) -> Box:
    """The box of the data in their own reference system."""
    x, y = domain.axis("x"), domain.axis("y")
    assert x is not None
    assert y is not None
    (left, right), (bottom, top) = x.bounds(), y.bounds()
    return float(left), float(bottom), float(right), float(top)


def moved(box: Box, source: Reference, target: Reference, parameter: str) -> list[Box]:
    """The boxes around a box in another reference system, with points along its edges; two across the antimeridian.

    Raises:
        Problem: It cannot be shown there.
    """
    west, south, east, north = box
    if source.is_globe:
        if abs(east - west) >= GLOBE:
            west, east = -180.0, 180.0
        west, east = (v if -180 <= v <= 180 else (v + 180) % GLOBE - 180 for v in (west, east))
    try:
        found = boxes_in(BBox(west, south, east, north, source.graph_crs), target.proj)
    except ProcessError:
        found = []
    if not found or not all(map(math.isfinite, (v for b in found for v in b))):
        raise wrong(
            parameter,
            f"the box {', '.join(f'{v:g}' for v in box)} is outside of where reference systems can be used",
            "Is the order of its numbers that of its reference system?",
        )
    return found
