"""What kind of value this is, and the plain questions that several families ask of one: equal, true, valid?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from processes.errors import ProcessParameterInvalid
from processes.values import Labeled, Masked, is_container, is_scalar, split

KINDS = {"f": "number", "i": "number", "u": "number", "b": "boolean", "U": "text"}


def kind(x: Any) -> str:
    """What family of values this is: number, boolean, text, other; `mixed` for arrays of objects."""
    if isinstance(x, (np.ndarray, np.generic)):
        return KINDS.get(x.dtype.kind, "mixed" if x.dtype.kind == "O" else "other")
    if isinstance(x, bool):
        return "boolean"
    return "number" if isinstance(x, (int, float)) else "text" if isinstance(x, str) else "other"


def equal(x: Any, y: Any) -> Any:
    """Is `x` equal to `y`? Types count; neither has nulls."""
    if any(map(is_container, (x, y))):
        return nowhere(x, y)
    if is_scalar(x) and is_scalar(y):
        return kind(x) == kind(y) and x == y  # Python's own: exact for integers of any length
    if "mixed" in (kind(x), kind(y)):
        return np.frompyfunc(lambda a, b: kind(a) == kind(b) and a == b, 2, 1)(x, y).astype(bool)
    return nowhere(x, y) if kind(x) != kind(y) else np.equal(x, y)


def nowhere(x: Any, y: Any) -> Any:
    """False, in the common shape of both."""
    if isinstance(x, np.ndarray) or isinstance(y, np.ndarray):
        return np.zeros(np.broadcast_shapes(np.shape(x), np.shape(y)), dtype=bool)
    return False


def is_cells(x: Any) -> bool:
    """Is this a value for each cell, rather than a value or an array of JSON?"""
    return isinstance(x, (np.ndarray, np.generic, Masked))


# ---------------------------------------------------------------------------------------------- numbers
def tested(x: Any, test: Callable[[Any], Any], otherwise: bool) -> Any:
    """What a NumPy test says of floating-point numbers; `otherwise` for all else that is not null, false for null."""
    if isinstance(x, Masked):
        return _tested_cells(x.data, test, otherwise) & ~np.asarray(x.null)
    if isinstance(x, (np.ndarray, np.generic)):
        return _tested_cells(x, test, otherwise)
    if isinstance(x, float):
        return bool(test(x))
    return x is not None and otherwise


def _tested_cells(x: Any, test: Callable[[Any], Any], otherwise: bool) -> Any:
    x = np.asarray(x)
    if x.dtype.kind == "f":
        return test(x)
    if x.dtype.kind == "O":
        return np.asarray(np.frompyfunc(lambda v: tested(v, test, otherwise), 1, 1)(x)).astype(bool)
    return np.full(x.shape, otherwise)


def valid(x: Any) -> Any:
    """Is there a value, and is it finite where it is a number?"""
    return tested(x, np.isfinite, True)


def numbers(data: Any) -> tuple[np.ndarray, Any]:
    """An array of numbers as values and nulls, both NumPy's; booleans count as 0 and 1.

    Raises:
        ProcessParameterInvalid: There is no array, or there is something else in it.
    """
    values, null = split(data)
    values = np.asarray(values)
    if values.ndim == 0:
        raise ProcessParameterInvalid("an array is needed, there is a single value", parameter="data")
    if values.dtype.kind == "b":
        return values.astype(np.uint8), null
    if values.dtype.kind not in "iuf":
        odd = next((repr(v) for v in values.flat if v is not None and kind(v) != "number"), "a text")
        raise ProcessParameterInvalid(
            f"an array of numbers is needed, there is {odd} in it",
            hint="Keep the numbers alone, with array_filter or array_element.",
            parameter="data",
        )
    return values, null


def is_integer(x: Any) -> bool:
    """Are these integers, so that they have no decimals?"""
    value = x.data if isinstance(x, Masked) else x
    return isinstance(value, int) or (
        isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "iub"
    )


def lowest(x: Any) -> Any:
    """A value that no maximum is below."""
    return x.dtype.type(-np.inf) if x.dtype.kind == "f" else np.iinfo(x.dtype).min


def highest(x: Any) -> Any:
    """A value that no minimum is above."""
    return x.dtype.type(np.inf) if x.dtype.kind == "f" else np.iinfo(x.dtype).max


# --------------------------------------------------------------------------------------------- booleans
def truth(x: Any, parameter: str) -> tuple[Any, Any]:
    """A boolean argument as values and nulls, both NumPy's."""
    if x is None:
        return np.False_, np.True_
    value, null = split(x)
    value, null = np.asarray(value)[()], np.asarray(null)[()]
    if value.dtype.kind == "b":
        return value, null
    if _says_nothing(x, value, null):
        return np.zeros(value.shape, dtype=bool), null
    raise ProcessParameterInvalid(
        f"{parameter} has to be a boolean, it is of type {value.dtype}",
        hint="Compare numbers first, for example neq(x, 0).",
        parameter=parameter,
    )


def _says_nothing(x: Any, value: Any, null: Any) -> bool:
    """Is this an array of JSON, empty or full of nulls, so that it has no type?"""
    stored = x.values if isinstance(x, Labeled) else x
    of_json = isinstance(stored, (list, tuple, Masked)) and np.ndim(value) == 1
    return of_json and value.dtype.kind in "fO" and bool(np.all(null))


def verdict(value: Any, null: Any, *inputs: Any) -> Any:
    """Booleans and nulls as one value; `null` is left out where none of the inputs has any."""
    if all(nothing_null(x) for x in inputs):
        return value
    return Masked(value & ~null, null)


def nothing_null(x: Any) -> bool:
    """Can no value in here be null?"""
    if isinstance(x, Labeled):
        return nothing_null(x.values)
    return isinstance(x, (np.ndarray, np.bool_)) or (is_scalar(x) and x is not None)
