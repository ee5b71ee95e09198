"""Deviations and counts of all cells of the plane, a part at a time: first the mean, then the distances from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from processes.cubes.cells import Coding

NAMES = {"count": 1, "variance": 2, "sd": 2}
"""What can be found so, and how many passes it takes."""


@dataclass
class Sums:
    """The sum of numbers, and of the squares of their distances from the mean: stable for large offsets."""

    passes: int
    """One for the sum alone, two for both."""
    count: int = 0
    """How many numbers there are."""
    total: float = 0.0
    squares: float = 0.0
    passed: int = 0
    """How many passes are over."""
    found: list[Any] | None = None
    """The number of numbers, and the sum of squares, when they are known."""

    def take(self, numbers: np.ndarray) -> None:
        """Look at some of the numbers; each is shown once in a pass."""
        with np.errstate(invalid="ignore"):
            if not self.passed:
                self.count += numbers.size
                self.total += float(np.sum(numbers, dtype=np.float64))
            else:
                away = numbers - np.float64(self.total / self.count)
                self.squares += float(np.sum(away * away, dtype=np.float64))

    def over(self) -> bool:
        """End a pass; tells whether all is known."""
        self.passed += 1
        if self.passed >= self.passes or not self.count:
            self.found = [self.count, self.squares]
        return self.found is not None


@dataclass(frozen=True)
class Spread:
    """The variance of numbers, its square root, or how many there are, as the reducers of these names define it."""

    name: str
    ignore_nodata: bool
    before: Coding
    """How cells are stored."""
    after: Coding
    """How results are stored."""

    keyed = np.dtype(np.float64)
    """The type that is computed in."""

    def __str__(self) -> str:
        return self.name

    @property
    def passes(self) -> int:
        """How often all cells are looked at."""
        return NAMES[self.name]

    def search(self, room: int) -> Sums:  # noqa: ARG002 (of those that hold cells)
        """Adds up; no cell is held."""
        return Sums(self.passes)

    def valid(self, cells: np.ndarray) -> np.ndarray:
        """The numbers among stored cells; only finite ones count."""
        if cells.dtype.kind == "f":
            return cells[np.isfinite(cells) if self.name == "count" else ~np.isnan(cells)]
        return cells.ravel() if self.before.nodata is None else cells[cells != self.before.nodata]

    def finished(self, search: Sums, cells: int) -> Any:
        """The result as it is stored, of so many cells."""
        if self.name == "count":
            return self.after.dtype.type(search.count)
        if not search.count or (search.count < cells and not self.ignore_nodata):
            return self.after.encode(None, ())[()]
        with np.errstate(invalid="ignore", divide="ignore"):
            variance = np.float64(search.squares) / (search.count - 1)
            return self.after.dtype.type(np.sqrt(variance) if self.name == "sd" else variance)


def spread_of(reducer: Any, before: Coding, after: Coding) -> Spread | None:
    """What a reducer is of these, as its `statistic` says; `None` where it is none, or cells are no plain numbers."""
    told: tuple[str, Mapping[str, Any]] | None = getattr(reducer, "statistic", None)
    name, args = told or ("", {})
    ignore = args.get("ignore_nodata", True)
    plain = before.dtype.kind in "iuf" and not before.logical and after.nodata is None
    fits = after.dtype.kind == ("i" if name == "count" else "f")
    allowed = set() if name == "count" else {"ignore_nodata"}
    if name not in NAMES or not (plain and fits and isinstance(ignore, bool)) or set(args) - allowed:
        return None
    return Spread(name, ignore, before, after)
