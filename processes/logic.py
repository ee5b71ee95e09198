"""Logic with three values: true, false, and null for what is not known (Kleene)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np

from processes.elements import fitted
from processes.errors import ProcessParameterInvalid
from processes.kinds import truth, verdict
from processes.registry import process
from processes.types import AnyValue, Boolean, Schema
from processes.values import Labeled, Masked, is_plain, is_scalar, join, mixed, split, values_of

Booleans = Annotated[Any, Schema({"type": "array", "items": {"type": ["boolean", "null"]}})]
"""Booleans along the first axis."""


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


@process("logic")
def xor(x: Boolean, y: Boolean) -> Boolean:
    """Is exactly one true?

    Args:
        x: The first boolean.
        y: The second boolean.

    Returns:
        `true` where one is `true` and the other `false`, `false` where both are the same, else no-data.
    """
    (a, no_a), (b, no_b) = truth(x, "x"), truth(y, "y")
    return verdict(a ^ b, no_a | no_b, x, y)


@process("logic", "reducer")
def all_(data: Booleans, ignore_nodata: bool = True) -> Boolean:
    """Is every one of them true?

    Args:
        data: Booleans.
        ignore_nodata: `false` gives no-data where it depends on what the no-data might have been.

    Returns:
        `false` where any of the booleans is `false`, else `true`, also where there is none.
    """
    value, null = series_of_truth(data)
    true = np.all(value | null, axis=0)
    if ignore_nodata:
        return true
    return verdict(true, true & np.any(null, axis=0), data)


@process("logic", "reducer")
def any_(data: Booleans, ignore_nodata: bool = True) -> Boolean:
    """Is at least one of them true?

    Args:
        data: Booleans.
        ignore_nodata: `false` gives no-data where it depends on what the no-data might have been.

    Returns:
        `true` where any of the booleans is `true`, else `false`, also where there is none.
    """
    value, null = series_of_truth(data)
    true = np.any(value & ~null, axis=0)
    if ignore_nodata:
        return true
    return verdict(true, ~true & np.any(null, axis=0), data)


@process("logic", "comparison", "masks")
def if_(value: Boolean, accept: AnyValue, reject: AnyValue = None) -> AnyValue:
    """One value or another, as a boolean says

    With a boolean for each cell the choice is made cell by cell, and both values have to be of one kind.

    Args:
        value: A boolean.
        accept: What is taken where it is `true`.
        reject: What is taken where it is `false` or no-data.

    Returns:
        One of the two.
    """
    true, null = truth(value, "value")
    take = true & ~null
    if np.ndim(take) == 0:
        return accept if take else reject
    return chosen(take, accept, reject)


# ---------------------------------------------------------------------------------------- how it is done
def series_of_truth(data: Any) -> tuple[Any, Any]:
    """Booleans along the first axis as values and nulls, both in full shape."""
    value, null = truth(data, "data")
    return value, np.broadcast_to(null, value.shape)


def chosen(take: np.ndarray, accept: Any, reject: Any) -> Any:
    """`accept` for the cells of `take`, `reject` for the others; either may be an array of such values."""
    if accept is None and reject is None:
        return None
    branches = fitted(with_type([under(take, b) for b in (accept, reject)]))
    (yes, no_yes), (no, no_no) = map(split, branches)
    try:
        data, null = picked(take, yes, no), np.where(take, no_yes, no_no)
    except ValueError as error:
        raise ProcessParameterInvalid(
            f"the condition has the shape {take.shape}, accept {np.shape(yes)}, reject {np.shape(no)}",
            hint="Give values, or arrays of the same length.",
            parameter="accept",
        ) from error
    if all(map(never_null, branches)):
        return data
    return join(data, null, *(b for b in branches if not is_plain(b)))


def with_type(branches: Sequence[Any]) -> list[Any]:
    """The branches, of which null takes the type of the other one."""
    given = next(b for b in branches if b is not None)
    dtype = np.asarray(split(given)[0]).dtype
    empty = np.zeros((), dtype=object if dtype.kind == "U" else dtype)
    return [Masked(empty, np.True_) if b is None else b for b in branches]


def under(take: np.ndarray, branch: Any) -> Any:
    """A branch whose cells, if it has any, are those of the condition."""
    if not isinstance(branch, (list, tuple, Labeled)):
        return branch
    values = values_of(branch)
    data, null = split(values)
    missing = (1,) * max(take.ndim + 1 - np.ndim(data), 0)
    shaped = data.reshape(data.shape + missing)
    if not isinstance(values, Masked):
        return shaped
    return Masked(shaped, np.broadcast_to(null, data.shape).reshape(shaped.shape))


def picked(take: np.ndarray, yes: Any, no: Any) -> Any:
    """Values of either, as objects where NumPy would turn one kind into the other."""
    kinds: set[str] = {np.asarray(v).dtype.kind for v in (yes, no)}
    if mixed(kinds) or kinds & set("UO"):
        return np.where(take, np.asarray(yes, dtype=object), np.asarray(no, dtype=object))
    return np.where(take, yes, no)


def never_null(branch: Any) -> bool:
    """Can no cell of a branch be null, and none be a NaN that would pass for null?"""
    if isinstance(branch, (np.ndarray, np.generic)):
        return branch.dtype.kind in "iub"
    return is_scalar(branch) and branch == branch
