"""One value for many: statistics along the first axis of an array.

Where nulls are ignored they are left out; where they are not, one null makes the result null. NaN that is not
null goes through every formula as IEEE 754 has it. Sums are taken in float64 whatever the type of the cells.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import numpy as np

from processes.elements import elements_of
from processes.errors import (
    AscendingProbabilitiesRequired,
    ProcessParameterInvalid,
    QuantilesParameterConflict,
    QuantilesParameterMissing,
)
from processes.kinds import highest, lowest, numbers
from processes.registry import process
from processes.types import UNSET, AnyValue, Elements, Number, Numbers, OldParts, Probabilities, Schema
from processes.values import is_explicit, join, split, within_64_bits

_PAIR = {"type": "array", "minItems": 2, "maxItems": 2}
Pair = Annotated[Any, Schema([{**_PAIR, "items": {"type": "number"}}, {**_PAIR, "items": {"type": "null"}}])]
"""Two numbers, or no-data twice."""
Statistic = Callable[[Any, Any], Any]
"""(values, null) -> result along axis 0; both arrays of the same shape."""


@process("math", "reducer")
def sum_(data: Numbers, ignore_nodata: bool = True) -> Number:
    """The sum

    Args:
        data: Numbers.
        ignore_nodata: `false` gives no-data where any of the numbers is no-data.

    Returns:
        The sum of all numbers; no-data where there is none.
    """
    return reduced(data, ignore_nodata, lambda x, null: total(np.where(null, x.dtype.type(0), x)))


@process("math", "reducer")
def product(data: Numbers, ignore_nodata: bool = True) -> Number:
    """The product

    Args:
        data: Numbers.
        ignore_nodata: `false` gives no-data where any of the numbers is no-data.

    Returns:
        The product of all numbers, a floating-point number; no-data where there is none.
    """
    return reduced(data, ignore_nodata, lambda x, null: multiplied(np.where(null, x.dtype.type(1), x)))


@process("math", "math > statistics", "reducer")
def max_(data: Numbers, ignore_nodata: bool = True) -> Number:
    """The greatest value

    Args:
        data: Numbers.
        ignore_nodata: `false` gives no-data where any of the numbers is no-data.

    Returns:
        The maximum; no-data where there is no number.
    """
    return reduced(data, ignore_nodata, lambda x, null: np.max(np.where(null, lowest(x), x), axis=0))


@process("math", "math > statistics", "reducer")
def min_(data: Numbers, ignore_nodata: bool = True) -> Number:
    """The smallest value

    Args:
        data: Numbers.
        ignore_nodata: `false` gives no-data where any of the numbers is no-data.

    Returns:
        The minimum; no-data where there is no number.
    """
    return reduced(data, ignore_nodata, lambda x, null: np.min(np.where(null, highest(x), x), axis=0))


@process("math > statistics")
def extrema(data: Numbers, ignore_nodata: bool = True) -> Pair:
    """The smallest and the greatest value

    Args:
        data: Numbers.
        ignore_nodata: `false` gives no-data twice where any of the numbers is no-data.

    Returns:
        The minimum and the maximum, in this order; no-data twice where there is no number.
    """
    return [min_(data, ignore_nodata), max_(data, ignore_nodata)]


@process("math > statistics", "reducer")
def mean(data: Numbers, ignore_nodata: bool = True) -> Number:
    """The arithmetic mean

    Args:
        data: Numbers.
        ignore_nodata: `false` gives no-data where any of the numbers is no-data.

    Returns:
        The sum of the numbers divided by how many there are; no-data where there is none.
    """
    return reduced(data, ignore_nodata, average)


@process("math > statistics", "reducer")
def variance(data: Numbers, ignore_nodata: bool = True) -> Number:
    """The sample variance

    The mean square of the distances from the mean, with Bessel's correction: divided by n - 1.

    Args:
        data: Numbers.
        ignore_nodata: `false` gives no-data where any of the numbers is no-data.

    Returns:
        The variance; NaN for a single number; no-data where there is none.
    """
    return reduced(data, ignore_nodata, spread)


@process("math > statistics", "reducer")
def sd(data: Numbers, ignore_nodata: bool = True) -> Number:
    """The sample standard deviation

    The square root of the `variance()`.

    Args:
        data: Numbers.
        ignore_nodata: `false` gives no-data where any of the numbers is no-data.

    Returns:
        The standard deviation; NaN for a single number; no-data where there is none.
    """
    return reduced(data, ignore_nodata, lambda x, null: np.sqrt(spread(x, null)))


@process("math > statistics", "reducer")
def median(data: Numbers, ignore_nodata: bool = True) -> Number:
    """The value in the middle

    Half of the numbers are smaller, half are greater; the mean of the two in the middle where the number of
    numbers is even.

    Args:
        data: Numbers.
        ignore_nodata: `false` gives no-data where any of the numbers is no-data.

    Returns:
        The median; no-data where there is no number.
    """
    return reduced(data, ignore_nodata, lambda x, null: quantile(x, null, np.array([0.5]))[0])


@process("math > statistics")
def quantiles(
    data: Numbers, probabilities: Probabilities = UNSET, q: OldParts = UNSET, ignore_nodata: bool = True
) -> Numbers:
    """Values below which given shares of the numbers lie

    Between two numbers the quantile is interpolated linearly (type 7 of Hyndman and Fan 1996, which is also the
    default of R and NumPy).

    Args:
        data: Numbers.
        probabilities: Shares from 0 to 1 in ascending order, or the number of intervals of equal share: 4 gives
            the three quartiles.
        q: The number of intervals, as older versions of this process have it.
        ignore_nodata: `false` gives no-data where any of the numbers is no-data.

    Returns:
        One value for each share; no-data where there is no number.

    Raises:
        QuantilesParameterMissing: Neither `probabilities` nor `q` is given.
        QuantilesParameterConflict: Both `probabilities` and `q` are given.
        AscendingProbabilitiesRequired: The probabilities are not in ascending order.
    """
    shares = shares_of(probabilities, q)
    values, null = numbers(data)
    if len(values) == 0:
        empty = np.full((len(shares), *values.shape[1:]), np.nan)
        return join(empty, np.ones(empty.shape, dtype=bool), data)
    values = values.astype(values.dtype if values.dtype.kind == "f" else np.float64)
    null = np.broadcast_to(null, values.shape)
    nothing = null.all(axis=0) if ignore_nodata else null.any(axis=0)
    result = quantile(values, null, shares)
    return join(result, np.broadcast_to(nothing, result.shape), data)


@process("arrays", "reducer")
def first(data: Elements, ignore_nodata: bool = True) -> AnyValue:
    """The first element

    Args:
        data: An array of anything.
        ignore_nodata: `true` takes the first element that is not no-data, `false` the first one whatever it is.

    Returns:
        That element; no-data where there is none.
    """
    return picked(data, ignore_nodata, lambda present: np.argmax(present, axis=0))


@process("arrays", "reducer")
def last(data: Elements, ignore_nodata: bool = True) -> AnyValue:
    """The last element

    Args:
        data: An array of anything.
        ignore_nodata: `true` takes the last element that is not no-data, `false` the last one whatever it is.

    Returns:
        That element; no-data where there is none.
    """
    return picked(data, ignore_nodata, lambda present: len(present) - 1 - np.argmax(present[::-1], axis=0))


# ---------------------------------------------------------------------------------------- how it is done
def reduced(data: Any, ignore_nodata: bool, statistic: Statistic) -> Any:
    """Apply a statistic along the first axis, and put null where there is nothing to tell."""
    values, null = numbers(data)
    if len(values) == 0:
        return None if values.ndim == 1 else join(np.zeros(values.shape[1:]), np.True_, data)
    mask = np.broadcast_to(null, values.shape)
    result = statistic(values, mask)
    if values.dtype.kind == "f":
        result = np.asarray(result).astype(values.dtype)[()]
    if np.ndim(null) == 0 and not null:
        return result
    return join(result, mask.all(axis=0) if ignore_nodata else mask.any(axis=0), data)


def picked(data: Any, ignore_nodata: bool, where: Callable[[Any], Any]) -> Any:
    """One element along the first axis, whose index `where` finds among those present."""
    values, null = split(data)
    if len(values) == 0:
        return None if values.ndim == 1 else join(np.zeros(values.shape[1:]), np.True_, data)
    mask = np.broadcast_to(null, values.shape)
    index = where(~mask if ignore_nodata else np.ones_like(mask))
    if values.ndim == 1 and is_explicit(data):
        return elements_of(data)[index]
    index = index[None]
    chosen = np.take_along_axis(values, index, axis=0)[0]
    if np.ndim(null) == 0 and not null:
        return chosen
    return join(chosen, np.take_along_axis(mask, index, axis=0)[0], data)


def total(x: Any) -> Any:
    """The sum along the first axis: integers as such, floats in float64."""
    if x.dtype.kind == "f":
        return np.sum(x, axis=0, dtype=np.float64)
    if x.ndim == 1:
        return within_64_bits(sum(x.tolist()))  # a single sum can be exact, however great it is
    return np.sum(x, axis=0, dtype=np.int64)


def multiplied(x: Any) -> Any:
    """The product along the first axis, in float64: nine values of a byte may outgrow all integers."""
    return np.prod(x, axis=0, dtype=np.float64)


def average(x: Any, null: Any) -> Any:
    """The mean of what is not null."""
    return np.sum(np.where(null, x.dtype.type(0), x), axis=0, dtype=np.float64) / np.sum(~null, axis=0)


def spread(x: Any, null: Any) -> Any:
    """The sample variance of what is not null, in two passes: stable for large offsets."""
    distance = np.where(null, 0.0, x - average(x, null))
    return np.sum(distance * distance, axis=0, dtype=np.float64) / (np.sum(~null, axis=0) - 1)


def quantile(x: Any, null: Any, shares: Any) -> Any:
    """Quantiles of what is not null, linearly interpolated; NaN where a NaN is among it."""
    x = x.astype(x.dtype if x.dtype.kind == "f" else np.float64)
    poisoned = (np.isnan(x) & ~null).any(axis=0)
    ranked = np.sort(np.where(null, np.nan, x), axis=0)  # NaN goes to the end
    last_rank = np.maximum(np.sum(~null, axis=0), 1) - 1
    results = []
    for share in shares:
        low, rest = placed(share, last_rank, x.dtype)
        below, above = (
            np.take_along_axis(ranked, np.minimum(i, last_rank)[None], axis=0)[0] for i in (low, low + 1)
        )
        results.append(np.where(poisoned, np.nan, between(below, above, rest)).astype(x.dtype))
    return np.stack(results) if results else np.empty((0, *x.shape[1:]), dtype=x.dtype)


def placed(share: float, last_rank: Any, dtype: Any) -> tuple[Any, Any]:
    """Where a quantile lies in the order of numbers: the place before it, and how far it is from there to the next."""
    rank = np.asarray(share * last_rank)
    low = np.floor(rank).astype(np.intp)
    return low, (rank - low).astype(dtype)


def between(below: Any, above: Any, rest: Any) -> Any:
    """What lies between two numbers; the first one where nothing is left to the second, which may be infinite."""
    return np.where(rest == 0, below, below * (1 - rest) + above * rest)


def shares_of(probabilities: Any, q: Any) -> np.ndarray:
    """The probabilities that are meant by `probabilities` or `q`."""
    given = [p for p in (probabilities, q) if p is not UNSET and p is not None]
    if not given:
        raise QuantilesParameterMissing(parameter="probabilities")
    if len(given) == 2:
        raise QuantilesParameterConflict(parameter="q")
    if isinstance(given[0], (int, np.integer)):
        return equal_shares(int(given[0]), "probabilities" if given[0] is probabilities else "q")
    shares = np.asarray(split(given[0])[0], dtype=float)
    if not ((shares >= 0) & (shares <= 1)).all():
        raise ProcessParameterInvalid(
            f"the probabilities {shares.tolist()} are not all from 0 to 1", parameter="probabilities"
        )
    if (np.diff(shares) < 0).any():
        raise AscendingProbabilitiesRequired(
            f"the probabilities {shares.tolist()} do not ascend", parameter="probabilities"
        )
    return shares


def equal_shares(parts: int, parameter: str) -> np.ndarray:
    """The probabilities that part a distribution into intervals of equal share."""
    if parts < 2:
        raise ProcessParameterInvalid(
            f"{parts} intervals cannot be: at least 2 are needed", parameter=parameter
        )
    return np.arange(1, parts) / parts
