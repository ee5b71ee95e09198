"""Along time: aggregation over intervals and periods."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np

from processes.cubes.groups import grouped
from processes.cubes.periods import (
    DAY,
    PERIODS,
    RFC3339,
    Instants,
    check_period,
    instant,
    instants,
    labels_at,
    one_temporal,
)
from processes.errors import (
    DistinctDimensionLabelsRequired,
    ProcessParameterInvalid,
    TemporalExtentEmpty,
)
from processes.mixing import along
from processes.registry import process
from processes.types import AnyValue, OptionalName, Reducer, Schema, TemporalCube

_TIME = {"type": "string", "subtype": "time", "pattern": "^\\d{2}:\\d{2}:\\d{2}$"}
_MOMENTS = [
    {"type": "string", "format": "date-time", "subtype": "date-time"},
    {"type": "string", "format": "date", "subtype": "date"},
    _TIME,
    {"type": "null"},
]
Intervals = Annotated[
    Sequence[Sequence[str | None]],
    Schema(
        {
            "type": "array",
            "subtype": "temporal-intervals",
            "minItems": 1,
            "items": {
                "type": "array",
                "subtype": "temporal-interval",
                "uniqueItems": True,
                "minItems": 2,
                "maxItems": 2,
                "items": {"anyOf": _MOMENTS},
            },
            "examples": [
                [["2015-01-01", "2016-01-01"], ["2016-01-01", "2017-01-01"], ["2017-01-01", "2018-01-01"]],
                [["06:00:00", "18:00:00"], ["18:00:00", "06:00:00"]],
            ],
        }
    ),
]
NewLabels = Annotated[
    Sequence[float | str],
    Schema({"type": "array", "uniqueItems": True, "items": {"type": ["number", "string"]}}),
]
Period = Annotated[str, Schema({"type": "string", "enum": list(PERIODS)})]

MOST = 1_000_000
"""More periods than this are refused."""
CLOCK = re.compile(r"(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?[Zz]?")


@process("cubes", "aggregate", mixes=along(argument="dimension", usual=("t",)))
def aggregate_temporal(
    data: TemporalCube,
    intervals: Intervals,
    reducer: Reducer,
    labels: NewLabels = [],  # noqa: B006 (never changed)
    dimension: OptionalName = None,
    context: AnyValue = None,
) -> TemporalCube:
    """Make one value of all values in each interval of time

    The intervals are half-open: their start belongs to them, their end does not. They may overlap. For an interval
    that no label falls in, the reducer gets an empty array, of which most reducers make no-data.

    Args:
        data: A cube with a temporal dimension.
        intervals: Pairs of start and end: dates, times with a date, or times of day in UTC, which may go past
            midnight. `null` leaves an end open.
        reducer: What makes one value of the values in an interval.
        labels: A label for each interval; by default the starts of the intervals.
        dimension: Name of the temporal dimension; needed where there are several.
        context: Passed on to the reducer.

    Returns:
        The cube with one label for each interval along the temporal dimension.

    Raises:
        TooManyDimensions: There are several temporal dimensions and `dimension` is not given.
        DimensionNotAvailable: `dimension` is no temporal dimension of the cube, or there is none.
        DistinctDimensionLabelsRequired: Two intervals have the same label.
        TemporalExtentEmpty: The end of an interval is not later than its start.
    """
    dim = one_temporal(data, dimension, "data" if dimension is None else "dimension")
    times = instants(data.coords[dim].values, dim)
    if not intervals:
        raise ProcessParameterInvalid("there is no interval", parameter="intervals")
    groups = tuple(np.flatnonzero(members(times, interval)) for interval in intervals)
    names = given_labels(labels, len(groups)) if labels else starts_of(intervals, times.calendar)
    return grouped(data, dim, groups, names, reducer, context)


@process("aggregate", "climatology", "cubes", mixes=along(argument="dimension", usual=("t",)))
def aggregate_temporal_period(
    data: TemporalCube,
    period: Period,
    reducer: Reducer,
    dimension: OptionalName = None,
    context: AnyValue = None,
) -> TemporalCube:
    """Make one value of all values in each period of the calendar

    There is a label for every period from the first to the last one that the cube has values for. For a period
    that no label falls in, the reducer gets an empty array, of which most reducers make no-data.

    Args:
        data: A cube with a temporal dimension.
        period: Which periods:

            - `hour`, `day`, `month` and `year` of the calendar
            - `week`: from Monday to Sunday, counted as by ISO 8601
            - `dekad`: the days 1 to 10, 11 to 20, and 21 to the end of each month, 36 in a year
            - `season`: December to February, March to May, June to August, September to November
            - `tropical-season`: November to April, May to October
            - `decade`: ten years, the first of which ends in 0
            - `decade-ad`: ten years, the first of which ends in 1
        reducer: What makes one value of the values in a period.
        dimension: Name of the temporal dimension; needed where there are several.
        context: Passed on to the reducer.

    Returns:
        The cube with one label for each period along the temporal dimension: `2022-12-05-13` (hour), `2022-339` (day
        of the year), `2022-49` (week), `2022-34` (dekad), `2022-12` (month), `2022-djf`, `2023-mam`, `2023-jja`,
        `2023-son` (season), `2022-ndjfma`, `2023-mjjaso` (tropical season), `2022` (year), `2020` (decade), `2021`
        (decade-ad). Seasons are named by the year that they begin in.

    Raises:
        TooManyDimensions: There are several temporal dimensions and `dimension` is not given.
        DimensionNotAvailable: `dimension` is no temporal dimension of the cube, or there is none.
    """
    dim = one_temporal(data, dimension, "data" if dimension is None else "dimension")
    check_period(period, tuple(PERIODS))
    times = instants(data.coords[dim].values, dim)
    count, name = PERIODS[period]
    counts = count(times)
    if len(counts) and counts.max() - counts.min() >= MOST:
        raise ProcessParameterInvalid(
            f"from the first to the last label of {dim!r} there are {counts.max() - counts.min() + 1:,} periods of "
            f"kind {period!r}; {MOST:,} are the most",
            hint="Take a longer period, or filter_temporal first.",
            parameter="period",
        )
    every = np.arange(counts.min(), counts.max() + 1) if len(counts) else counts
    order = np.argsort(counts, kind="stable")
    cuts = np.searchsorted(counts[order], every)
    groups = tuple(np.sort(g) for g in np.split(order, cuts[1:])) if len(every) else ()
    return grouped(data, dim, groups, np.array(name(every, times.calendar), dtype=str), reducer, context)


# ------------------------------------------------------------------------------------------ intervals
def members(times: Instants, interval: Sequence[Any]) -> np.ndarray:
    """Which of the times are in the half-open interval."""
    start, end = ends(interval)
    if is_clock(start) or is_clock(end):
        clock = times.micros % DAY
        first = 0 if start is None else clock_time(start)
        after = DAY if end is None else clock_time(end)
        if first == after:
            raise empty(interval)
        if first < after:
            return (clock >= first) & (clock < after)
        return (clock >= first) | (clock < after)
    low, high = (None if m is None else instant(m, times.calendar, "intervals") for m in (start, end))
    if low is not None and high is not None and low >= high:
        raise empty(interval)
    inside = np.ones(times.micros.shape, dtype=bool)
    if low is not None:
        inside &= times.micros >= low
    if high is not None:
        inside &= times.micros < high
    return inside


def ends(interval: Sequence[Any]) -> tuple[Any, Any]:
    """Start and end of an interval; refuses what is none."""
    if isinstance(interval, str) or len(interval) != 2 or interval[0] is interval[1] is None:
        raise ProcessParameterInvalid(
            f"an interval is a start and an end, of which one may be null; there is {interval!r}",
            hint='Write [["2022-06-01", "2022-07-01"], ...], or [["06:00:00", "18:00:00"], ...].',
            parameter="intervals",
        )
    start, end = interval
    if None not in (start, end) and is_clock(start) != is_clock(end):
        raise ProcessParameterInvalid(
            f"one end of {list(interval)} has a date and the other one has none", parameter="intervals"
        )
    return start, end


def empty(interval: Sequence[Any]) -> TemporalExtentEmpty:
    """That an interval has nothing in it."""
    return TemporalExtentEmpty(
        f"the interval {list(interval)} is empty: the end is not part of it and has to be later than the start",
        hint="For a single day give the next day as the end.",
        parameter="intervals",
    )


def is_clock(moment: Any) -> bool:
    """Is this a time of day without a date?"""
    return isinstance(moment, str) and CLOCK.fullmatch(moment) is not None


def clock_time(text: str) -> int:
    """A time of day in microseconds since midnight."""
    found = CLOCK.fullmatch(text)
    hour, minute, second, _ = (int(g or 0) for g in found.groups())  # type: ignore[union-attr]
    micros = ((hour * 60 + minute) * 60 + second) * 1_000_000 + int(((found[4] or "") + "000000")[:6])  # type: ignore[index]
    if minute > 59 or second > 59 or micros > DAY:
        raise ProcessParameterInvalid(f"{text!r} is no time of day", parameter="intervals")
    return micros


def starts_of(intervals: Sequence[Sequence[Any]], calendar: str) -> np.ndarray:
    """The starts of the intervals, as labels."""
    starts = [interval[0] for interval in intervals]
    if None in starts:
        raise DistinctDimensionLabelsRequired(
            f"the interval {list(intervals[starts.index(None)])} has no start to be its label",
            hint="Give a label for each interval.",
            parameter="labels",
        )
    if any(is_clock(s) for s in starts):
        distinct(starts, "intervals")
        return np.array(starts, dtype=str)
    micros = [instant(s, calendar, "intervals") for s in starts]
    distinct(micros, "intervals", starts)
    return labels_at(micros, calendar, "intervals")


def given_labels(labels: Sequence[Any], count: int) -> np.ndarray:
    """The user's labels: dates as such, numbers and other texts as they are."""
    if len(labels) != count:
        raise ProcessParameterInvalid(
            f"{len(labels)} labels are given for {count} intervals", parameter="labels"
        )
    distinct(labels, "labels")
    if all(isinstance(label, str) and RFC3339.fullmatch(label) for label in labels):
        return labels_at([instant(label, "standard", "labels") for label in labels], "standard", "labels")
    if len({isinstance(label, str) for label in labels}) == 1:
        return np.array(labels)
    mixed = np.empty(count, dtype=object)
    mixed[:] = list(labels)
    return mixed


def distinct(labels: Sequence[Any], parameter: str, shown: Sequence[Any] | None = None) -> None:
    """Refuse labels of which two are the same."""
    seen: set[Any] = set()
    for label, text in zip(labels, shown or labels, strict=True):
        if label in seen:
            raise DistinctDimensionLabelsRequired(
                f"two intervals have the label {text!r}",
                hint="Give a label of its own for each interval.",
                parameter=parameter,
            )
        seen.add(label)
