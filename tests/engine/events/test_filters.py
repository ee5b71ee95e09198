"""Conditions on single items; what would kill the parser never gets there."""

from __future__ import annotations

import pytest

from engine.errors import Problem
from engine.events.filters import checked, matches
from published import item


@pytest.mark.parametrize(
    ("condition", "true"),
    [
        ('"eo:cloud_cover" < 20', True),
        ('"eo:cloud_cover" > 20', False),
        ("platform = 'x'", False),
        ("id = 'a' and datetime > TIMESTAMP('2025-01-01T00:00:00Z')", True),
        ({"op": "<", "args": [{"property": "eo:cloud_cover"}, 20]}, True),
        ("S_INTERSECTS(geometry, POLYGON((0 40, 10 40, 10 50, 0 50, 0 40)))", True),
    ],
)
def test_conditions(condition, true):
    assert matches(condition, item("a", **{"eo:cloud_cover": 10})) is true


def nested(depth: int) -> dict:
    condition = {"op": "=", "args": [1, 1]}
    for _ in range(depth):
        condition = {"op": "not", "args": [condition]}
    return condition


@pytest.mark.parametrize(
    "bomb",
    [
        "", "(", "a =", 1, None, [], {}, {"op": "nope", "args": 1}, "(" * 1549, "(" * 60 + "a = 1" + ")" * 60,
        "NOT " * 900 + "a = 1", " or ".join(["a=1"] * 310), "a = " + "-" * 3000 + "1", "x" * 20_001, nested(60),
        nested(5000),
        {"op": "or", "args": [{"op": "=", "args": [1, 1]}] * 400},
    ],
)  # fmt: skip
def test_what_is_no_condition_or_too_large_is_refused(bomb):
    with pytest.raises(Problem) as refused:
        checked(bomb)
    assert refused.value.facts == {"parameter": "filter"}
