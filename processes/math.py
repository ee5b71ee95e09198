"""Arithmetic, powers and roots, rounding, scaling: number by number (IEEE 754)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from processes.errors import MinMaxSwapped
from processes.kinds import is_integer
from processes.registry import process
from processes.types import (
    AnyValue,
    Integer,
    NonNegative,
    NormalizedRange,
    Number,
    Positive,
    Real,
    Sign,
)
from processes.values import join, split
from processes.widths import floating, multipliable, signed, summable


@process("math > constants")
def constant(x: AnyValue) -> AnyValue:
    """Give a value a place in the graph

    Useful where a node needs a value that other nodes compute in other cases.

    Args:
        x: The value.

    Returns:
        The same value.
    """
    return x


@process("math > constants", "math > exponential & logarithmic")
def e() -> Real:
    """Euler's number

    The base of the natural logarithm, 2.71828...

    Returns:
        Euler's number, as precisely as a 64-bit float holds it.
    """
    return float(np.e)


@process("math > constants", "math > trigonometric")
def pi() -> Real:
    """The ratio of a circle's circumference to its diameter

    Returns:
        3.14159..., as precisely as a 64-bit float holds it.
    """
    return float(np.pi)


# ---------------------------------------------------------------------------------------- arithmetic
@process("math", nulls="pass")
def add(x: Number, y: Number) -> Number:
    """Add two numbers

    Integers stay integers, in a type wide enough for any sum. No-data in either gives no-data.

    Args:
        x: The first summand.
        y: The second summand.

    Returns:
        The sum.
    """
    x, y = summable(x, y)
    return x + y


@process("math", nulls="pass")
def subtract(x: Number, y: Number) -> Number:
    """Subtract one number from another

    Integers stay integers, in a signed type wide enough for any difference. No-data in either gives no-data.

    Args:
        x: The minuend.
        y: The subtrahend.

    Returns:
        The difference.
    """
    x, y = summable(x, y)
    return x - y


@process("math", nulls="pass")
def multiply(x: Number, y: Number) -> Number:
    """Multiply two numbers

    Integers stay integers, in a type wide enough for the product where there is one. No-data in either gives
    no-data.

    Args:
        x: The multiplier.
        y: The multiplicand.

    Returns:
        The product.

    Raises:
        MultiplicandMissing: Fewer than two numbers were given.
    """
    x, y = multipliable(x, y)
    return x * y


@process("math", nulls="pass")
def divide(x: Number, y: Number) -> Number:
    """Divide one number by another

    A division by zero follows IEEE 754: it gives an infinity with the sign of `x`, and NaN for 0 / 0. No-data
    in either gives no-data.

    Args:
        x: The dividend.
        y: The divisor.

    Returns:
        The quotient, a floating-point number.

    Raises:
        DivisionByZero: Never by this engine, which follows IEEE 754 instead.
    """
    return np.true_divide(floating(x), floating(y))


@process("math", nulls="pass")
def mod(x: Number, y: Number) -> Number:
    """The remainder of a division

    The result has the sign of the divisor. A divisor of 0 gives an infinity with the sign of `x`, and NaN for
    `x` = 0. No-data in either gives no-data.

    Args:
        x: The dividend.
        y: The divisor.

    Returns:
        The remainder.

    Raises:
        DivisionByZero: Never by this engine, which gives an infinity or NaN instead.
    """
    if isinstance(y, int) and y != 0:
        x, y = summable(x, y)
        return np.mod(x, y)
    x, y = floating(x), floating(y)
    return np.where(np.equal(y, 0), np.true_divide(x, y), np.mod(x, y))


@process("math", nulls="pass")
def absolute(x: Number) -> NonNegative:
    """The distance of a number from zero

    Args:
        x: A number.

    Returns:
        The number without its sign; no-data stays no-data.
    """
    return abs(signed(x))


@process("math", nulls="pass")
def sgn(x: Number) -> Sign:
    """The sign of a number

    Args:
        x: A number.

    Returns:
        1, 0 or -1 as the number is positive, zero or negative; NaN for NaN; no-data stays no-data.
    """
    return np.sign(signed(x))


# ------------------------------------------------------------------------------------ powers and roots
EXACT: Mapping[float, Any] = {2.0: np.log2, 10.0: np.log10}
"""Logarithms that give whole numbers for whole powers."""


@process("math", "math > exponential & logarithmic", nulls="pass")
def power(base: Number, p: Number) -> Number:
    """Raise a number to a power

    No-data in either gives no-data. Computed with floating-point numbers.

    Args:
        base: The base.
        p: The exponent.

    Returns:
        `base` to the power of `p`; NaN for a negative base with a fractional exponent.
    """
    return np.power(floating(base), floating(p))


@process("math", "math > exponential & logarithmic", nulls="pass")
def sqrt(x: Number) -> Number:
    """The square root

    Args:
        x: A number.

    Returns:
        Its square root; NaN for negative numbers; no-data stays no-data.
    """
    return np.sqrt(floating(x))


@process("math > exponential & logarithmic", nulls="pass")
def exp(p: Number) -> Positive:
    """Euler's number to a power

    Args:
        p: The exponent.

    Returns:
        e to the power of `p`; no-data stays no-data.
    """
    return np.exp(floating(p))


@process("math > exponential & logarithmic", nulls="pass")
def ln(x: NonNegative) -> Number:
    """The natural logarithm

    Args:
        x: A number.

    Returns:
        The logarithm to the base e; negative infinity for 0, NaN below it; no-data stays no-data.
    """
    return np.log(floating(x))


@process("math > exponential & logarithmic", nulls="pass")
def log(x: NonNegative, base: Number) -> Number:
    """The logarithm to a base

    Args:
        x: A number.
        base: The base.

    Returns:
        The power to which `base` has to be raised to give `x`; negative infinity for 0, NaN below it; no-data in
        either gives no-data.
    """
    x = floating(x)
    exact = EXACT.get(base) if isinstance(base, (int, float)) else None
    return exact(x) if exact else np.log(x) / np.log(floating(base))


# ------------------------------------------------------------------------------------------- rounding
MAX_DIGITS = 308
"""Powers of ten beyond this one are no floats."""
MAX_INT64_DIGITS = 18
"""Powers of ten beyond this one are no 64-bit integers."""


@process("math > rounding", nulls="pass")
def ceil(x: Number) -> Integer:
    """Round up to an integer

    Args:
        x: A number.

    Returns:
        The smallest integer that is not below `x`; infinities and NaN as they are; no-data stays no-data.
    """
    return np.ceil(x)


@process("math > rounding", nulls="pass")
def floor(x: Number) -> Integer:
    """Round down to an integer

    Args:
        x: A number.

    Returns:
        The greatest integer that is not above `x`; infinities and NaN as they are; no-data stays no-data.
    """
    return np.floor(x)


@process("math", "math > rounding")
def int_(x: Number) -> Integer:
    """Cut off the decimals

    Unlike `floor()` this goes towards zero for negative numbers.

    Args:
        x: A number.

    Returns:
        The integer part; no-data for NaN, which no integer stands for; no-data stays no-data.
    """
    if x is None or is_integer(x):
        return x
    values, null = split(x)
    whole = np.trunc(values)
    return join(whole, null | np.isnan(whole), x)


@process("math > rounding", nulls="pass")
def round_(x: Number, p: int = 0) -> Number:
    """Round to a precision

    A number halfway between two candidates goes to the even one, as IEEE 754 has it.

    Args:
        x: A number.
        p: How many digits to keep after the decimal point; -2 rounds to hundreds.

    Returns:
        The rounded number; infinities and NaN as they are; no-data stays no-data.
    """
    p = max(-MAX_DIGITS, min(p, MAX_DIGITS))
    if isinstance(x, int):
        return round(x, p)  # Python's own: exact, and half to even as well
    if is_integer(x):
        return x if p >= 0 else np.round(floating(x) if p < -MAX_INT64_DIGITS else signed(x), p)
    rounded = np.round(x, p)
    return np.where(np.isfinite(rounded), rounded, x)  # more decimals asked for than such a number has


# -------------------------------------------------------------------------------------------- scaling
@process("math", nulls="pass")
def clip(x: Number, min_: Real, max_: Real) -> Number:
    """Keep numbers within bounds

    Args:
        x: A number.
        min: Smaller numbers become this one.
        max: Greater numbers become this one.

    Returns:
        The number within the bounds, both of which belong to them; NaN where a bound is NaN; no-data stays
        no-data.

    Raises:
        MinMaxSwapped: `min` is greater than `max`.
    """
    if np.any(np.greater(min_, max_)):
        raise MinMaxSwapped(f"min is {min_}, max is {max_}: min has to be the smaller one", parameter="min")
    x, min_, max_ = summable(x, min_, max_)
    return np.minimum(np.maximum(x, min_), max_)


@process("math", nulls="pass")
def linear_scale_range(
    x: Number, inputMin: Real, inputMax: Real, outputMin: Real = 0, outputMax: Real = 1
) -> Number:
    """Map numbers from one range linearly onto another

    Numbers beyond the input range are clipped to it first, so that the result never leaves the output range.

    Args:
        x: What to map.
        inputMin: Lower end of the range that `x` comes from.
        inputMax: Upper end of the range that `x` comes from.
        outputMin: What `inputMin` becomes.
        outputMax: What `inputMax` becomes.

    Returns:
        The mapped number; no-data stays no-data.
    """
    x, low, high = floating(x), floating(inputMin), floating(inputMax)
    inside = np.minimum(np.maximum(x, np.minimum(low, high)), np.maximum(low, high))
    return np.true_divide(inside - low, high - low) * (outputMax - outputMin) + outputMin


@process("math > indices", "vegetation indices", nulls="pass")
def normalized_difference(x: Real, y: Real) -> NormalizedRange:
    """The difference of two numbers as a share of their sum

    The formula `(x - y) / (x + y)` behind NDVI (near infrared and red), NDWI (near infrared and short-wave
    infrared), NDSI (green and short-wave infrared) and others.

    Args:
        x: The value of the first band.
        y: The value of the second band.

    Returns:
        A number from -1 to 1 where both values are positive.
    """
    x, y = floating(x), floating(y)
    return np.true_divide(x - y, x + y)
