"""How types and constants are spelt in the text of a kernel."""

from __future__ import annotations

import math

from engine.kernel.sheet import Row, Sheet


def array(dtype: str) -> str:
    """The type of an array (y, x), as signatures have it."""
    return f"{'boolean' if dtype == 'bool' else dtype}[:, ::1]"


def dtype_of(sheet: Sheet, plane: int) -> str:
    """The type of a plane's numbers."""
    return next(r.dtype for r in sheet.rows if r.op == "plane" and r.told == plane)


def safe(dtype: str) -> str:
    """NumPy's name of a type."""
    return "bool_" if dtype == "bool" else dtype


def cast(text: str, dtype: str) -> str:
    """An expression brought to a type."""
    return f"({text} != 0)" if dtype == "bool" else f"np.{dtype}({text})"


def literal(value: float, dtype: str) -> str:
    """A constant of a type."""
    if dtype == "bool":
        return str(bool(value))
    if isinstance(value, float) and not math.isfinite(value):
        return f"np.{dtype}({'np.nan' if value != value else 'np.inf' if value > 0 else '-np.inf'})"
    return f"np.{dtype}({value!r})"


def neutral(row: Row) -> str:
    """Where an operation along time starts."""
    if row.op in ("least", "greatest"):
        if row.within.startswith("float"):
            return f"np.{row.within}({'np.inf' if row.op == 'least' else '-np.inf'})"
        return f"np.iinfo(np.{row.within}).{'max' if row.op == 'least' else 'min'}"
    return literal(0, row.dtype)
