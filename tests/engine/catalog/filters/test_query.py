"""STAC's Query extension: each operator, absent operands, and what is refused."""

from __future__ import annotations

import pytest

from engine.catalog.filters import parse_query
from engine.errors import Problem

ITEMS = [
    ("a", {"cloud": 10, "processing:level": "L1A", "tags": ["x", 1], "name": "abc%", "created": "2020-01-01T00:00:00Z"}),
    ("b", {"cloud": 20, "processing:level": "l1a", "tags": "xyz", "name": "ABC", "created": "2020-01-01T01:00:00.000+01:00"}),
    ("c", {"cloud": "20", "processing:level": "L2", "name": "b*"}),
]  # fmt: skip


@pytest.fixture
def filled(rows):
    rows.fill(
        [
            {"id": id_, "collection": "c1", "geometry": None,
             "properties": {"datetime": f"2020-01-0{at + 1}T00:00:00Z", **properties}}
            for at, (id_, properties) in enumerate(ITEMS)
        ]
    )  # fmt: skip
    return rows


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({}, "abc"),
        ({"cloud": {}}, "abc"),
        ({"cloud": {"lte": None, "gte": None}}, "abc"),
        ({"cloud": {"eq": 20}}, "b"),
        ({"properties.cloud": {"eq": 20}}, "b"),
        ({"cloud": {"neq": 20}}, "a"),
        ({"cloud": {"lt": 20}}, "a"),
        ({"cloud": {"gt": 10, "lte": 20}}, "b"),
        ({"cloud": {"in": [10, "20"]}}, "ac"),
        ({"cloud": {"in": []}}, ""),
        ({"name": {"startsWith": "a"}}, "a"),
        ({"name": {"endsWith": "%"}}, "a"),
        ({"name": {"contains": "*"}}, "c"),
        ({"name": {"startsWith": ""}}, "abc"),
        ({"tags": {"contains": "x"}}, "ab"),
        ({"tags": {"contains": 1}}, "a"),
        ({"processing:level": {"eq": "l1A"}}, "ab"),
        ({"processing:level": {"in": ["l1A", "l2"]}}, "abc"),
        ({"processing:level": {"startsWith": "l1"}}, "ab"),
        ({"processing:level": {"neq": "l1A"}}, "c"),
        ({"processing:level": {"eq": 1}}, ""),
        ({"id": {"in": ["a", "c"]}}, "ac"),
        ({"collection": {"eq": "c1"}}, "abc"),
        ({"id": {"contains": "a"}}, "a"),
        ({"datetime": {"gte": None, "lte": "2020-01-02"}}, "ab"),
        ({"datetime": {"gt": "2020-01-01T00:00:00+00:00"}}, "bc"),
        ({"datetime": {"in": ["2020-01-01", "2020-01-03T00:00:00"]}}, "ac"),
        ({"created": {"lte": "2020-01-01T00:00:00Z"}}, "ab"),
        ({"created": {"eq": "2020-01-01T02:00:00+02:00"}}, "ab"),
    ],
)
def test_operators(filled, query, ids):
    assert filled.matching(parse_query(query, fold=frozenset({"processing:level"}))) == set(ids)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ([], "not an object"),
        ({"cloud": 5}, "cloud has 5"),
        ({"cloud": {"near": 5}}, "'near' is not known"),
        ({"cloud": {"eq": [1]}}, "a list is no value"),
        ({"cloud": {"in": 5}}, "not a list"),
        ({"cloud": {"in": [None]}}, "null is no value"),
        ({"cloud": {"eq": float("nan")}}, "not finite"),
        ({"name": {"startsWith": 5}}, "not a text"),
        ({"datetime": {"gte": "yesterday"}}, "no date and no timestamp"),
        ({"datetime": {"gte": 5}}, "compares"),
        ({"id": {"eq": 5}}, "compares"),
        ({"geometry": {"eq": "x"}}, "geometry"),
        ({"a\x00b": {"eq": 1}}, "NUL"),
        ({str(n): {"eq": 1} for n in range(600)}, "500 terms"),
    ],
)
def test_what_is_wrong_is_named(query, message):
    with pytest.raises(Problem, match=message) as caught:
        parse_query(query)
    assert caught.value.code == "ParameterInvalid"
    assert caught.value.hint
