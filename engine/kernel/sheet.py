"""Arithmetic written down, one operation a row: what a kernel computes for each cell.

Rows refer to earlier rows by number, and equal rows are one. So a sheet is linear in what was written on it, however
often parts are shared.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

CIRCULAR = ("sin", "cos", "tan", "arcsin", "arccos", "arctan")
CURVES = (*CIRCULAR, "exp", "log", "log2", "log10", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh")
"""Transcendental functions of one number, by NumPy's names."""
TRANSCENDENTAL = frozenset({*CURVES, "power", "arctan2"})
FORMS = {
    "add": "{0} + {1}",
    "subtract": "{0} - {1}",
    "multiply": "{0} * {1}",
    "divide": "{0} / {1}",
    "absolute": "abs({0})",
    "sqrt": "np.sqrt({0})",
    **{f: f"np.{f}({{0}})" for f in CURVES},
    "power": "np.power({0}, {1})",
    "arctan2": "np.arctan2({0}, {1})",
    "floor": "np.floor({0})",
    "ceil": "np.ceil({0})",
    "lt": "{0} < {1}",
    "lte": "{0} <= {1}",
    "gt": "{0} > {1}",
    "gte": "{0} >= {1}",
    "eq": "{0} == {1}",
    "neq": "{0} != {1}",
    "and": "{0} & {1}",
    "or": "{0} | {1}",
    "not": "{0} == False",
    "is_nan": "{0} != {0}",
    "at_least": "({1} if {0} < {1} else {0})",  # NaN stays NaN
    "at_most": "({1} if {0} > {1} else {0})",
    "select": "({1} if {0} else {2})",
    "cast": "{0}",
}
"""Operations on cells, as Python that numba compiles; the operands come in the type in which it is computed."""
STREAMED = {"sum", "any", "least", "greatest", "earliest", "latest"}
"""Operations along time that need a number or two for each cell, whatever the number of dates."""
RANKED = {"ranked"}
"""Operations along time that need all dates of a row at once."""


@dataclass(frozen=True)
class Row:
    """One operation."""

    op: str
    """What is done: a name of `FORMS`, `plane`, `constant`, or an operation along time."""
    args: tuple[int, ...]
    """Rows it is done to."""
    dtype: str
    """Type of the result."""
    within: str
    """Type in which it is computed."""
    told: Any = None
    """The plane, the constant, or the parameter."""
    timed: bool = False
    """Has it a value for each date?"""
    level: int = 0
    """How many operations along time are in it, one within the other."""


@dataclass
class Sheet:
    """Rows, and which of them is which."""

    rows: list[Row] = field(default_factory=list)
    known: dict[Any, int] = field(default_factory=dict)

    def put(self, row: Row) -> int:
        """The number of a row, which is new unless an equal one is there."""
        key = (row.op, row.args, row.dtype, row.within, repr(row.told), row.timed)
        if key not in self.known:
            self.known[key] = len(self.rows)
            self.rows.append(row)
        return self.known[key]

    def plane(self, number: int, dtype: Any, *, timed: bool) -> int:
        """The cells of a plane."""
        name = np.dtype(dtype).name
        return self.put(Row("plane", (), name, name, number, timed))

    def constant(self, value: Any, dtype: Any) -> int:
        """A number that is the same everywhere."""
        name = np.dtype(dtype).name
        return self.put(Row("constant", (), name, name, np.dtype(dtype).type(value).item()))

    def do(self, op: str, *args: int, dtype: Any, within: Any = None) -> int:
        """An operation on cells."""
        name = np.dtype(dtype).name
        inner = name if within is None else np.dtype(within).name
        if op == "cast" and self.rows[args[0]].dtype == name:
            return args[0]
        if (known := self.plain_logic(op, args)) is not None:
            return known
        if (split := self.marked(op, args)) is not None:
            condition, rest = split
            return self.do(
                "or", condition, self.do(op, rest, *args[1:], dtype=bool, within=within), dtype=bool
            )
        rows = [self.rows[a] for a in args]
        timed, level = any(r.timed for r in rows), max(r.level for r in rows)
        return self.put(Row(op, args, name, inner, None, timed, level))

    def plain_logic(self, op: str, args: tuple[int, ...]) -> int | None:
        """What is known without computing: of constants, of a row and itself, of the opposite of an opposite."""
        first = self.rows[args[0]]
        if op == "not":
            if first.op == "constant":
                return self.constant(not first.told, bool)
            return first.args[0] if first.op == "not" else None
        if op not in ("and", "or"):
            return None
        if args[0] == args[1]:
            return args[0]
        for one, other in (args, args[::-1]):
            row = self.rows[one]
            if row.op == "constant":  # false or x is x, true or x is true; with `and` the other way round
                return other if row.told == (op == "and") else one
        return None

    def marked(self, op: str, args: tuple[int, ...]) -> tuple[int, int] | None:
        """Is it asked for the very mark that a choice has put in? Then the condition of the choice, and the other branch.

        So it stays visible on what no-data depends: often on a mask alone.
        """
        asked = self.rows[args[0]]
        if asked.op != "select" or op not in ("is_nan", "eq") or self.rows[asked.args[1]].op != "constant":
            return None
        mark = self.rows[asked.args[1]].told
        if op == "eq":
            other = self.rows[args[1]]
            hit = other.op == "constant" and other.told == mark and other.dtype == asked.dtype
        else:
            hit = mark != mark
        return (asked.args[0], asked.args[2]) if hit else None

    def over_time(self, op: str, *args: int, dtype: Any, within: Any = None, told: Any = None) -> int:
        """An operation along time. The first argument is what goes in, a second one tells where it counts."""
        name = np.dtype(dtype).name
        inner = name if within is None else np.dtype(within).name
        level = 1 + max(self.rows[a].level for a in args)
        return self.put(Row(op, args, name, inner, told, False, level))

    def needed(self, *results: int) -> list[int]:
        """The rows that go into results, in order."""
        found = set(results)
        waiting = list(results)
        while waiting:
            for a in self.rows[waiting.pop()].args:
                if a not in found:
                    found.add(a)
                    waiting.append(a)
        return sorted(found)

    def never(self) -> int:
        """False, everywhere."""
        return self.constant(False, bool)
