"""Texts: against Python's own string methods, and the laws of looking for them."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.kernel.lift import call
from processes import REGISTRY, errors
from processes.values import Masked, plain

LETTERS = st.text("aAbBäÄßsSİ.*(+", max_size=8)


def run(name, **arguments):
    """A process as a graph calls it."""
    return call(REGISTRY[name], arguments)


@given(LETTERS, LETTERS)
def test_patterns_are_plain_texts(text, pattern):
    assert run("text_begins", data=text, pattern=pattern) is text.startswith(pattern)
    assert run("text_ends", data=text, pattern=pattern) is text.endswith(pattern)
    assert run("text_contains", data=text, pattern=pattern) is (pattern in text)
    found = run("text_find", data=text, pattern=pattern)
    assert found == (text.find(pattern) if pattern in text else None)


@given(LETTERS, LETTERS, st.booleans())
def test_find_contains_and_begins_agree(text, pattern, sensitive):
    arguments = {"data": text, "pattern": pattern, "case_sensitive": sensitive}
    found = run("text_find", **arguments)
    assert run("text_contains", **arguments) is (found is not None)
    if run("text_begins", **arguments):
        assert found == 0
    if found is not None:
        assert 0 <= found <= len(text)
        assert text[found:].casefold().find(pattern.casefold()) in (0, 1) or sensitive


@pytest.mark.parametrize(
    ("text", "pattern", "place"),
    [("Straße", "SSE", 4), ("ßx", "X", 1), ("ÄÖÜ", "ö", 1), ("", "", 0), ("abc", "", 0), ("abc", "d", None),
     ("İx", "X", 1)],
)  # fmt: skip
def test_places_count_characters_of_the_text_as_it_came(text, pattern, place):
    assert run("text_find", data=text, pattern=pattern, case_sensitive=False) == place


@pytest.mark.parametrize("name", ["text_begins", "text_ends", "text_contains", "text_find"])
def test_null_is_passed_on_and_cells_are_texts_each(name):
    assert run(name, data=None, pattern="null") is None
    cells = np.array([["Abc", "xa"], ["", None]], dtype=object)
    result = run(name, data=Masked(cells, cells == None), pattern="a", case_sensitive=False)  # noqa: E711
    expected = [
        [None if v is None else run(name, data=v, pattern="a", case_sensitive=False) for v in r]
        for r in cells
    ]
    assert plain(result) == expected


def test_numbers_are_no_texts():
    with pytest.raises(errors.ProcessParameterInvalid, match="a text is needed"):
        run("text_begins", data=np.array([1, 2]), pattern="a")


def test_a_long_hostile_pattern_is_quick_because_it_is_none():
    assert run("text_contains", data="a" * 100_000, pattern="(a+)+$") is False


@given(st.lists(st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53)), max_size=6))
def test_pieces_are_written_as_json_writes_them(pieces):
    assert run("text_concat", data=pieces, separator="|") == "|".join(json.dumps(p) for p in pieces)


@pytest.mark.parametrize(
    ("data", "separator", "text"),
    [([], "-", ""), (["a"], "-", "a"), ([2, 0], 1, "210"), (["a", "b"], None, "anullb"), (["a", "b"], True, "atrueb"),
     ([2.0, -1.5, 1e21, 0.1], " ", "2 -1.5 1e+21 0.1"), ([math.nan, math.inf], "", "naninf"), (["", ""], ",", ",")],
)  # fmt: skip
def test_text_concat(data, separator, text):
    assert run("text_concat", data=data, separator=separator) == text


def test_cells_are_put_together_each():
    cells = np.array([1.1, np.nan, 3.0], np.float32)
    assert plain(run("text_concat", data=["B", cells], separator="=")) == ["B=1.1", "B=null", "B=3"]
    truths = Masked(np.array([True, False]), np.array([False, True]))
    assert plain(run("text_concat", data=[truths, "!"])) == ["true!", "null!"]
