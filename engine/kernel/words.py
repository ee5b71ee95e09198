"""What processes do to one cell, in the words of a sheet. What has no word here is left to the functions themselves.

Each process is called as well, on shadows: one cell of zeros of the right types. So types and the presence of nulls
are those of the functions, and only the arithmetic stands here a second time; tests hold the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.kernel.sheet import Sheet
from processes.values import Labeled, Masked, split


class Wordless(Exception):  # noqa: N818 (nothing went wrong)
    """There is no word for this; the functions themselves will do it."""


@dataclass(frozen=True)
class Cell:
    """A value for each cell."""

    data: int
    """Row of the values."""
    null: int | None
    """Row of what is null; `None` where that is NaN, or where nothing is."""
    shadow: Any
    """What a function would be given: cells, masked cells, or an array of them along time."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        return np.asarray(split(self.shadow)[0]).dtype


@dataclass(frozen=True)
class Several:
    """An array with a value of each kind for each cell: of bands, say."""

    elements: tuple[Any, ...]
    """Cells and constants."""
    shadow: Any


Word = Callable[[Sheet, Mapping[str, Any], Any], Any]
"""(sheet, arguments, shadow of the result) -> the result."""


def is_cells(x: Any) -> bool:
    """Is this a value for each cell?"""
    return isinstance(x, Cell)


def shadow_of(x: Any) -> Any:
    """What a function is given for an argument."""
    if isinstance(x, (Cell, Several)):
        return x.shadow
    if isinstance(x, list):
        return [shadow_of(e) for e in x]
    return x


def null_of(sheet: Sheet, x: Any) -> int | None:
    """Row of what is null in a value; `None` where nothing can be."""
    if not is_cells(x):
        return None
    if x.null is not None:
        return int(x.null)
    return sheet.do("is_nan", x.data, dtype=bool, within=x.dtype) if x.dtype.kind == "f" else None


def either(sheet: Sheet, rows: Sequence[int | None]) -> int | None:
    """Where any of them is true."""
    given = list(dict.fromkeys(r for r in rows if r is not None))
    if not given:
        return None
    result = given[0]
    for row in given[1:]:
        result = sheet.do("or", result, row, dtype=bool)
    return result


def row_of(sheet: Sheet, x: Any, dtype: Any) -> int:
    """A value, or a constant, as a row of that type."""
    if is_cells(x):
        return sheet.do("cast", x.data, dtype=dtype)
    if isinstance(x, (bool, int, float)):
        return sheet.constant(x, dtype)
    raise Wordless


def given(sheet: Sheet, data: int, null: int | None, shadow: Any) -> Cell:
    """A result, whose nulls have to stand where those of the shadow do."""
    if isinstance(shadow, Masked):
        return Cell(data, sheet.never() if null is None else null, shadow)
    if not isinstance(shadow, (np.ndarray, np.generic)) or (null is not None and shadow.dtype.kind != "f"):
        raise Wordless
    return Cell(data, None, shadow)


# ----------------------------------------------------------------------------------- processes on cells
def by_cell(*parameters: str) -> Callable[[Callable[..., int]], Word]:
    """A process that never sees a null: where an operand is null, so is the result.

    The function gets the sheet, the type of the result, and the operands; `None` for those that are not given.
    """

    def make(fn: Callable[..., int]) -> Word:
        def word(sheet: Sheet, args: Mapping[str, Any], shadow: Any) -> Any:
            if set(args) - set(parameters) or any(p not in args and p in parameters[:1] for p in parameters):
                raise Wordless
            operands = [args[p] for p in parameters if p in args]
            if any(isinstance(o, (list, Several)) or o is None for o in operands):
                raise Wordless
            dtype = np.asarray(split(shadow)[0]).dtype
            data = fn(sheet, dtype, *(args.get(p) for p in parameters))
            masked = any(is_cells(o) and o.null is not None for o in operands)
            nulls = [null_of(sheet, o) for o in operands] if masked or dtype.kind != "f" else []
            return given(sheet, data, either(sheet, nulls), shadow)

        return word

    return make


