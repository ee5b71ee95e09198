"""When an item is: its instant or interval as whole microseconds since 1970, and dates near a wish."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pystac.utils import str_to_datetime

from engine.catalog.model import Query

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
PLAIN = re.compile(r"\d{4}-\d\d-\d\dT([01]\d|2[0-3]):\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
"""How almost all times are written; Python reads these itself, in a twentieth of the time."""

Span = tuple[int, int]
"""First and last instant, both included, in microseconds since 1970; one instant has both the same."""

EVER = 2**62
"""Microseconds from 1970 that no year of four digits reaches."""
ALWAYS: Span = (-EVER, EVER)
"""The span of a feature without time: it is found whatever time is asked for."""


def micros(moment: datetime) -> int:
    """Microseconds since 1970 of a moment (without a time zone: UTC)."""
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return (aware - EPOCH) // MICROSECOND


def moment(count: int) -> datetime:
    """The moment, in UTC, that is so many microseconds after 1970."""
    return EPOCH + count * MICROSECOND


def rfc3339(count: int) -> str:
    """The moment as STAC writes it: `2018-01-06T15:39:00Z`."""
    return moment(count).isoformat().replace("+00:00", "Z")


def span_of(properties: Mapping[str, Any]) -> Span:
    """The instant or interval that the properties of an item give; ValueError says what is missing."""
    if (instant := properties.get("datetime")) is not None:
        return (_parsed("datetime", instant),) * 2
    ends = [properties.get("start_datetime"), properties.get("end_datetime")]
    if None in ends:
        raise ValueError("it has no datetime, and not both start_datetime and end_datetime either")
    first, last = _parsed("start_datetime", ends[0]), _parsed("end_datetime", ends[1])
    if first > last:
        raise ValueError(f"its start_datetime {ends[0]} lies after its end_datetime {ends[1]}")
    return first, last


def instant_of(properties: Mapping[str, Any]) -> int | None:
    """The `datetime` of an item; None where it has an interval in its place."""
    instant = properties.get("datetime")
    return None if instant is None else _parsed("datetime", instant)


def _parsed(name: str, text: Any) -> int:
    try:
        if isinstance(text, str) and PLAIN.fullmatch(text):
            return micros(datetime.fromisoformat(text))
        return micros(str_to_datetime(text))
    except (ValueError, TypeError, OverflowError) as cause:
        raise ValueError(f"its {name} {text!r} is not a date and time as RFC 3339 has it") from cause


def in_time(span: Span, query: Query) -> bool:
    """Whether an item's closed span has an instant in the half-open time of the query."""
    first, last = span
    if query.start is not None and query.end is not None and query.start >= query.end:
        return False
    before_end = query.end is None or first < micros(query.end)
    return before_end and (query.start is None or last >= micros(query.start))


def nearest(spans: Iterable[Span], query: Query, count: int = 4) -> tuple[datetime, ...]:
    """The dates, out of those of items not in time, that lie nearest to the wish; nearest first."""
    start = micros(query.start) if query.start is not None else None
    end = micros(query.end) if query.end is not None else None
    away: dict[int, int] = {}
    for first, last in spans:
        is_before = start is not None and last < start
        date, edge = (last, start) if is_before else (first, end)
        distance = abs(date - edge) if edge is not None else 0
        away[date] = min(distance, away.get(date, distance))
    ranked = sorted(away, key=lambda date: (away[date], date))
    return tuple(moment(date) for date in ranked[:count])
