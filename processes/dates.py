"""Dates and times, as texts of RFC 3339 and as labels. A date without a time is its first instant, in UTC."""

from __future__ import annotations

from typing import Annotated, Any

from processes.elements import each
from processes.errors import ProcessParameterInvalid
from processes.instants import MONTHS, STEPS, UNITS, Moment, moment, time_of_day
from processes.registry import process
from processes.types import Boolean, Schema

_DATES = [
    {"type": "string", "format": "date-time", "subtype": "date-time"},
    {"type": "string", "format": "date", "subtype": "date"},
]
_TIME = {"type": "string", "subtype": "time", "pattern": "^\\d{2}:\\d{2}:\\d{2}$"}
Date = Annotated[Any, Schema(_DATES)]
"""A date, with or without a time."""
DateOrTime = Annotated[Any, Schema([*_DATES, _TIME])]
"""A date, with or without a time, or a time of day in UTC."""
Unit = Annotated[str, Schema({"type": "string", "enum": list(UNITS)})]


@process("comparison", "date & time")
def date_between(x: DateOrTime, min_: DateOrTime, max_: DateOrTime, exclude_max: bool = False) -> Boolean:
    """Is a time within bounds?

    Times of day are compared with times of day only, all others as instants.

    Args:
        x: The time.
        min: The lower bound, which is within.
        max: The upper bound.
        exclude_max: `true` where the upper bound itself is not within.

    Returns:
        `true` or `false`; `false` for all times where `max` is before `min`; no-data for no-data.
    """

    def within(x: str, low: str, high: str) -> bool:
        time, start, end = comparable(x, low, high)
        return start <= time < end if exclude_max else start <= time <= end

    return each(within, x, min_, max_, dtype=bool)


@process("comparison", "date & time", experimental=True)
def date_difference(
    date1: Date, date2: Date, unit: Unit = "second"
) -> Annotated[Any, Schema({"type": "number"})]:
    """How much time lies between two instants

    Months and years are counted by the calendar: first the whole ones, then the rest as a share of the one it lies in.

    Args:
        date1: The instant to count from.
        date2: The instant to count to.
        unit: The unit: millisecond, second, minute, hour, day, week, month or year. There are no leap seconds.

    Returns:
        The time from `date1` to `date2` with its decimals; negative where `date2` is earlier.
    """

    def between(one: str, other: str) -> float:
        start, end = moment(one, "date1"), moment(other, "date2")
        if unit in MONTHS:
            backwards = end.instant < start.instant
            return -calendar_units(end, start, unit) if backwards else calendar_units(start, end, unit)
        nanos = end.instant - start.instant
        return nanos // STEPS[unit] if nanos % STEPS[unit] == 0 else nanos / STEPS[unit]

    return each(between, date1, date2, dtype=float)


@process("date & time")
def date_shift(date: Date, value: int, unit: Unit) -> Date:
    """An earlier or later date

    The time zone stays. Days, weeks, months and years leave the time as it is; where a month has no such day, the
    result is its last one. Leap seconds are never a result.

    Args:
        date: A date, with or without a time.
        value: How many units later; negative for earlier.
        unit: The unit: millisecond, second, minute, hour, day, week, month or year.

    Returns:
        The other date, with a time where the given one has a time.
    """

    def shifted(text: str) -> str:
        try:
            return str(moment(text, "date").shifted(int(value), unit))
        except OverflowError:
            raise ProcessParameterInvalid(
                f"{text} shifted by {value} {unit} is beyond the years 1 to 9999", parameter="value"
            ) from None

    return each(shifted, date, dtype=object)


# ---------------------------------------------------------------------------------------- how it is done
def comparable(x: str, low: str, high: str) -> tuple[int, int, int]:
    """Three times of day, or three instants, as numbers."""
    times = [time_of_day(t) for t in (x, low, high)]
    if times[0] is not None and times[1] is not None and times[2] is not None:
        return times[0], times[1], times[2]
    if times != [None] * 3:
        raise ProcessParameterInvalid(
            f"{x!r}, {low!r} and {high!r} are times of day and dates mixed",
            hint="Compare either times of day or dates with each other.",
            parameter="x",
        )
    return moment(x, "x").instant, moment(low, "min").instant, moment(high, "max").instant


def calendar_units(start: Moment, end: Moment, unit: str) -> float:
    """Months or years from `start` to a later `end`: whole ones, and the share of the one that has begun."""
    months = (end.wall.year - start.wall.year) * 12 + end.wall.month - start.wall.month
    whole = months // MONTHS[unit] + 1
    while start.shifted(whole, unit).instant > end.instant:
        whole -= 1
    here, beyond = start.shifted(whole, unit).instant, start.shifted(whole + 1, unit).instant
    return whole + (end.instant - here) / (beyond - here) if end.instant != here else whole