def arithmetic(op: str) -> Word:
    """A process of one operation, computed in the type of its result."""

    @by_cell("x", "y")
    def word(sheet: Sheet, dtype: np.dtype[Any], *operands: Any) -> int:
        return sheet.do(op, *(row_of(sheet, o, dtype) for o in operands if o is not None), dtype=dtype)

    return word


def comparison(op: str) -> Word:
    """A relation of two numbers."""

    @by_cell("x", "y")
    def word(sheet: Sheet, dtype: np.dtype[Any], x: Any, y: Any) -> int:  # noqa: ARG001 (booleans, always)
        return compared(sheet, op, x, y)

    return word


def compared(sheet: Sheet, op: str, x: Any, y: Any) -> int:
    """A relation of two numbers, computed in a type that holds both."""
    kinds = [o.dtype.kind if is_cells(o) else np.asarray(o).dtype.kind for o in (x, y)]
    if not set(kinds) <= set("iuf"):
        raise Wordless
    within: Any = np.result_type(*(o.dtype if is_cells(o) else o for o in (x, y)))
    if set(kinds) <= set("iu"):
        cells = [o.dtype for o in (x, y) if is_cells(o)]
        within = np.result_type(*cells)
        outside = [
            o for o in (x, y) if not is_cells(o) and not np.iinfo(within).min <= o <= np.iinfo(within).max
        ]
        within = np.dtype(np.int64) if outside else within
        if within.kind == "f" or (outside and np.dtype(np.uint64) in cells):
            raise Wordless  # no integer type holds both
    return sheet.do(op, row_of(sheet, x, within), row_of(sheet, y, within), dtype=bool, within=within)


@by_cell("x", "min", "max")
def between(sheet: Sheet, dtype: np.dtype[Any], x: Any, low: Any, high: Any) -> int:  # noqa: ARG001
    above, below = compared(sheet, "gte", x, low), compared(sheet, "lte", x, high)
    return sheet.do("and", above, below, dtype=bool)


@by_cell("x", "min", "max")
def clip(sheet: Sheet, dtype: np.dtype[Any], x: Any, low: Any, high: Any) -> int:
    value, low, high = (row_of(sheet, o, dtype) for o in (x, low, high))
    return sheet.do("at_most", sheet.do("at_least", value, low, dtype=dtype), high, dtype=dtype)


@by_cell("x", "y")
def normalized_difference(sheet: Sheet, dtype: np.dtype[Any], x: Any, y: Any) -> int:
    a, b = row_of(sheet, x, dtype), row_of(sheet, y, dtype)
    minus, plus = sheet.do("subtract", a, b, dtype=dtype), sheet.do("add", a, b, dtype=dtype)
    return sheet.do("divide", minus, plus, dtype=dtype)


@by_cell("x", "inputMin", "inputMax", "outputMin", "outputMax")
def linear_scale_range(
    sheet: Sheet, dtype: np.dtype[Any], x: Any, low: Any, high: Any, bottom: Any, top: Any
) -> int:
    bottom, top = 0 if bottom is None else bottom, 1 if top is None else top
    if any(map(is_cells, (low, high, bottom, top))):
        raise Wordless
    value, first = row_of(sheet, x, dtype), sheet.constant(low, dtype)
    inside = sheet.do("at_least", value, sheet.constant(min(low, high), dtype), dtype=dtype)
    inside = sheet.do("at_most", inside, sheet.constant(max(low, high), dtype), dtype=dtype)
    share = sheet.do("subtract", inside, first, dtype=dtype)
    share = sheet.do("divide", share, sheet.constant(float(high) - float(low), dtype), dtype=dtype)
    scaled = sheet.do("multiply", share, sheet.constant(top - bottom, dtype), dtype=dtype)
    return sheet.do("add", scaled, sheet.constant(bottom, dtype), dtype=dtype)


