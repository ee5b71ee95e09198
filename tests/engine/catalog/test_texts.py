"""Documents as texts: what is JSON comes back as it was, what is none is refused."""

import json

import pytest

from engine.catalog.texts import as_text, from_text


def nested(depth):
    doc = []
    for _ in range(depth):
        doc = [doc]
    return doc


@pytest.mark.parametrize(
    "doc",
    [
        {"a": [1, 2.5, -0.0, 1e300, True, None, "é😀\u0000\u2028"], "b": {}},
        {"said": "null", "there": 1e16},
        {"more than 64 bits": 2**64, "and less": -(2**70)},
        nested(300),
        "",
        " ",
        {"numbers": [2**63, 2**64 - 1, -(2**63)], "a": None},
    ],
)
def test_what_is_json_comes_back_as_it_was(doc):
    for read in (from_text, json.loads):
        assert read(as_text(doc)) == doc
        assert repr(read(as_text(doc))) == repr(doc)


@pytest.mark.parametrize(
    ("doc", "fault"),
    [
        ({"x": [float("nan")]}, ValueError),
        ({"x": float("-inf"), "y": None}, ValueError),
        ({"x": "\ud800"}, ValueError),
        ({"\ud800": None}, ValueError),
        ({"x": {1, 2}}, TypeError),
        ({"x": b"bytes"}, TypeError),
        (nested(100_000), RecursionError),
    ],
)
def test_what_is_no_json_is_refused(doc, fault):
    with pytest.raises(fault):
        as_text(doc)
