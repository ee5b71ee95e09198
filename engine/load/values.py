"""Chooses the number type and the no-data value of a cube, so that no valid pixel can be taken for no-data."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.load.model import Source

Say = Callable[[str], None]


@dataclass(frozen=True)
class Values:
    """What the numbers of a cube are."""

    dtype: np.dtype
    """Their type."""
    nodata: float | None
    """The integer that stands for no-data; None for floats (NaN does), and where every pixel has data."""

    @property
    def fill(self) -> float:
        """What a pixel is before anything was read."""
        if self.nodata is not None:
            return self.nodata
        return math.nan if self.dtype.kind in "fc" else 0


def choose_values(
    sources: Iterable[Source], *, nodata: float | None, scaled: bool, gaps: Callable[[], bool], say: Say
) -> Values:
    """Type and no-data value for these sources.

    Args:
        sources: All that will be read.
        nodata: The wished no-data value, if one is wished.
        scaled: Whether scale and offset are applied, which gives floats.
        gaps: Asked only where no source has a no-data value: whether some pixels of the cube have no source.
        say: Takes a line where a choice was made.
    """
    kinds = {(np.dtype(s.dtype), _possible(s.void, np.dtype(s.dtype))) for s in sources}
    dtype = np.result_type(*(dtype for dtype, _ in kinds))
    if scaled:
        dtype = np.result_type(dtype, np.float32)
    if nodata is not None:
        dtype = _holding(dtype, nodata)
    if dtype.kind in "fc":
        return Values(dtype, None)
    if nodata is not None:
        return Values(dtype, int(nodata))
    told = {void for _, void in kinds}
    if told == {None} and not gaps():
        return Values(dtype, None)
    for void in sorted(v for v in told if v is not None):
        if all(own == void or not _holds(kind, void) for kind, own in kinds):
            return Values(dtype, int(void))
    wide, free = _free_value([kind for kind, _ in kinds], dtype)
    say(
        f"{_reason(told)}; the cube is {wide} with no-data {free}, which no band can hold (a wished nodata keeps {dtype})"
    )
    return Values(wide, free)


def _possible(void: float | None, dtype: np.dtype) -> float | None:
    """The no-data value, or None if no pixel of this type can have it."""
    return void if void is not None and _holds(dtype, void) else None


def _holds(dtype: np.dtype, value: float) -> bool:
    if dtype.kind in "fc":
        return True
    limits = np.iinfo(dtype)
    return math.isfinite(value) and value == int(value) and limits.min <= value <= limits.max


def _holding(dtype: np.dtype, nodata: float) -> np.dtype:
    """The smallest type that holds the numbers and their no-data value."""
    if dtype.kind in "fc" or _holds(dtype, nodata):
        return dtype
    if not math.isfinite(nodata) or nodata != int(nodata):
        return np.result_type(dtype, np.float32)
    return np.promote_types(dtype, np.min_scalar_type(int(nodata)))


def _free_value(kinds: Sequence[np.dtype], dtype: np.dtype) -> tuple[np.dtype, int]:
    """A type and a value in it that none of the types reaches."""
    lowest = min(int(np.iinfo(kind).min) for kind in kinds)
    highest = max(int(np.iinfo(kind).max) for kind in kinds)
    limits = np.iinfo(dtype)
    if highest < limits.max:
        return dtype, int(limits.max)
    if limits.min < lowest:
        return dtype, int(limits.min)
    if dtype.itemsize < 8:
        wide = np.dtype(f"int{16 * dtype.itemsize}")
        return wide, -1 if lowest == 0 else int(np.iinfo(wide).min)
    return dtype, int(limits.min if dtype.kind == "i" else limits.max)  # the last type there is


def _reason(told: set[float | None]) -> str:
    if told == {None}:
        return "no band has a no-data value, and not all pixels of the cube are covered"
    names = ", ".join(
        "none" if v is None else f"{v:g}" for v in sorted(told, key=lambda v: (v is None, v or 0))
    )
    return f"the bands have different no-data values ({names})"
