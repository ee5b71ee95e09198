"""Medians and quantiles of all cells of the plane, by their place in the order of these, a part at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from processes.cubes.cells import Coding
from processes.kernels.ranks import Search, passes
from processes.reducers import between, placed, shares_of
from processes.types import UNSET


@dataclass(frozen=True)
class Order:
    """A quantile of numbers, as `quantile` of the reducers defines it."""

    share: float
    """How many of the numbers lie below it, from 0 to 1."""
    ignore_nodata: bool
    before: Coding
    """How cells are stored."""
    after: Coding
    """How results are stored."""

    def __str__(self) -> str:
        return "median" if self.share == 0.5 else f"quantile {self.share:g}"

    @property
    def passes(self) -> int:
        """How often all cells are looked at, at most."""
        return passes(self.keyed)

    @property
    def keyed(self) -> np.dtype[Any]:
        """The type that numbers are compared in: of integers with 64 bits the floats that statistics take them for."""
        wide = self.before.dtype.kind in "iu" and self.before.dtype.itemsize == 8
        return np.dtype(np.float64) if wide else self.before.dtype

    @property
    def counted(self) -> np.dtype[Any]:
        """The type that is computed in."""
        return self.before.dtype if self.before.dtype.kind == "f" else np.dtype(np.float64)

    def search(self, room: int) -> Search:
        """Looks for the two numbers that it lies between; `room` numbers may be held."""
        return Search(self.keyed, self.places, room)

    def places(self, count: int) -> Sequence[int]:
        """Their places among so many."""
        low, _ = placed(self.share, count - 1, self.counted)
        return int(low), min(int(low) + 1, count - 1)

    def valid(self, cells: np.ndarray) -> np.ndarray:
        """The numbers among stored cells."""
        if cells.dtype.kind == "f":
            return cells[~np.isnan(cells)]
        given = cells.ravel() if self.before.nodata is None else cells[cells != self.before.nodata]
        return given.astype(self.keyed, copy=False)

    def finished(self, search: Search, cells: int) -> Any:
        """The result as it is stored, of so many cells."""
        if not search.found or (search.count < cells and not self.ignore_nodata):
            return self.after.encode(None, ())[()]
        below, above = np.asarray(search.found, dtype=self.counted)
        _, rest = placed(self.share, search.count - 1, self.counted)
        with np.errstate(invalid="ignore"):
            return between(below, above, rest).astype(self.after.dtype)[()]


def order_of(reducer: Any, before: Coding, after: Coding) -> Order | None:
    """The quantile that a reducer is; `None` where it is something else, or cells are no plain numbers.

    Reducers that are one process on their data, or one element of what it gives, say so in their `statistic`.
    """
    told: tuple[str, Mapping[str, Any]] | None = getattr(reducer, "statistic", None)
    name, args = told or ("", {})
    ignore = args.get("ignore_nodata", True)
    plain = before.dtype.kind in "iuf" and not before.logical and after.dtype.kind == "f"
    if not plain or not isinstance(ignore, bool):
        return None
    if name == "median" and not set(args) - {"ignore_nodata"}:
        return Order(0.5, ignore, before, after)
    if name == "quantiles" and "element" in args:
        shares = shares_of(args.get("probabilities", UNSET), args.get("q", UNSET))
        at = args["element"]
        if isinstance(at, int) and 0 <= at < len(shares):
            return Order(float(shares[at]), ignore, before, after)
    return None
