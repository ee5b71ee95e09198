"""Processes on single values and cells: trigonometry, logic, `if`, validity, aliases."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.kernel.lift import call
from processes import FAMILIES, REGISTRY, errors
from processes.registry import ALIASES, gather
from processes.values import Labeled, Masked, plain, stack


def run(name, **arguments):
    """A process as a graph calls it."""
    return call(REGISTRY[name], {k.rstrip("_"): v for k, v in arguments.items()})


def shown(value):
    """The value as JSON; NaN of cells is null."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        value = Masked(value, np.isnan(value))
    return plain(value)


# ---------------------------------------------------------------------------------------- trigonometry
TWINS = {
    "sinh": math.sinh, "cosh": math.cosh, "tanh": math.tanh, "arsinh": math.asinh,
    "arcosh": math.acosh, "artanh": math.atanh,
}  # fmt: skip
PLACES = {"arcosh": [1, 1.5, 10, 1e10], "artanh": [-0.99, 0, 0.5]}


@pytest.mark.parametrize("name", TWINS)
def test_hyperbolic_functions_against_the_standard_library(name):
    for x in PLACES.get(name, [-3, -0.5, 0, 1, 7.25]):
        assert run(name, x=x) == pytest.approx(TWINS[name](x), rel=1e-14)
    assert run(name, x=None) is None
    assert math.isnan(run(name, x=float("nan")))


@pytest.mark.parametrize(
    ("name", "x", "expected"),
    [("arcosh", 0.5, math.nan), ("artanh", 2, math.nan), ("artanh", 1, math.inf), ("artanh", -1, -math.inf),
     ("cosh", -math.inf, math.inf), ("tanh", math.inf, 1.0), ("arsinh", -math.inf, -math.inf)],
)  # fmt: skip
def test_ends_of_the_domain(name, x, expected):
    np.testing.assert_equal(run(name, x=x), expected)


@given(st.floats(-20, 20))
def test_inverses_undo(x):
    assert run("arsinh", x=run("sinh", x=x)) == pytest.approx(x, rel=1e-9, abs=1e-12)


def test_small_integers_become_float32_and_nulls_stay():
    cells = Masked(np.array([0, 1, 2], np.int16), np.array([False, True, False]))
    result = run("sinh", x=cells)
    assert result.data.dtype == np.float32
    assert shown(result)[1] is None


@pytest.mark.parametrize(("y", "x"), list(itertools.product([-1.0, -0.0, 0.0, 2.5, math.inf], repeat=2)))
def test_arctan2_knows_all_quadrants(y, x):
    np.testing.assert_equal(run("arctan2", y=y, x=x), math.atan2(y, x))


# ------------------------------------------------------------------------------------------------ logic
TRIPLE = [None, False, True]


def kleene_xor(x, y):
    return None if x is None or y is None else x != y


@pytest.mark.parametrize(("x", "y"), list(itertools.product(TRIPLE, repeat=2)))
def test_xor_is_the_same_for_values_and_cells(x, y):
    assert run("xor", x=x, y=y) is kleene_xor(x, y)
    assert shown(run("xor", x=logical([x]), y=logical([y]))) == [kleene_xor(x, y)]
    either, both = run("or", x=x, y=y), run("and", x=x, y=y)
    assert run("and", x=either, y=run("not", x=both)) is kleene_xor(x, y)


def logical(values):
    """Booleans with nulls, as logical cubes give them."""
    return Masked(np.array([bool(v) for v in values], bool), np.array([v is None for v in values], bool))


@pytest.mark.parametrize("name", ["all", "any"])
@pytest.mark.parametrize("ignore", [True, False])
@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_all_and_any_are_pairwise(name, ignore, count):
    step, start = {"all": ("and", True), "any": ("or", False)}[name]
    for values in itertools.product(TRIPLE, repeat=count):
        expected = start
        for value in values:
            if value is not None or not ignore:
                expected = run(step, x=expected, y=value)
        assert run(name, data=list(values), ignore_nodata=ignore) is expected
        cells = logical(values)
        column = Masked(cells.data.reshape(-1, 1), cells.null.reshape(-1, 1))
        assert shown(run(name, data=column, ignore_nodata=ignore)) == [expected]


@pytest.mark.parametrize("data", [[1, 0], np.array([[1.0]]), ["true"]])
def test_what_is_no_boolean_is_refused(data):
    with pytest.raises(errors.ProcessParameterInvalid, match="boolean") as caught:
        run("any", data=data)
    assert caught.value.parameter == "data"


# --------------------------------------------------------------------------------------------------- if
def test_if_takes_one_value_whole():
    assert run("if", value=True, accept="A", reject=[1]) == "A"
    assert run("if", value=None, accept="A", reject=[1, None]) == [1, None]
    assert run("if", value=False, accept={"a": 1}) is None
    array = Labeled(stack([1, 2]), ("a", "b"))
    assert run("if", value=np.True_, accept=array) is array