# ------------------------------------------------------------------------------------- three-valued logic
def truth(sheet: Sheet, x: Any) -> tuple[int, int]:
    """A boolean as the rows of its values and of its nulls."""
    if isinstance(x, bool):
        return sheet.constant(x, bool), sheet.never()
    if x is None:
        return sheet.never(), sheet.constant(True, bool)
    if not is_cells(x) or x.dtype.kind != "b":
        raise Wordless
    return x.data, sheet.never() if x.null is None else x.null


def both(name: str) -> Word:
    """`and`, where `name` is what is decisive when false; `or` the other way round."""

    def word(sheet: Sheet, args: Mapping[str, Any], shadow: Any) -> Any:
        (a, no_a), (b, no_b) = truth(sheet, args["x"]), truth(sheet, args["y"])
        decided = either(sheet, [told(sheet, a, no_a, name == "or"), told(sheet, b, no_b, name == "or")])
        assert decided is not None
        unknown = sheet.do(
            "and", sheet.do("or", no_a, no_b, dtype=bool), opposite(sheet, decided), dtype=bool
        )
        value = decided if name == "or" else opposite(sheet, decided)
        if isinstance(shadow, Masked):
            return Cell(sheet.do("and", value, opposite(sheet, unknown), dtype=bool), unknown, shadow)
        return given(sheet, value, None, shadow)

    return word


def told(sheet: Sheet, value: int, null: int, wanted: bool) -> int:
    """Where it is known to be true, or to be false."""
    known = opposite(sheet, null)
    return sheet.do("and", known, value if wanted else opposite(sheet, value), dtype=bool)


def opposite(sheet: Sheet, row: int) -> int:
    """Where it is false."""
    return sheet.do("not", row, dtype=bool)


def not_(sheet: Sheet, args: Mapping[str, Any], shadow: Any) -> Any:
    value, null = truth(sheet, args["x"])
    if isinstance(shadow, Masked):
        return Cell(told(sheet, value, null, False), null, shadow)
    return given(sheet, opposite(sheet, value), None, shadow)


def if_(sheet: Sheet, args: Mapping[str, Any], shadow: Any) -> Any:
    value, null = truth(sheet, args["value"])
    branches = args["accept"], args.get("reject")
    if any(isinstance(b, (Several, list, str)) for b in branches):
        raise Wordless
    dtype = np.asarray(split(shadow)[0]).dtype
    take = told(sheet, value, null, True)
    zero = sheet.constant(0, dtype)
    yes, no = (zero if b is None else row_of(sheet, b, dtype) for b in branches)
    data = sheet.do("select", take, yes, no, dtype=dtype)
    if not isinstance(shadow, Masked):
        if None in branches:
            nan = sheet.constant(np.nan, dtype)
            data = sheet.do(
                "select",
                take,
                *(nan if b is None else row_of(sheet, b, dtype) for b in branches),
                dtype=dtype,
            )
        return given(sheet, data, None, shadow)
    absent = [
        sheet.constant(True, bool) if b is None else null_of(sheet, b) or sheet.never() for b in branches
    ]
    return Cell(data, sheet.do("select", take, *absent, dtype=bool), shadow)


# -------------------------------------------------------------------------------------- questions of a cell
def is_nodata(sheet: Sheet, args: Mapping[str, Any], shadow: Any) -> Any:
    if not is_cells(args["x"]):
        raise Wordless
    null = null_of(sheet, args["x"])
    return given(sheet, sheet.never() if null is None else null, None, shadow)


def is_nan(sheet: Sheet, args: Mapping[str, Any], shadow: Any) -> Any:
    x = args["x"]
    if not is_cells(x):
        raise Wordless
    if x.dtype.kind != "f":
        return given(sheet, sheet.never(), None, shadow)
    found = sheet.do("is_nan", x.data, dtype=bool, within=x.dtype)
    return given(sheet, found if x.null is None else told(sheet, found, x.null, True), None, shadow)


def is_valid(sheet: Sheet, args: Mapping[str, Any], shadow: Any) -> Any:
    return given(sheet, usable(sheet, args["x"]), None, shadow)


