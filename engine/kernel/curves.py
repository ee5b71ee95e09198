"""Arithmetic of single cells, powers and logarithms, in the words of a sheet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from engine.kernel.cells import Several, Word, Wordless, either, given, is_cells, null_of, row_of
from engine.kernel.sheet import Sheet
from processes.math import EXACT
from processes.values import split
from processes.widths import floating


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


def arithmetic(op: str, *parameters: str) -> Word:
    """A process of one operation, computed in the type of its result. Its operands are `x` and `y` unless named."""

    @by_cell(*(parameters or ("x", "y")))
    def word(sheet: Sheet, dtype: np.dtype[Any], *operands: Any) -> int:
        return sheet.do(op, *(row_of(sheet, o, dtype) for o in operands if o is not None), dtype=dtype)

    return word


@by_cell("base", "p")
def power(sheet: Sheet, dtype: np.dtype[Any], base: Any, p: Any) -> int:
    """A power; where it is the square root, NumPy takes that, which is NaN for -inf and keeps the sign of 0."""
    if p is None:
        raise Wordless
    if not is_cells(p) and p == 0.5:
        return sheet.do("sqrt", row_of(sheet, base, dtype), dtype=dtype)
    return sheet.do("power", row_of(sheet, base, dtype), row_of(sheet, p, dtype), dtype=dtype)


@by_cell("x", "base")
def log(sheet: Sheet, dtype: np.dtype[Any], x: Any, base: Any) -> int:
    """A logarithm to a base: by functions of their own for 2 and 10, which give whole numbers, else by natural ones."""
    if base is None:
        raise Wordless
    if not is_cells(base) and base in EXACT:
        return sheet.do(f"log{base:g}", row_of(sheet, x, dtype), dtype=dtype)
    above, below = (sheet.do("cast", natural_log(sheet, operand), dtype=dtype) for operand in (x, base))
    return sheet.do("divide", above, below, dtype=dtype)


def natural_log(sheet: Sheet, operand: Any) -> int:
    """The natural logarithm of cells, in floats as wide as these, or of a constant."""
    if is_cells(operand):
        within = floating(np.zeros((), operand.dtype)).dtype
        return sheet.do("log", row_of(sheet, operand, within), dtype=within)
    with np.errstate(invalid="ignore", divide="ignore"):
        return sheet.constant(np.log(floating(operand)), np.float64)