TAKE = Masked(np.array([True, False, True]), np.array([False, False, True]))
CELLS = np.array([10, 20, 30], np.int16)
GAPS = Masked(CELLS, np.array([False, False, True]))
CHOICES = {
    "cells, cells": (CELLS, -CELLS, [10, -20, -30], np.int16),
    "cells, number": (CELLS, 7, [10, 7, 7], np.int16),
    "cells, great number": (CELLS, 70_000, [10, 70_000, 70_000], np.int32),
    "cells, nothing": (CELLS, None, [10, None, None], np.int16),
    "nothing, gaps": (None, GAPS, [None, 20, None], np.int16),
    "gaps, number": (GAPS, 7, [10, 7, 7], np.int32),
    "floats, number": (CELLS.astype(np.float32), 7, [10, 7, 7], np.float32),
    "floats, nothing": (CELLS.astype(np.float32), None, [10, None, None], np.float32),
    "numbers": (1, 2.5, [1, 2.5, 2.5], np.float64),
    "texts": ("yes", "no", ["yes", "no", "no"], object),
    "text, nothing": ("yes", None, ["yes", None, None], object),
    "number, text": (1, "no", [1, "no", "no"], object),
    "boolean, number": (True, 0, [True, 0, 0], object),
    "lists": ([1, 2], [3, None], [[1, 3, 3], [2, None, None]], np.int64),
}


@pytest.mark.parametrize(("accept", "reject", "expected", "dtype"), CHOICES.values(), ids=CHOICES)
def test_if_chooses_cell_by_cell(accept, reject, expected, dtype):
    result = run("if", value=TAKE, accept=accept, reject=reject)
    assert shown(result) == expected
    assert truths(shown(result)) == truths(expected)
    assert (result.data if isinstance(result, Masked) else result).dtype == dtype


def truths(values):
    """Where there are booleans, which Python takes for numbers."""
    return [isinstance(v, bool) for v in np.array(values, dtype=object).ravel()]


def test_nan_of_json_is_no_null():
    result = run("if", value=TAKE, accept=1, reject=float("nan"))
    assert shown(run("is_nodata", x=result)) == [False, False, False]
    assert shown(run("is_nan", x=result)) == [False, True, True]


def test_if_with_arrays_of_different_length_is_refused():
    with pytest.raises(errors.ProcessParameterInvalid, match="shape"):
        run("if", value=TAKE, accept=[1, 2], reject=[1, 2, 3])


# --------------------------------------------------------------------------------------------- validity
#          value                  no-data, NaN, infinite, valid
VERDICTS = [
    (None, (True, False, False, False)),
    (0, (False, False, False, True)),
    (10**400, (False, False, False, True)),
    (math.nan, (False, True, False, False)),
    (math.inf, (False, False, True, False)),
    (-math.inf, (False, False, True, False)),
    (False, (False, False, False, True)),
    ("", (False, False, False, True)),
    ("NaN", (False, False, False, True)),
    ([], (False, False, False, True)),
    ([math.nan, None, math.inf], (False, False, False, True)),
    ({"nan": math.nan}, (False, False, False, True)),
]
QUESTIONS = ("is_nodata", "is_nan", "is_infinite", "is_valid")


@pytest.mark.parametrize(("value", "expected"), VERDICTS, ids=[repr(v)[:20] for v, _ in VERDICTS])
def test_validity_of_json(value, expected):
    answers = tuple(run(q, x=value) for q in QUESTIONS)
    assert answers == expected
    assert {type(a) for a in answers} == {bool}


def test_validity_of_cells():
    floats = np.array([1.0, np.nan, np.inf], np.float32)
    assert [shown(run(q, x=floats)) for q in QUESTIONS] == [
        [False, True, False], [False, True, False], [False, False, True], [True, False, False],
    ]  # fmt: skip
    marked = Masked(np.array([1.0, np.nan, np.inf, np.nan]), np.array([False, False, True, True]))
    assert [shown(run(q, x=marked)) for q in QUESTIONS] == [
        [False, False, True, True], [False, True, False, False], [False] * 4, [True, False, False, False],
    ]  # fmt: skip
    mixed = Masked(np.array(["a", math.nan, 1, None], dtype=object), np.array([False, False, False, True]))
    assert shown(run("is_nan", x=mixed)) == [False, True, False, False]
    assert shown(run("is_valid", x=mixed)) == [True, False, True, False]


def test_whole_numbers_have_neither_nan_nor_null():
    cells = np.arange(3, dtype=np.uint8)
    assert [shown(run(q, x=cells)) for q in QUESTIONS] == [[False] * 3] * 3 + [[True] * 3]


def test_nan_is_nan():
    assert math.isnan(run("nan"))
    assert run("eq", x=run("nan"), y=run("nan")) is False


# ---------------------------------------------------------------------------------------------- aliases
def test_old_names_find_their_process_and_are_not_listed():
    assert REGISTRY["text_merge"] is REGISTRY["text_concat"]
    assert not set(ALIASES) & set(REGISTRY)
    assert len(REGISTRY) == len(list(REGISTRY))
    with pytest.raises(KeyError, match="no_such"):
        REGISTRY["no_such"]
    assert gather(FAMILIES).get("no_such") is None


def test_old_name_in_a_graph(session):
    graph = {
        "n": {"process_id": "text_merge", "arguments": {"data": ["a", 1], "separator": "-"}, "result": True}
    }
    assert session.run(graph) == "a-1"