def usable(sheet: Sheet, x: Any) -> int:
    """Where there is a value, and where it is finite."""
    if not is_cells(x):
        raise Wordless
    if x.dtype.kind == "f":
        size = sheet.do("absolute", x.data, dtype=x.dtype)
        found = sheet.do("lt", size, sheet.constant(np.inf, x.dtype), dtype=bool, within=x.dtype)
    else:
        found = sheet.constant(True, bool)
    return found if x.null is None else told(sheet, found, x.null, True)


def itself(sheet: Sheet, args: Mapping[str, Any], shadow: Any) -> Any:  # noqa: ARG001 (a word's)
    return args["x"]


# -------------------------------------------------------------------------------------- arrays of a few
def array_element(sheet: Sheet, args: Mapping[str, Any], shadow: Any) -> Any:  # noqa: ARG001 (a word's)
    data = args["data"]
    elements = data.elements if isinstance(data, Several) else data
    if not isinstance(elements, (list, tuple)):
        raise Wordless
    index = args.get("index")
    if index is None:
        labels = data.shadow.labels if isinstance(data, Several) and isinstance(data.shadow, Labeled) else ()
        if args.get("label") not in labels:
            raise Wordless
        index = labels.index(args["label"])
    if not isinstance(index, int) or not 0 <= index < len(elements):
        raise Wordless
    return elements[index]


def array_create(sheet: Sheet, args: Mapping[str, Any], shadow: Any) -> Any:  # noqa: ARG001 (a word's)
    if set(args) != {"data"} or not isinstance(args["data"], list):
        raise Wordless
    return list(args["data"])


# ---------------------------------------------------------------------------------------- statistics
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
        if np.ndim(split(data.shadow)[0]) != 2:
            raise Wordless  # it is no series
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
    if not numbers.timed:
        raise Wordless
    within = numbers.dtype if numbers.dtype.kind == "f" else np.dtype(np.float64)
    row, null = numbers.pairs[0]
    args = (sheet.do("cast", row, dtype=within),) if null is None else (sheet.do("cast", row, dtype=within), opposite(sheet, null))  # fmt: skip
    return sheet.over_time("ranked", *args, dtype=within, told=0.5)


def counted(sheet: Sheet, args: Mapping[str, Any], shadow: Any) -> Any:
    data = args["data"]
    if set(args) != {"data"} or not is_cells(data) or np.ndim(split(data.shadow)[0]) != 2:
        raise Wordless
    dtype = np.asarray(shadow).dtype
    return given(
        sheet,
        sheet.over_time("sum", sheet.do("cast", usable(sheet, data), dtype=dtype), dtype=dtype),
        None,
        shadow,
    )


def last(sheet: Sheet, args: Mapping[str, Any], shadow: Any) -> Any:
    data = args["data"]
    if (
        set(args) != {"data"}
        or not is_cells(data)
        or np.ndim(split(data.shadow)[0]) != 2
        or data.dtype.kind == "b"
    ):
        raise Wordless
    numbers = numbers_of(sheet, data, True, shadow)
    rows = [r for r, _ in numbers.pairs]
    return numbers.finished(sheet, numbers.fold(sheet, "latest", rows, numbers.dtype, numbers.known(sheet)))


WORDS: Mapping[str, Word] = {
    **{name: arithmetic(name) for name in ("add", "subtract", "multiply", "divide")},
    **{name: comparison(name) for name in ("lt", "lte", "gt", "gte", "eq", "neq")},
    "absolute": arithmetic("absolute"),
    "sqrt": arithmetic("sqrt"),
    "between": between,
    "clip": clip,
    "normalized_difference": normalized_difference,
    "linear_scale_range": linear_scale_range,
    "and": both("and"),
    "or": both("or"),
    "not": not_,
    "if": if_,
    "is_nodata": is_nodata,
    "is_nan": is_nan,
    "is_valid": is_valid,
    "constant": itself,
    "array_element": array_element,
    "array_create": array_create,
    "sum": total,
    "mean": statistic(average),
    "variance": statistic(spread),
    "sd": deviation,
    "min": least,
    "max": greatest,
    "median": median,
    "count": counted,
    "last": last,
}
"""Processes that kernels know."""
