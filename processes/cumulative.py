"""Running results along the first axis of an array: as many values come out as went in.

No-data is stepped over and stays where it is; or, where it is not to be ignored, all that follows it is no-data.
NaN that is not no-data goes through to the end, as IEEE 754 has it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from processes.kinds import highest, lowest, numbers
from processes.registry import process
from processes.types import Numbers
from processes.values import Labeled, join


@process("math > cumulative", experimental=True)
def cumsum(data: Numbers, ignore_nodata: bool = True) -> Numbers:
    """Running sums

    Integers are summed as 64-bit integers.

    Args:
        data: Numbers.
        ignore_nodata: `false` makes no-data of all that follows the first no-data.

    Returns:
        For each number the sum of all numbers up to it.
    """
    return running(data, ignore_nodata, np.add, lambda _: 0, np.int64)


@process("math > cumulative", experimental=True)
def cumproduct(data: Numbers, ignore_nodata: bool = True) -> Numbers:
    """Running products

    Integers are multiplied as 64-bit floating-point numbers, since their products soon outgrow all integers.

    Args:
        data: Numbers.
        ignore_nodata: `false` makes no-data of all that follows the first no-data.

    Returns:
        For each number the product of all numbers up to it.
    """
    return running(data, ignore_nodata, np.multiply, lambda _: 1, np.float64)


@process("math > cumulative", experimental=True)
def cummax(data: Numbers, ignore_nodata: bool = True) -> Numbers:
    """Running maxima

    Args:
        data: Numbers.
        ignore_nodata: `false` makes no-data of all that follows the first no-data.

    Returns:
        For each number the greatest of all numbers up to it.
    """
    return running(data, ignore_nodata, np.maximum, lowest)


@process("math > cumulative", experimental=True)
def cummin(data: Numbers, ignore_nodata: bool = True) -> Numbers:
    """Running minima

    Args:
        data: Numbers.
        ignore_nodata: `false` makes no-data of all that follows the first no-data.

    Returns:
        For each number the smallest of all numbers up to it.
    """
    return running(data, ignore_nodata, np.minimum, highest)


def running(
    data: Any, ignore_nodata: bool, step: np.ufunc, neutral: Callable[[Any], Any], whole: Any = None
) -> Any:
    """Accumulate along the first axis; `neutral` stands in for null, `whole` is the type for integers."""
    values, null = numbers(data)
    before = values.dtype
    if whole is not None:
        values = values.astype(np.float64 if before.kind == "f" else whole)
    mask = np.broadcast_to(null, values.shape)
    result = step.accumulate(np.where(mask, values.dtype.type(neutral(values)), values), axis=0)
    if before.kind == "f":
        result = result.astype(before)
    if np.ndim(null) or null:
        result = join(result, mask if ignore_nodata else np.logical_or.accumulate(mask, axis=0), data)
    return Labeled(result, data.labels) if isinstance(data, Labeled) else result
