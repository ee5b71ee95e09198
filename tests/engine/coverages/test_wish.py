"""Whatever is asked, the answer is a value or a refusal with a way out."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.coverages.moments import read_datetime, read_moment
from engine.coverages.terms import Term, read_terms
from engine.coverages.wish import OF_COVERAGE, Wish, read_wish
from engine.domain.reference import read_reference
from engine.errors import Problem

WORDS = ["E", "Lon", "time", "(", ")", ":", ",", "*", '"', "1", "-1", "1e400", "nan", "inf", "2022-06-01", "T10:00:00Z", "..",
         "/", " ", "EPSG:", "4326", "[", "]", "CRS84", "http://www.opengis.net/def/crs/EPSG/0/", "é", "\x00", "99999999999999999999"]  # fmt: skip
PIECES = st.lists(st.sampled_from(WORDS), max_size=10).map("".join)


@given(st.dictionaries(st.sampled_from(OF_COVERAGE), st.lists(PIECES | st.text(), min_size=1, max_size=2)))
def test_nothing_else_comes_of_it(asked):
    found: Wish | Problem
    try:
        found = read_wish(asked)
    except Problem as problem:
        found = problem
    if isinstance(found, Problem):
        assert found.code == "ParameterInvalid"
        assert found.facts["parameter"] in OF_COVERAGE
        assert found.hint


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Lat(45:46),Lon(11:12)", [("Lat", "45", "46"), ("Lon", "11", "12")]),
        (" Lat ( 45 : 46 ) ", [("Lat", "45", "46")]),
        ("h(*)", [("h", "*", None)]),
        ("h(*:5)", [("h", "*", "5")]),
        ('time("2020-01-01T00:00:00Z")', [("time", "2020-01-01T00:00:00Z", None)]),
        ('time("2020-01-01":"2020-02-01")', [("time", "2020-01-01", "2020-02-01")]),
        ('time("2020-01-01T10:00:00Z":*)', [("time", "2020-01-01T10:00:00Z", "*")]),
        ("time(2020-01-01T00:00:00Z)", [("time", "2020-01-01T00:00:00Z", None)]),
        (
            "time(2020-01-01T00:00:00Z:2020-02-01T00:00:00Z)",
            [("time", "2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z")],
        ),
        ("time(2020-01-01T00:00:00 02:00:2020-02-01)", [("time", "2020-01-01T00:00:00 02:00", "2020-02-01")]),
        ("time(2020-01-01:*)", [("time", "2020-01-01", "*")]),
        ("time(*:2020-01-01T00:00:00.5Z)", [("time", "*", "2020-01-01T00:00:00.5Z")]),
        ('band("a,b":"c:d")', [("band", "a,b", "c:d")]),
    ],
)
def test_terms(text, terms):
    assert read_terms([text]) == tuple(Term(*term) for term in terms)
    assert len(read_terms([text, text])) == 2 * len(terms)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2022-06-01T10:00:00Z", (2022, 6, 1, 10)), ("2022-06-01T12:00:00+02:00", (2022, 6, 1, 10)),
        ("2022-06-01T12:00:00 02:00", (2022, 6, 1, 10)), ("2022-06-01t10:00:00z", (2022, 6, 1, 10)),
        ("2022-06-01 10:00:00Z", (2022, 6, 1, 10)), ("2022-06-01T10:00", (2022, 6, 1, 10)),
        ("2022-06-01T05:00:00-05:00", (2022, 6, 1, 10)),
    ],
)  # fmt: skip
def test_moments(text, moment):
    span = read_moment(text)
    wanted = datetime(*moment, tzinfo=UTC).replace(tzinfo=None)
    assert (span.first, span.last, span.is_moment) == (wanted, wanted, True)


def test_a_day_is_all_of_it():
    span = read_datetime("2022-06-01/2022-06-02")
    assert span.first.isoformat() == "2022-06-01T00:00:00"
    assert span.last.isoformat() == "2022-06-02T23:59:59.999999"


@pytest.mark.parametrize(
    ("name", "uri", "north_first"),
    [
        ("EPSG:2180", "EPSG/0/2180", True), ("EPSG:3031", "EPSG/0/3031", False), ("EPSG:32632", "EPSG/0/32632", False),
        ("EPSG:4258", "EPSG/0/4258", True), ("CRS84h", "OGC/1.3/CRS84", False), ("urn:x-ogc:def:crs:EPSG:6.9:4326", "EPSG/0/4326", True),
    ],
)  # fmt: skip
def test_reference_systems(name, uri, north_first):
    found = read_reference(name)
    assert found.uri == f"http://www.opengis.net/def/crs/{uri}"
    assert found.north_first is north_first
