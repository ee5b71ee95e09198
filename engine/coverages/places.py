"""Coordinates and labels as places of cells along an axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from engine.coverages.faults import wrong
from engine.coverages.moments import Span
from engine.domain.model import Axis

HAIR = 1e-6
"""Part of a cell by which a coordinate may be beyond an edge and still be on it."""
GLOBE = 360.0
TURNS = (-1, 0, 1)
"""Turns around the globe by which a box may lie beside the data."""
DAY_HALF = timedelta(hours=12)
"""So far from a moment may the scene be that is taken for it: scenes of a day are one."""


@dataclass(frozen=True, slots=True)
class Range:
    """Cells along an axis."""

    start: int
    """The first one."""
    stop: int
    """The first one after them; beyond the end of an axis around the globe it goes on from the beginning."""
    sliced: bool = False
    """Is it one place, so that the axis is gone afterwards?"""


def cells(axis: Axis, low: float, high: float) -> tuple[int, int] | None:
    """The cells of an even axis that an interval meets; of a single coordinate the one that holds it."""
    from_low, to_high = ((v - axis.low) / abs(axis.step) for v in (low, high))
    if to_high - from_low <= 2 * HAIR:
        place = (from_low + to_high) / 2
        if not -HAIR <= place <= axis.count + HAIR:
            return None
        start = min(max(math.floor(place), 0), axis.count - 1)
        stop = start + 1
    else:
        start = max(math.floor(max(from_low, -1) + HAIR), 0)
        stop = min(math.ceil(min(to_high, axis.count + 1) - HAIR), axis.count)
    if start >= stop:
        return None
    return (start, stop) if axis.step > 0 else (axis.count - stop, axis.count - start)


def around(axis: Axis, low: float, high: float, parameter: str) -> tuple[int, int] | None:
    """The same along longitudes, which come back after a turn; `high` may lie beyond where they end."""
    if high - low >= GLOBE:
        high = low + GLOBE
    found = [(turn, met) for turn in TURNS if (met := cells(axis, low + turn * GLOBE, high + turn * GLOBE))]
    if not found:
        return None
    if len(found) == 1 or any(met == (0, axis.count) for _, met in found):
        return next((met for _, met in found if met == (0, axis.count)), found[0][1])
    turn = GLOBE / abs(axis.step)
    if abs(turn - round(turn)) > 1e-3:
        raise wrong(
            parameter,
            f"cells of {abs(axis.step):g} degrees do not come round evenly, so that they cannot go on beyond the end",
            "Ask for both parts, one after the other.",
        )
    ends = sorted((met for _, met in found[:2]), reverse=True)
    (start, _), (_, stop) = ends  # the part at the end of the axis, then the one at its beginning
    return start, min(stop + round(turn), start + round(turn))


def moments(axis: Axis, span: Span) -> tuple[int, int] | None:
    """The moments of an axis that lie within a span; for one moment the nearest, up to half a day away."""
    labels = [str(label).rstrip("Z") for label in axis.labels]
    first, last = (None if m is None else m.isoformat() for m in (span.first, span.last))
    found = [
        place
        for place, label in enumerate(labels)
        if (first is None or label >= first) and (last is None or label <= last)
    ]
    if not found and span.is_moment and span.first == span.last:
        assert span.first is not None
        near = nearest_moment(labels, span.first)
        return None if near is None else (near, near + 1)
    if not found:
        return None
    return (found[-1] if span.is_moment else found[0]), found[-1] + 1


def nearest_moment(labels: Sequence[str], wanted: datetime) -> int | None:
    """The place of the moment that is nearest, if it is near."""
    away: list[tuple[timedelta, int]] = []
    for place, label in enumerate(labels):
        try:
            away.append((abs(datetime.fromisoformat(label) - wanted), place))
        except ValueError:
            continue  # a date of another calendar
    best = min(away, default=None)
    if best is None:
        return None
    gaps = [abs(datetime.fromisoformat(labels[p]) - datetime.fromisoformat(labels[best[1]])) / 2
            for _, p in away if abs(p - best[1]) == 1]  # fmt: skip
    return best[1] if best[0] <= min([DAY_HALF, *gaps]) else None


def numbers(axis: Axis, low: float, high: float) -> tuple[int, int] | None:
    """The numbers of an axis that lie within an interval; for a single one the nearest, if it is near."""
    values = [float(label) for label in axis.labels]
    if low == high and values:
        away = [abs(value - low) for value in values]
        best = away.index(min(away))
        gaps = [abs(values[p] - values[best]) / 2 for p in (best - 1, best + 1) if 0 <= p < len(values)]
        return (best, best + 1) if away[best] <= min(gaps, default=0.0) else None
    found = [place for place, value in enumerate(values) if low <= value <= high]
    return (found[0], found[-1] + 1) if found else None


def texts(axis: Axis, low: str, high: str | None) -> tuple[int, int] | None:
    """The labels of an axis from one to another, both included."""
    labels: list[Any] = [str(label) for label in axis.labels]
    first = 0 if low == "*" and high is not None else None
    last = len(labels) - 1 if high == "*" else None
    if first is None:
        first = labels.index(low) if low in labels else None
    if last is None:
        end = low if high is None else high
        last = labels.index(end) if end in labels else None
    return None if first is None or last is None or first > last else (first, last + 1)
