"""Dates: against pandas' calendar, and the laws of shifting."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.kernel.lift import call
from processes import REGISTRY, errors
from processes.instants import read_moment
from processes.values import Labeled, plain, stack

UNITS = ["millisecond", "second", "minute", "hour", "day", "week", "month", "year"]
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001
    lambda t: t.replace(microsecond=0).isoformat() + "Z"
)


def run(name, **arguments):
    """A process as a graph calls it."""
    return call(REGISTRY[name], arguments)


@given(MOMENTS, st.sampled_from(UNITS[1:]), st.integers(-500, 500))
def test_shifts_against_pandas(date, unit, value):
    if unit == "year":
        value //= 10
    theirs = pd.Timestamp(date) + pd.DateOffset(**{unit + "s": value})
    assert run("date_shift", date=date, value=value, unit=unit) == theirs.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    ("date", "value", "unit", "expected"),
    [
        ("2020-01-31", 1, "month", "2020-02-29"),
        ("2020-02-29", -12, "month", "2019-02-28"),
        ("2020-02-29", 4, "year", "2024-02-29"),
        ("2020-03-31", -1, "month", "2020-02-29"),
        ("2018-01-01", 25, "hour", "2018-01-02"),
        ("2018-01-01", -1, "hour", "2017-12-31"),
        ("2018-01-01", -1, "millisecond", "2017-12-31"),
        ("2021-03-31T00:00:00+02:00", -7, "day", "2021-03-24T00:00:00+02:00"),
        ("2021-03-31T23:30:00-05:30", 1, "hour", "2021-04-01T00:30:00-05:30"),
        ("2018-12-31T17:22:45Z", 1150, "millisecond", "2018-12-31T17:22:46.150Z"),
        ("2018-12-31T17:22:45.5Z", 1, "second", "2018-12-31T17:22:46.5Z"),
        ("2018-12-31T17:22:45.5Z", 1, "millisecond", "2018-12-31T17:22:45.501Z"),
        ("2018-12-31T17:22:45.150Z", -150, "millisecond", "2018-12-31T17:22:45.000Z"),
        ("2018-12-31T17:22:45.123456789Z", 1, "day", "2019-01-01T17:22:45.123456789Z"),
        ("2016-12-31T23:59:59Z", 1, "second", "2017-01-01T00:00:00Z"),
        ("2016-12-31T23:59:60Z", 0, "second", "2016-12-31T23:59:59Z"),
        ("2016-12-31T23:59:60Z", 1, "day", "2017-01-01T23:59:59Z"),
        (None, 1, "day", None),
    ],
)
def test_date_shift(date, value, unit, expected):
    assert run("date_shift", date=date, value=value, unit=unit) == expected


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("value", [10**15, -(10**15)])
def test_beyond_the_calendar(unit, value):
    with pytest.raises(errors.ProcessParameterInvalid, match="beyond the years") as caught:
        run("date_shift", date="2020-01-01", value=value, unit=unit)
    assert caught.value.parameter == "value"


@pytest.mark.parametrize("text", ["", "2020", "2020-13-01", "2020-02-30", "20200101", "2022-49", "2020-01-01T25:00:00Z",
                                  "2020-01-01T00:00:00+99:00", "01.02.2020", "2020-01-01T00:00Z", "２０２０-01-01"])  # fmt: skip
def test_what_is_no_date_is_refused(text):
    with pytest.raises(errors.ProcessParameterInvalid, match="neither a date") as caught:
        run("date_shift", date=text, value=1, unit="day")
    assert caught.value.hint
    assert read_moment(text) is None


# ------------------------------------------------------------------------------------------- differences
@given(MOMENTS, MOMENTS, st.sampled_from(UNITS[:6]))
def test_differences_against_the_standard_library(one, other, unit):
    seconds = (datetime.fromisoformat(other) - datetime.fromisoformat(one)).total_seconds()
    size = {"millisecond": 0.001, "second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}[unit]
    assert run("date_difference", date1=one, date2=other, unit=unit) == pytest.approx(
        seconds / size, rel=1e-12
    )


@given(MOMENTS, MOMENTS, st.sampled_from(UNITS))
def test_differences_turn_round(one, other, unit):
    there, back = (
        run("date_difference", date1=a, date2=b, unit=unit) for a, b in ((one, other), (other, one))
    )
    assert there == -back
    assert (there > 0) == (one < other)


@given(MOMENTS, st.integers(0, 400), st.sampled_from(UNITS))
def test_a_shift_is_a_difference(date, value, unit):
    later = run("date_shift", date=date, value=value, unit=unit)
    assert run("date_difference", date1=date, date2=later, unit=unit) == value


@pytest.mark.parametrize(
    ("one", "other", "unit", "expected"),
    [("2020-01-01", "2020-02-15", "month", 1 + 14 / 29), ("2020-01-31", "2020-02-29", "month", 1),
     ("2020-01-01", "2021-07-02", "year", 1 + 182 / 365), ("2020-03-01", "2020-02-01", "month", -1),
     ("2020-01-01T00:00:00Z", "2020-01-01T01:00:00+01:00", "second", 0),
     ("2020-01-01T00:00:00.0Z", "2020-01-01T00:00:15.5Z", "millisecond", 15500)],
)  # fmt: skip
def test_date_difference(one, other, unit, expected):
    assert run("date_difference", date1=one, date2=other, unit=unit) == pytest.approx(expected, rel=1e-14)


# ----------------------------------------------------------------------------------------------- between
@pytest.mark.parametrize(
    ("x", "low", "high", "exclude", "expected"),
    [("2020-06-01", "2020-01-01", "2021-01-01", False, True), ("2021-01-01", "2020-01-01", "2021-01-01", False, True),
     ("2021-01-01", "2020-01-01", "2021-01-01", True, False), ("2020-01-01", "2020-01-01", "2021-01-01", True, True),
     ("2020-06-01", "2021-01-01", "2020-01-01", False, False), ("12:00:00", "06:00:00", "18:00:00", False, True),
     ("18:00:00", "06:00:00", "18:00:00", True, False),
     ("2020-01-01T01:00:00+02:00", "2020-01-01", "2020-01-02", False, False),
     ("2020-01-01T00:00:00Z", "2020-01-01", "2020-01-01", False, True)],
)  # fmt: skip
def test_date_between(x, low, high, exclude, expected):
    assert run("date_between", x=x, min=low, max=high, exclude_max=exclude) is expected


def test_times_of_day_and_dates_do_not_mix():
    with pytest.raises(errors.ProcessParameterInvalid, match="mixed"):
        run("date_between", x="12:00:00", min="2020-01-01", max="2021-01-01")


def test_cells_of_dates():
    cells = np.array(["2020-01-01", "2021-01-01"], dtype=object)
    assert plain(run("date_between", x=cells, min="2020-06-01", max="2022-01-01")) == [False, True]
    assert plain(run("date_shift", date=cells, value=1, unit="day")) == ["2020-01-02", "2021-01-02"]
    assert plain(run("date_difference", date1=cells, date2="2021-01-01", unit="day")) == [366, 0]


# --------------------------------------------------------------------------------------- sorted by time
@given(st.lists(st.one_of(st.none(), MOMENTS), max_size=8), st.booleans())
def test_times_sort_by_their_instant(times, asc):
    given_ = [t for t in times if t is not None]
    assert run("sort", data=times, asc=asc) == sorted(given_, key=datetime.fromisoformat, reverse=not asc)


def test_zones_count_when_sorting():
    times = ["2020-01-01T00:00:00Z", "2020-01-01T00:30:00+01:00", "2019-12-31"]
    assert run("order", data=times) == [2, 1, 0]
    assert datetime.fromisoformat(times[1]).astimezone(UTC).hour == 23


def test_interpolation_between_dates_goes_by_time():
    labels = ("2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z", "2020-01-05T00:00:00Z")
    assert plain(run("array_interpolate_linear", data=Labeled(stack([0, None, 8]), labels)).values) == [
        0,
        2,
        8,
    ]
