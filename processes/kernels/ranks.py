"""Order statistics of more numbers than fit into memory: counted in bins of their leading bits, pass after pass.

The bits of floats, turned over where the sign is set, are in the order of the numbers. A pass over all numbers counts
those in each bin of the next 16 bits, among those that share the bits before with what is looked for (radix selection,
as in D. E. Knuth, The Art of Computer Programming 3, 5.2.5). As soon as few enough are left, these are taken out whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

BITS = 16
"""Bits that one pass looks at."""
BINS: int = 8 * 2**BITS
"""Bytes of the bins of one pass, for each beginning that is looked at."""


def passes(dtype: np.dtype[Any]) -> int:
    """How many passes are needed at most for numbers of a type."""
    return max(1, dtype.itemsize * 8 // BITS)


def keys(numbers: np.ndarray) -> np.ndarray:
    """Unsigned integers in the order of numbers that are no NaN; of integers, floats of 16 to 64 bits, booleans."""
    bits = 8 * numbers.dtype.itemsize
    plain: Any = np.dtype(f"u{numbers.dtype.itemsize}")
    if numbers.dtype.kind in "ub":
        return numbers.view(plain)
    raw, sign = numbers.view(plain), plain.type(1 << (bits - 1))
    if numbers.dtype.kind == "i":
        return raw ^ sign
    turned: np.ndarray = np.where(raw & sign, ~raw, raw | sign)
    return turned


def number(key: int, dtype: np.dtype[Any]) -> Any:
    """The number of a key, as a scalar of its type."""
    bits = 8 * dtype.itemsize
    sign, every = 1 << (bits - 1), (1 << bits) - 1
    if dtype.kind == "i":
        key ^= sign
    elif dtype.kind == "f":
        key = key ^ sign if key & sign else ~key & every
    return np.array([key], dtype=f"u{dtype.itemsize}").view(dtype)[0]


@dataclass
class Search:
    """Looks for the numbers at some places in the order of a series, which is shown to it as often as it asks."""

    dtype: np.dtype[Any]
    """Type of the numbers."""
    wanted: Callable[[int], Sequence[int]]
    """Gives the places, counted from 0, for how many numbers there are."""
    room: int
    """Numbers that may be taken out whole."""
    count: int = 0
    """How many numbers there are, known after the first pass."""
    found: list[Any] | None = None
    """The numbers, when they are known."""
    passed: int = 0
    """How many passes are over."""
    _bins: dict[int, np.ndarray] = field(default_factory=dict)
    """For each beginning that is looked at how many numbers go on in each way."""
    _taken: dict[int, list[np.ndarray]] = field(default_factory=dict)
    """The keys of all numbers of each beginning, when they are taken out."""
    _places: list[tuple[int, int]] = field(default_factory=list)
    """For each number its beginning, and its place among those that begin so."""
    _whole: bool = False

    @property
    def bits(self) -> int:
        """Bits of a key."""
        return 8 * self.dtype.itemsize

    def take(self, numbers: np.ndarray) -> None:
        """Look at some of the numbers, none of which is NaN; each is shown once in a pass."""
        if self.found is not None or not numbers.size:
            return
        shown = keys(np.ascontiguousarray(numbers))
        if not self.passed:
            self.count += shown.size
            self._counted(0, shown)
            return
        left = self.bits - BITS * self.passed
        begins = shown >> shown.dtype.type(left)
        for beginning in {b for b, _ in self._places}:
            some = shown[begins == beginning]
            if self._whole:
                self._taken.setdefault(beginning, []).append(some)
            else:
                self._counted(beginning, some)

    def _counted(self, beginning: int, shown: np.ndarray) -> None:
        left = max(0, self.bits - BITS * (self.passed + 1))
        bins = min(self.bits, BITS)
        ways = (shown >> shown.dtype.type(left)) & shown.dtype.type((1 << bins) - 1)
        counts = np.bincount(ways.astype(np.intp), minlength=1 << bins)
        self._bins[beginning] = self._bins[beginning] + counts if beginning in self._bins else counts

    def over(self) -> bool:
        """End a pass; tells whether the numbers are known."""
        if self.found is not None:
            return True
        if self._whole:
            return self._picked()
        if not self.passed:
            self._places = [(0, place) for place in self.wanted(self.count)] if self.count else []
        self.passed += 1
        held: dict[int, int] = {}
        places = []
        for beginning, place in self._places:
            counts = self._bins[beginning]
            ends = np.cumsum(counts)
            way = int(np.searchsorted(ends, place, side="right"))
            key = (beginning << min(self.bits, BITS)) | way
            held[key] = int(counts[way])
            places.append((key, place - int(ends[way] - counts[way])))
        self._places, self._bins = places, {}
        if BITS * self.passed >= self.bits or not places:
            self.found = [number(key, self.dtype) for key, _ in places]
        self._whole = sum(held.values()) <= self.room
        return self.found is not None

    def _picked(self) -> bool:
        self.passed += 1
        order = {b: np.sort(np.concatenate(parts)) for b, parts in self._taken.items()}
        self.found = [number(int(order[b][place]), self.dtype) for b, place in self._places]
        self._taken = {}
        return True
