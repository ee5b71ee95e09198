"""Comparisons. They are typed: only numbers have an order, and texts and booleans are not numbers."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from processes.kinds import equal, kind, nowhere
from processes.registry import process
from processes.types import AnyValue, Boolean, Comparable, Delta, Real
from processes.values import within_64_bits
from processes.widths import summable


@process("texts", "comparison", nulls="pass")
def eq(x: Comparable, y: Comparable, delta: Delta = None, case_sensitive: bool = True) -> Boolean:
    """Is one value equal to another?

    Types count: `1` equals `1.0`, but neither `"1"` nor `true`. NaN equals nothing. Times are texts here: compare
    them with `date_difference()`.

    Args:
        x: The first value.
        y: The second value.
        delta: Numbers that differ by no more than this count as equal.
        case_sensitive: `false` takes upper and lower case of texts for the same.

    Returns:
        `true` or `false`; no-data where either value is no-data.
    """
    if kind(x) == kind(y) == "number" and delta is not None:
        x, y = summable(*(within_64_bits(v) if isinstance(v, int) else v for v in (x, y)))
        return np.less_equal(np.abs(x - y), delta)
    if not case_sensitive:
        x, y = folded(x), folded(y)
    return equal(x, y)


@process("texts", "comparison", nulls="pass")
def neq(x: Comparable, y: Comparable, delta: Delta = None, case_sensitive: bool = True) -> Boolean:
    """Does one value differ from another?

    The opposite of `eq()`: types count, and NaN differs from everything, itself included.

    Args:
        x: The first value.
        y: The second value.
        delta: Numbers that differ by no more than this count as equal.
        case_sensitive: `false` takes upper and lower case of texts for the same.

    Returns:
        `true` or `false`; no-data where either value is no-data.
    """
    return np.logical_not(eq(x, y, delta, case_sensitive))


@process("comparison", nulls="pass")
def gt(x: Comparable, y: Comparable) -> Boolean:
    """Is one number greater than another?

    Args:
        x: The first number.
        y: The second number.

    Returns:
        `true` or `false`; `false` for anything but two numbers; no-data where either is no-data.
    """
    return ordered(operator.gt, x, y)


@process("comparison", nulls="pass")
def gte(x: Comparable, y: Comparable) -> Boolean:
    """Is one number greater than another, or equal to it?

    Args:
        x: The first number.
        y: The second number.

    Returns:
        `true` or `false`; `false` for anything but two numbers; no-data where either is no-data.
    """
    return ordered(operator.ge, x, y)


@process("comparison", nulls="pass")
def lt(x: Comparable, y: Comparable) -> Boolean:
    """Is one number less than another?

    Args:
        x: The first number.
        y: The second number.

    Returns:
        `true` or `false`; `false` for anything but two numbers; no-data where either is no-data.
    """
    return ordered(operator.lt, x, y)


@process("comparison", nulls="pass")
def lte(x: Comparable, y: Comparable) -> Boolean:
    """Is one number less than another, or equal to it?

    Args:
        x: The first number.
        y: The second number.

    Returns:
        `true` or `false`; `false` for anything but two numbers; no-data where either is no-data.
    """
    return ordered(operator.le, x, y)


@process("comparison", nulls="pass")
def between(x: AnyValue, min_: Real, max_: Real, exclude_max: bool = False) -> Boolean:
    """Is a number within bounds?

    Args:
        x: The value.
        min: The lower bound, which is within.
        max: The upper bound.
        exclude_max: `true` where the upper bound itself is not within.

    Returns:
        `true` or `false`; `false` for anything but a number; no-data for no-data.
    """
    upper = operator.lt if exclude_max else operator.le
    return np.logical_and(ordered(operator.ge, x, min_), ordered(upper, x, max_))


def ordered(relation: Callable[[Any, Any], Any], x: Any, y: Any) -> Any:
    """The relation between two numbers; false for all else."""
    return relation(x, y) if kind(x) == kind(y) == "number" else nowhere(x, y)


def folded(x: Any) -> Any:
    """Texts without the difference between upper and lower case (Unicode case folding)."""
    if isinstance(x, np.ndarray) and x.dtype.kind in "OU":
        return np.frompyfunc(folded, 1, 1)(x)
    return x.casefold() if isinstance(x, str) else x
