"""Statistics of each cell, along time or of a few values, in the words of a sheet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.kernel.cells import (
    Cell,
    Several,
    Word,
    Wordless,
    either,
    given,
    is_cells,
    null_of,
    opposite,
    row_of,
    shadow_of,
    usable,
)
from engine.kernel.sheet import Sheet
from processes.values import Masked, split


@dataclass(frozen=True)
class Numbers:
    """What a statistic is made of: values along time, or a few of them."""

    dtype: np.dtype[Any]
    """Type of the values."""
    pairs: tuple[tuple[int, int | None], ...]
    """Rows of values and of nulls; one pair where they run along time."""
    timed: bool
    explicit: bool
    """Are nulls marked beside the values, so that NaN is a number?"""
    ignore: bool
    """Are nulls left out?"""
    shadow: Any

    def fold(
        self, sheet: Sheet, op: str, rows: Sequence[int], dtype: Any, where: Sequence[int | None]
    ) -> int:
        """All values put together by an operation, where they count."""
        if self.timed:
            counted = (rows[0],) if where[0] is None else (rows[0], where[0])
            return sheet.over_time(op, *counted, dtype=dtype)
        return folded(sheet, op, rows, dtype, where)

    def known(self, sheet: Sheet) -> list[int | None]:
        """Where there is a value."""
        return [None if null is None else opposite(sheet, null) for _, null in self.pairs]

    def count(self, sheet: Sheet) -> int:
        """How many values there are."""
        ones = [sheet.constant(1, np.int64)] * len(self.pairs)
        return self.fold(sheet, "sum", ones, np.int64, self.known(sheet))

    def finished(self, sheet: Sheet, data: int) -> Any:
        """The statistic, null where there is nothing to tell."""
        target = np.asarray(split(self.shadow)[0]).dtype
        data = sheet.do("cast", data, dtype=target)
        nulls = [n for _, n in self.pairs if n is not None]
        if not nulls:
            return given(sheet, data, None, self.shadow)
        if self.ignore:
            missing = sheet.do(
                "eq", self.count(sheet), sheet.constant(0, np.int64), dtype=bool, within=np.int64
            )
        elif self.timed:
            missing = sheet.over_time("any", nulls[0], dtype=bool)
        else:
            found = either(sheet, nulls)
            assert found is not None
            missing = found
        if isinstance(self.shadow, Masked):
            return Cell(data, missing, self.shadow)
        if target.kind != "f":
            raise Wordless
        return Cell(
            sheet.do("select", missing, sheet.constant(np.nan, target), data, dtype=target), None, self.shadow
        )


def folded(sheet: Sheet, op: str, rows: Sequence[int], dtype: Any, where: Sequence[int | None]) -> int:
    """A few values put together one after the other."""
    neutral: dict[str, Any] = {"sum": 0, "product": 1, "least": highest(dtype), "greatest": lowest(dtype)}
    step = {"sum": "add", "product": "multiply", "least": "at_most", "greatest": "at_least"}[op]
    start = sheet.constant(neutral[op], dtype)
    values = []
    for row, counts in zip(rows, where, strict=True):
        value = sheet.do("cast", row, dtype=dtype)
        values.append(value if counts is None else sheet.do("select", counts, value, start, dtype=dtype))
    result = values[0]
    for value in values[1:]:
        result = sheet.do(step, result, value, dtype=dtype)
    return result


def highest(dtype: Any) -> Any:
    """A value that no minimum is above."""
    return np.inf if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max


def lowest(dtype: Any) -> Any:
    """A value that no maximum is below."""
    return -np.inf if np.dtype(dtype).kind == "f" else np.iinfo(dtype).min


def statistic(fn: Callable[[Sheet, Numbers], int]) -> Word:
    """A statistic along time, or of a few values; `fn` gives the row of its value where there is something to tell."""

    def word(sheet: Sheet, args: Mapping[str, Any], shadow: Any) -> Any:
        if set(args) - {"data", "ignore_nodata"}:
            raise Wordless
        numbers = numbers_of(sheet, args["data"], args.get("ignore_nodata", True), shadow)
        return numbers.finished(sheet, fn(sheet, numbers))

    return word


def numbers_of(sheet: Sheet, data: Any, ignore: bool, shadow: Any) -> Numbers:
    """The values that a statistic is made of."""
    if is_cells(data):
        if not is_series(data):
            raise Wordless
        dtype, explicit = data.dtype, data.null is not None
        pairs: tuple[tuple[int, int | None], ...] = ((data.data, null_of(sheet, data)),)
    else:
        elements = data.elements if isinstance(data, Several) else data
        if not isinstance(elements, (list, tuple)) or not elements or not any(map(is_cells, elements)):
            raise Wordless
        values, _ = split(shadow_of(list(elements)) if isinstance(data, list) else data.shadow)
        dtype = values.dtype
        explicit = any(is_cells(e) and e.null is not None for e in elements) or not all(
            map(is_cells, elements)
        )
        pairs = tuple((row_of(sheet, e, dtype), null_of(sheet, e)) for e in elements)
    if (
        dtype.kind not in "iuf"
        or (explicit and dtype.kind == "f")
        or any(sheet.rows[r].dtype == "bool" for r, _ in pairs)
    ):
        raise Wordless  # a NaN that is a number would have to go through
    return Numbers(dtype, pairs, is_cells(data), explicit, ignore, shadow)


def is_series(data: Any) -> bool:
    """Are these values along time?"""
    return is_cells(data) and np.ndim(split(data.shadow)[0]) == 2


def wide(numbers: Numbers) -> Any:
    """The type in which sums are taken."""
    return np.float64 if numbers.dtype.kind == "f" else np.int64


@statistic
def total(sheet: Sheet, numbers: Numbers) -> int:
    rows = [sheet.do("cast", r, dtype=wide(numbers)) for r, _ in numbers.pairs]
    return numbers.fold(sheet, "sum", rows, wide(numbers), numbers.known(sheet))


def average(sheet: Sheet, numbers: Numbers) -> int:
    rows = [sheet.do("cast", r, dtype=np.float64) for r, _ in numbers.pairs]
    summed = numbers.fold(sheet, "sum", rows, np.float64, numbers.known(sheet))
    count = sheet.do("cast", numbers.count(sheet), dtype=np.float64)
    return sheet.do("divide", summed, count, dtype=np.float64)


def spread(sheet: Sheet, numbers: Numbers) -> int:
    middle = average(sheet, numbers)
    squares = []
    for row, _ in numbers.pairs:
        away = sheet.do("subtract", sheet.do("cast", row, dtype=np.float64), middle, dtype=np.float64)
        squares.append(sheet.do("multiply", away, away, dtype=np.float64))
    summed = numbers.fold(sheet, "sum", squares, np.float64, numbers.known(sheet))
    count = sheet.do("cast", numbers.count(sheet), dtype=np.float64)
    less = sheet.do("subtract", count, sheet.constant(1.0, np.float64), dtype=np.float64)
    return sheet.do("divide", summed, less, dtype=np.float64)


@statistic
def deviation(sheet: Sheet, numbers: Numbers) -> int:
    return sheet.do("sqrt", spread(sheet, numbers), dtype=np.float64)


@statistic
def least(sheet: Sheet, numbers: Numbers) -> int:
    return numbers.fold(sheet, "least", [r for r, _ in numbers.pairs], numbers.dtype, numbers.known(sheet))


@statistic
def greatest(sheet: Sheet, numbers: Numbers) -> int:
    return numbers.fold(sheet, "greatest", [r for r, _ in numbers.pairs], numbers.dtype, numbers.known(sheet))


@statistic
def median(sheet: Sheet, numbers: Numbers) -> int:
    return ranked(sheet, numbers, 0.5)


def ranked(sheet: Sheet, numbers: Numbers, share: float) -> int:
    """The quantile of values along time."""
    if not numbers.timed:
        raise Wordless
    within = numbers.dtype if numbers.dtype.kind == "f" else np.dtype(np.float64)
    row, null = numbers.pairs[0]
    args = (sheet.do("cast", row, dtype=within),) if null is None else (sheet.do("cast", row, dtype=within), opposite(sheet, null))  # fmt: skip
    return sheet.over_time("ranked", *args, dtype=within, told=share)


def counted(sheet: Sheet, args: Mapping[str, Any], shadow: Any) -> Any:
    data = args["data"]
    if set(args) != {"data"} or not is_series(data):
        raise Wordless
    dtype = np.asarray(shadow).dtype
    return given(
        sheet,
        sheet.over_time("sum", sheet.do("cast", usable(sheet, data), dtype=dtype), dtype=dtype),
        None,
        shadow,
    )
