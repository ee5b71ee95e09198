"""Logic with three values: true, false, and null for what is not known (Kleene)."""

from __future__ import annotations

from typing import Any

import numpy as np

from processes.errors import ProcessParameterInvalid
from processes.registry import process
from processes.types import Boolean
from processes.values import Masked, is_scalar, split


@process("logic")
def and_(x: Boolean, y: Boolean) -> Boolean:
    """Are both true?

    Args:
        x: The first boolean.
        y: The second boolean.

    Returns:
        `true` where both are, `false` where either is `false`, else no-data.
    """
    (a, no_a), (b, no_b) = truth(x, "x"), truth(y, "y")
    false = (~no_a & ~a) | (~no_b & ~b)
    return verdict(~false, (no_a | no_b) & ~false, x, y)


@process("logic")
def or_(x: Boolean, y: Boolean) -> Boolean:
    """Is at least one true?

    Args:
        x: The first boolean.
        y: The second boolean.

    Returns:
        `true` where either is, `false` where both are `false`, else no-data.
    """
    (a, no_a), (b, no_b) = truth(x, "x"), truth(y, "y")
    true = (~no_a & a) | (~no_b & b)
    return verdict(true, (no_a | no_b) & ~true, x, y)


@process("logic")
def not_(x: Boolean) -> Boolean:
    """The opposite

    Args:
        x: A boolean.

    Returns:
        `false` for `true`, `true` for `false`; no-data stays no-data.
    """
    value, null = truth(x, "x")
    return verdict(~value, null, x)


def truth(x: Any, parameter: str) -> tuple[Any, Any]:
    """A boolean argument as values and nulls, both NumPy's."""
    if x is None:
        return np.False_, np.True_
    value, null = split(x)
    value = np.asarray(value)[()]
    if value.dtype.kind != "b":
        raise ProcessParameterInvalid(
            f"{parameter} has to be a boolean, it is of type {value.dtype}",
            hint="Compare numbers first, for example neq(x, 0).",
            parameter=parameter,
        )
    return value, null


def verdict(value: Any, null: Any, *inputs: Any) -> Any:
    """Booleans and nulls as one value; `null` is left out where none of the inputs has any."""
    if all(nothing_null(x) for x in inputs):
        return value
    return Masked(value & ~null, null)


def nothing_null(x: Any) -> bool:
    """Can no value in here be null?"""
    return isinstance(x, (np.ndarray, np.bool_)) or (is_scalar(x) and x is not None)
