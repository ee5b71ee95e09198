"""Values for each cell, as rows of a sheet, beside shadows of them that the functions themselves are called with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.kernel.sheet import Sheet
from processes.values import Masked, split


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


def told(sheet: Sheet, value: int, null: int, wanted: bool) -> int:
    """Where it is known to be true, or to be false."""
    known = opposite(sheet, null)
    return sheet.do("and", known, value if wanted else opposite(sheet, value), dtype=bool)


def opposite(sheet: Sheet, row: int) -> int:
    """Where it is false."""
    return sheet.do("not", row, dtype=bool)


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
