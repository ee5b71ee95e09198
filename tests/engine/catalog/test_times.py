"""Items in time: half-open wishes over instants and closed intervals."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from dateutil.parser import isoparse

from engine.catalog.model import Funnel, Query
from engine.catalog.times import in_time, micros, moment, nearest, rfc3339, span_of


def at(day, month=1):
    return datetime(2020, month, day, tzinfo=UTC)


def span(first, last=None):
    return micros(first), micros(last or first)


@pytest.mark.parametrize(
    ("item", "start", "end", "hit"),
    [
        (span(at(5)), at(5), at(6), True),
        (span(at(5)), at(4), at(5), False),
        (span(at(5)), None, at(5), False),
        (span(at(5)), at(5), None, True),
        (span(at(5)), at(5), at(5), False),
        (span(at(5)), at(6), at(4), False),
        (span(at(1), at(9)), at(4), at(5), True),
        (span(at(1), at(9)), at(9), at(12), True),
        (span(at(5), at(9)), at(1), at(5), False),
        (span(at(1), at(9)), at(5), at(5), False),
        (span(at(1), at(9)), None, None, True),
    ],
)
def test_in_time(item, start, end, hit):
    assert in_time(item, Query("x", start=start, end=end)) is hit


def test_query_times_are_utc():
    two_hours_east = timezone(timedelta(hours=2))
    query = Query("x", start=at(1).replace(tzinfo=None), end=datetime(2020, 1, 1, 2, tzinfo=two_hours_east))
    assert query.start == query.end == at(1)
    assert query.end is not None
    assert query.end.tzinfo is UTC


def test_datetime_wins_over_interval_and_microseconds_stay():
    both = {
        "datetime": "2020-01-05T00:00:00.123456Z",
        "start_datetime": "2020-01-01T00:00:00Z",
        "end_datetime": "2020-01-09T00:00:00Z",
    }
    assert span_of(both) == span(at(5) + timedelta(microseconds=123456))
    assert rfc3339(span_of(both)[0]) == "2020-01-05T00:00:00.123456Z"
    assert span_of({**both, "datetime": None}) == span(at(1), at(9))
    assert span_of({"datetime": "2020-01-05T02:00:00+02:00"}) == span(at(5))
    assert moment(micros(datetime(1859, 1, 1, tzinfo=UTC))) == datetime(1859, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2020-01-05T02:03:04Z",
        "2020-01-05T02:03:04.1Z",
        "2020-01-05T02:03:04.123456+05:45",
        "2020-01-05T02:03:04.123456789Z",
        "2020-01-05T24:00:00Z",
        "2020-01-05T02:03:04-00:00",
        "2020-01-05t02:03:04z",
        "2020-01-05 02:03:04",
        "2020-01-05T02:03Z",
        "20200105T020304Z",
        "2020-01-05",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
    ],
)
def test_a_time_is_what_dateutil_makes_of_it_however_it_is_written(text):
    assert span_of({"datetime": text})[0] == micros(isoparse(text))


@pytest.mark.parametrize(
    "text",
    ["2020-02-30T00:00:00Z", "2020-01-05T25:00:00Z", "2020-01-05T02:03:04+24:00", "２０２０-01-05T02:03:04Z"],
)
def test_what_dateutil_refuses_is_refused(text):
    with pytest.raises(ValueError, match="is not a date and time"):
        span_of({"datetime": text})


@pytest.mark.parametrize(
    ("properties", "says"),
    [
        ({}, "no datetime"),
        ({"datetime": None, "start_datetime": "2020-01-01T00:00:00Z"}, "no datetime"),
        ({"datetime": "yesterday"}, "'yesterday' is not"),
        ({"datetime": 2020}, "2020 is not"),
        ({"start_datetime": "2020-01-02T00:00:00Z", "end_datetime": "2020-01-01T00:00:00Z"}, "lies after"),
    ],
)
def test_what_is_wrong_with_a_time_is_said(properties, says):
    with pytest.raises(ValueError, match=says):
        span_of(properties)


def test_nearest_looks_at_both_sides():
    spans = [span(at(day)) for day in (1, 10, 20, 25, 28)] + [span(at(2), at(14))]
    query = Query("x", start=at(15), end=at(18))
    assert nearest(spans, query) == (at(14), at(20), at(10), at(25))
    assert nearest(spans, Query("x", start=at(1, 6))) == (at(28), at(25), at(20), at(14))
    assert nearest([], query) == ()


def test_funnel_is_json_ready():
    funnel = Funnel(5, 4, 0, 0, (at(3),))
    assert funnel.json() == {
        "collection": 5,
        "bbox": 4,
        "time": 0,
        "properties": 0,
        "nearest": ["2020-01-03T00:00:00Z"],
    }
