"""What processes do to one cell, in the words of a sheet. What has no word here is left to the functions themselves.

Each process is called as well, on shadows: one cell of zeros of the right types. So types and the presence of nulls
are those of the functions, and only the arithmetic stands here a second time; tests hold the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    told,
    usable,
)
from engine.kernel.curves import arithmetic, by_cell, log, power
from engine.kernel.series import chosen, quantiles, verdict
from engine.kernel.sheet import Sheet
from engine.kernel.statistics import (
    average,
    counted,
    deviation,
    greatest,
    least,
    median,
    spread,
    statistic,
    total,
)
from processes.values import Labeled, Masked, split


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


def itself(sheet: Sheet, args: Mapping[str, Any], shadow: Any) -> Any:  # noqa: ARG001 (a word's)
    return args["x"]


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


WORDS: Mapping[str, Word] = {
    **{name: arithmetic(name) for name in ("add", "subtract", "multiply", "divide")},
    **{name: comparison(name) for name in ("lt", "lte", "gt", "gte", "eq", "neq")},
    "absolute": arithmetic("absolute"),
    "sqrt": arithmetic("sqrt"),
    "exp": arithmetic("exp", "p"),
    "ln": arithmetic("log"),
    "log": log,
    "power": power,
    "arctan2": arithmetic("arctan2", "y", "x"),
    **{name: arithmetic(name) for name in ("sin", "cos", "tan", "arcsin", "arccos", "arctan")},
    **{name: arithmetic(name) for name in ("sinh", "cosh", "tanh")},
    **{f"ar{name}": arithmetic(f"arc{name}") for name in ("sinh", "cosh")},
    "artanh": arithmetic("arctanh"),
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
    "quantiles": quantiles,
    "first": chosen("earliest"),
    "last": chosen("latest"),
    "any": verdict(decisive=True),
    "all": verdict(decisive=False),
}
"""Processes that kernels know."""
