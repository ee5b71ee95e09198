"""What is picked or told along time, in the words of a sheet: quantiles, the first and the last value, any and all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from engine.kernel.cells import Cell, Several, Word, Wordless, given, null_of, opposite
from engine.kernel.sheet import Sheet
from engine.kernel.statistics import is_series, numbers_of, ranked
from processes.reducers import shares_of
from processes.types import UNSET
from processes.values import Masked


def quantiles(sheet: Sheet, args: Mapping[str, Any], shadow: Any) -> Any:
    """An array with a value for each share; only those are computed that something is made of."""
    if set(args) - {"data", "probabilities", "q", "ignore_nodata"} or not is_series(args["data"]):
        raise Wordless
    numbers = numbers_of(sheet, args["data"], args.get("ignore_nodata", True), shadow)
    shares = shares_of(args.get("probabilities", UNSET), args.get("q", UNSET))
    elements = []
    for i, share in enumerate(shares):
        one = replace(numbers, shadow=element(shadow, i))
        elements.append(one.finished(sheet, ranked(sheet, one, float(share))))
    return Several(tuple(elements), shadow)


def element(shadow: Any, i: int) -> Any:
    """The shadow of an element of an array."""
    if isinstance(shadow, Masked):
        return Masked(shadow.data[i], np.broadcast_to(shadow.null, np.shape(shadow.data))[i])
    return shadow[i]


def chosen(op: str) -> Word:
    """The first or the last value, of those that are there or of all."""

    def word(sheet: Sheet, args: Mapping[str, Any], shadow: Any) -> Any:
        data, ignore = args["data"], args.get("ignore_nodata", True)
        if set(args) - {"data", "ignore_nodata"} or not is_series(data) or data.dtype.kind == "b":
            raise Wordless
        numbers = numbers_of(sheet, data, ignore, shadow)
        ((row, null),) = numbers.pairs
        if ignore:
            return numbers.finished(
                sheet, numbers.fold(sheet, op, [row], numbers.dtype, numbers.known(sheet))
            )
        picked = sheet.over_time(op, row, dtype=numbers.dtype)
        if not isinstance(shadow, Masked):
            return given(sheet, picked, None, shadow)  # of floats NaN is what is null
        gone = sheet.never() if null is None else sheet.over_time(op, null, dtype=bool)
        return Cell(picked, gone, shadow)

    return word


def verdict(*, decisive: bool) -> Word:
    """`any`, which one true decides, or `all`, which one false decides."""

    def word(sheet: Sheet, args: Mapping[str, Any], shadow: Any) -> Any:
        data, ignore = args["data"], args.get("ignore_nodata", True)
        if set(args) - {"data", "ignore_nodata"} or not is_series(data) or data.dtype.kind != "b":
            raise Wordless
        null = null_of(sheet, data)
        hit = data.data if decisive else opposite(sheet, data.data)
        known = () if null is None else (opposite(sheet, null),)
        decided = sheet.over_time("any", hit, *known, dtype=bool)
        value = decided if decisive else opposite(sheet, decided)
        if not isinstance(shadow, Masked):
            return given(sheet, value, None, shadow)
        if ignore or null is None:
            return Cell(value, sheet.never(), shadow)
        unknown = sheet.do(
            "and", opposite(sheet, decided), sheet.over_time("any", null, dtype=bool), dtype=bool
        )
        return Cell(sheet.do("and", value, opposite(sheet, unknown), dtype=bool), unknown, shadow)

    return word
