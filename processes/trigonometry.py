"""Angles: trigonometric and hyperbolic functions and their inverses, number by number (IEEE 754)."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np

from processes.registry import process
from processes.types import NonNegative, Number, Schema, UnitRange
from processes.widths import floating

FromOne = Annotated[Any, Schema({"type": ["number", "null"], "minimum": 1})]
OpenUnitRange = Annotated[
    Any, Schema({"type": ["number", "null"], "minimumExclusive": -1, "maximumExclusive": 1})
]
"""Between -1 and 1, neither of which belongs to it."""


@process("math > trigonometric", nulls="pass")
def sin(x: Number) -> UnitRange:
    """The sine

    Args:
        x: An angle in radians.

    Returns:
        Its sine; NaN for infinities; no-data stays no-data.
    """
    return np.sin(floating(x))


@process("math > trigonometric", nulls="pass")
def cos(x: Number) -> UnitRange:
    """The cosine

    Args:
        x: An angle in radians.

    Returns:
        Its cosine; NaN for infinities; no-data stays no-data.
    """
    return np.cos(floating(x))


@process("math > trigonometric", nulls="pass")
def tan(x: Number) -> Number:
    """The tangent

    Args:
        x: An angle in radians.

    Returns:
        Its tangent; NaN for infinities; no-data stays no-data.
    """
    return np.tan(floating(x))


@process("math > trigonometric", nulls="pass")
def arcsin(x: UnitRange) -> Number:
    """The angle whose sine is given

    Args:
        x: A number from -1 to 1.

    Returns:
        The angle in radians, from -pi/2 to pi/2; NaN beyond the domain; no-data stays no-data.
    """
    return np.arcsin(floating(x))


@process("math > trigonometric", nulls="pass")
def arccos(x: UnitRange) -> NonNegative:
    """The angle whose cosine is given

    Args:
        x: A number from -1 to 1.

    Returns:
        The angle in radians, from 0 to pi; NaN beyond the domain; no-data stays no-data.
    """
    return np.arccos(floating(x))


@process("math > trigonometric", nulls="pass")
def arctan(x: Number) -> Number:
    """The angle whose tangent is given

    Args:
        x: A number.

    Returns:
        The angle in radians, from -pi/2 to pi/2; no-data stays no-data.
    """
    return np.arctan(floating(x))


@process("math > trigonometric", nulls="pass")
def arctan2(y: Number, x: Number) -> Number:
    """The angle of a point, as seen from the origin

    Args:
        y: How far up the point is.
        x: How far to the right it is.

    Returns:
        The angle in radians between the x axis and the point, from -pi to pi; no-data in either gives no-data.
    """
    return np.arctan2(floating(y), floating(x))


# ------------------------------------------------------------------------------------------ hyperbolic
@process("math > trigonometric", nulls="pass")
def sinh(x: Number) -> Number:
    """The hyperbolic sine

    Args:
        x: A hyperbolic angle.

    Returns:
        Its hyperbolic sine; no-data stays no-data.
    """
    return np.sinh(floating(x))


@process("math > trigonometric", nulls="pass")
def cosh(x: Number) -> FromOne:
    """The hyperbolic cosine

    Args:
        x: A hyperbolic angle.

    Returns:
        Its hyperbolic cosine, 1 or greater; no-data stays no-data.
    """
    return np.cosh(floating(x))


@process("math > trigonometric", nulls="pass")
def tanh(x: Number) -> OpenUnitRange:
    """The hyperbolic tangent

    Args:
        x: A hyperbolic angle.

    Returns:
        Its hyperbolic tangent, between -1 and 1; no-data stays no-data.
    """
    return np.tanh(floating(x))


@process("math > trigonometric", nulls="pass")
def arsinh(x: Number) -> Number:
    """The hyperbolic angle whose sine is given

    Args:
        x: A number.

    Returns:
        The hyperbolic angle; no-data stays no-data.
    """
    return np.arcsinh(floating(x))


@process("math > trigonometric", nulls="pass")
def arcosh(x: Number) -> NonNegative:
    """The hyperbolic angle whose cosine is given

    Args:
        x: A number from 1 on.

    Returns:
        The hyperbolic angle, 0 or greater; NaN below 1; no-data stays no-data.
    """
    return np.arccosh(floating(x))


@process("math > trigonometric", nulls="pass")
def artanh(x: OpenUnitRange) -> Number:
    """The hyperbolic angle whose tangent is given

    Args:
        x: A number between -1 and 1.

    Returns:
        The hyperbolic angle; infinite for -1 and 1, NaN beyond them; no-data stays no-data.
    """
    return np.arctanh(floating(x))
