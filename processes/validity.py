"""What a value is: no-data, NaN, infinite, valid.

Of an array of JSON the questions are asked as a whole (an array is neither no-data nor a number), of cells one by one.
"""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np

from processes.kinds import is_cells, tested, valid
from processes.registry import process
from processes.types import AnyValue, Schema
from processes.values import split

Verdict = Annotated[Any, Schema({"type": "boolean"})]
"""True or false, never null."""


@process("math > constants", experimental=True)
def nan() -> AnyValue:
    """Not a number

    A floating-point number that is no number at all: what 0 / 0 gives. It equals nothing, not even itself.

    Returns:
        NaN.
    """
    return float("nan")


@process("comparison")
def is_nodata(x: AnyValue) -> Verdict:
    """Is there no value?

    NaN is a value, unless the cube says that NaN stands for no-data: cubes of floating-point numbers do.

    Args:
        x: Anything.

    Returns:
        `true` for no-data (`null`), else `false`.
    """
    if not is_cells(x):
        return x is None
    values, null = split(x)
    return np.broadcast_to(null, np.shape(values))[()]


@process("comparison", "math > constants")
def is_nan(x: AnyValue) -> Verdict:
    """Is it not a number?

    A cube of floating-point numbers holds its no-data as NaN. Such a cell carries NaN, so that it is both: not a
    number, and no-data. Where no-data is marked otherwise (`null`, integers, booleans), it is not NaN.

    Args:
        x: Anything.

    Returns:
        `true` for NaN, else `false`; a text is not NaN, nor is an array.
    """
    return tested(x, np.isnan, False)


@process("comparison", experimental=True)
def is_infinite(x: AnyValue) -> Verdict:
    """Is it an infinite number?

    Args:
        x: Anything.

    Returns:
        `true` for positive and negative infinity, else `false`, also for NaN.
    """
    return tested(x, np.isinf, False)


@process("comparison")
def is_valid(x: AnyValue) -> Verdict:
    """Is there a value that can be used?

    Args:
        x: Anything.

    Returns:
        `false` for no-data, NaN and infinities, `true` for all else, such as texts and arrays.
    """
    return valid(x)
