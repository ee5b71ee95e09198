"""What is refused, by name and before it costs: caps, counts, kinds, and texts that are no CQL2."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.catalog.filters import compiled, parse_json, parse_text, queryable_names
from engine.errors import Problem


def refusal(parse, value) -> str | None:
    """The code with which it is refused, if it is."""
    try:
        parse(value)
    except Problem as problem:
        return problem.code
    return None


def nested(levels: int, value):
    for _ in range(levels):
        value = {"op": "not", "args": [value]}
    return value


@pytest.mark.parametrize(
    "text",
    [
        "(" * 60 + "a" + ")" * 60, "(" * 40 + "a, 1" + ")" * 40, "(" * 19_000, "not " * 4_000 + "a",
        "-" * 19_000 + "1 = a", "casei(" * 3_000, "POINT" + "(" * 5_000, "a = 1" + " and a = 1" * 300,
        "a = 1" + " + 1" * 400, "a = " + "1" * 19_000, "x" * 20_001, "a in (" + "1, " * 6_000 + "1)",
        "s_intersects(geometry, LINESTRING(" + "1 2, " * 4_000 + "1 2))", "a like '" + "%" * 1_500 + "'",
        "a = " + "(b = " * 45 + "1" + ")" * 45, "casei(" * 30 + "a" + ")" * 30 + " = 'x'",
    ],
)  # fmt: skip
def test_texts_that_are_too_much_are_refused_at_once(text):
    begin = time.process_time()
    assert refusal(parse_text, text) in (None, "ParameterInvalid")
    assert time.process_time() - begin < 1


@pytest.mark.parametrize(
    "tree",
    [
        nested(5_000, True),
        nested(60, {"property": "a"}),
        {"op": "and", "args": [True] * 600},
        {"op": "in", "args": [{"property": "a"}, [1] * 600]},
        {"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "MultiPoint", "coordinates": [[1, 2]] * 9_000}]},
        {"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Point", "coordinates": json.loads("[" * 900 + "]" * 900)}]},
        "[" * 100_000,
        "[" * 50 + "1" + "]" * 50,
        '{"op": "=", "args": [{"property": "a"}, ' + "9" * 5_000 + "]}",
        {"op": "=", "args": [{"property": "a"}, 10**400]},
        {"op": "=", "args": [{"property": "a"}, float("inf")]},
    ],
)  # fmt: skip
def test_trees_that_are_too_much_are_refused(tree):
    with pytest.raises(Problem) as caught:
        parse_json(tree)
    assert caught.value.code == "ParameterInvalid"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "character 1 it ends"),
        ("a = ", "character 5"),
        ("a = 'x", "quote that is not closed"),
        ("a = 1;", "';'"),
        ("a = 1 b", "the end, AND or OR"),
        ("a = null", "character 5"),
        ("a not 5", "IN, LIKE or BETWEEN"),
        ("foo(a) = 1", "function 'foo' is not known"),
        ("a = b = c", "the end, AND or OR"),
        ("1 = 'a'", "compares a number with a text"),
        ("id = 5", "compares"),
        ("datetime > 5", "compares"),
        ("datetime > 'soon'", "no date and no timestamp"),
        ("a = DATE('2020-13-01')", "no date"),
        ("a = DATE('2020-01-01T00:00:00Z')", "no date"),
        ("a = TIMESTAMP('2020-01-01')", "no timestamp"),
        ("t_after(a, 5)", "no time"),
        ("t_after(a, INTERVAL('2021-01-01', '2020-01-01'))", "ends before"),
        ("t_after(a)", "1 args, and needs 2"),
        ("s_intersects(a, POINT(1 2))", "only 'geometry' has a place"),
        ("s_intersects(geometry, POINT(1000 2))", "not in WGS84"),
        ("s_intersects(geometry, POINT EMPTY)", "EMPTY"),
        ("s_intersects(geometry, POINT(1 a))", "well-known text"),
        ("s_intersects(geometry, POLYGON((0 0, 1 1, 1 0, 0 1, 0 0)))", "not valid"),
        ("s_touches(geometry, GEOMETRYCOLLECTION(POINT(1 2), LINESTRING(0 0, 1 1)))", "mixes"),
        ("a_contains(a, 'x')", "no array"),
        ("a_contains(id, ('x'))", "no array"),
        ("a_contains(a, (DATE('2020-01-01')))", "texts, numbers and booleans"),
        ("a like b", "pattern"),
        ("a like 'x\\'", "backslash"),
        ("a + 1", "gives no boolean"),
        ("'x'", "no filter"),
        ("id", "no boolean"),
        ("geometry = 'x'", "geometry"),
        ("'x' + 1 = 2", "no number"),
        ("casei(5) = 'x'", "no text"),
        ("a in (b + 1)", "computed"),
        ("'x' IS NULL", "never null"),
        ("(a = 1) < true", "Only = and <>"),
    ],
)
def test_what_is_wrong_is_named(text, message):
    with pytest.raises(Problem) as caught:
        parse_text(text)
    assert caught.value.code == "ParameterInvalid"
    assert message in str(caught.value)
    assert caught.value.hint


@given(st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=3) | st.just({"property": "a"}),
    lambda inner: st.lists(inner, max_size=3) | st.builds(
        lambda op, args: {"op": op, "args": args},
        st.sampled_from(["and", "not", "=", "in", "like", "isNull", "t_after", "s_within", "a_equals", "+", "casei", "x"]),
        st.lists(inner, max_size=3),
    ) | st.dictionaries(st.sampled_from(["op", "args", "property", "date", "interval", "type", "coordinates", "bbox"]), inner, max_size=3),
))  # fmt: skip
def test_no_tree_is_a_crash(tree):
    assert refusal(parse_json, tree) in (None, "ParameterInvalid")


@given(st.lists(st.sampled_from(["a", "(", ")", ",", "'", '"', "and", "not", "in", "is", "null", "=", "-", "1", "POINT", "date", "like", "^", " "])).map(" ".join) | st.text())  # fmt: skip
def test_no_text_is_a_crash(text):
    assert refusal(parse_text, text) in (None, "ParameterInvalid")


def test_the_deepest_filters_that_are_let_in_are_answered(rows):
    rows.fill([])
    part: dict = {"op": "<", "args": [{"property": "é"}, {"property": 'a"'}]}
    for at in range(10):
        part = {
            "op": ("and", "or")[at % 2],
            "args": [{"op": "like", "args": [{"property": "é"}, "x%"]}, part],
        }
    assert rows.matching(parse_json(part)) == set()
    total: dict = {"property": "a"}
    for _ in range(12):
        total = {"op": "+", "args": [1, total]}
    assert rows.matching(parse_json({"op": "=", "args": [total, total]})) == set()
    wide = {"op": "or", "args": [{"op": "=", "args": [{"property": "a"}, {"property": "b"}]}] * 120}
    assert rows.matching(parse_json(wide)) == set()
    deep = True
    for _ in range(40):
        deep = {"op": "and", "args": [{"op": "=", "args": [{"property": "a"}, 1]}, deep]}
    assert rows.matching(parse_json(deep)) == set()


def test_the_names_that_a_filter_asks_for():
    wish = parse_text(
        "collection = 'x' AND (s_intersects(geometry, BBOX(170, 0, -170, 5)) AND cloud < 5) AND t_after(datetime, DATE('2020-01-01'))"
    )
    assert queryable_names(wish) == {"collection", "geometry", "cloud", "datetime"}


def test_other_databases_are_refused():
    with pytest.raises(Problem, match="mysql"):
        compiled(parse_text("true"), None, "mysql")  # type: ignore[arg-type]
