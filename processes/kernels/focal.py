"""Weighted sums of cells and their neighbours: with NumPy for small work, else in one compiled pass; the same numbers.

Sums are in double precision, or in integers of 64 bits where they may not fit into it. They run over the weights row
by row, and each product is rounded before it is added: that NumPy, the loop, and all cuts into blocks agree to the
last bit, test_focal shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from processes.kernels.loops import compiled, made_of, reads, share, threads, worth, writes
from processes.kernels.planes import planes_of

ENOUGH = 100_000_000
"""Products from which on NumPy takes longer than importing numba and loading the loop."""
ROUNDING = 4 * float(np.finfo(np.float64).eps)
"""Relative difference of weights that are the same but for rounding."""


@dataclass(frozen=True, eq=False)
class Focal:
    """Weights that move over planes of stored numbers."""

    weights: np.ndarray
    """Rows of weights; odd numbers of both."""
    factor: float
    """What sums are multiplied by."""
    border: float
    """What stands in places that are none of the plane's."""
    replacement: float
    """What stands for invalid numbers: those that are not finite, or no-data."""
    dtype: np.dtype[Any]
    """Type of the results. Where it is one of integers, no sum is beyond it."""
    nodata: int | None = None
    """The integer that is no-data; `None` where there is none."""
    logical: bool = False
    """Does every number but 1 count as 0?"""

    @cached_property
    def parts(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Weights for columns of sums of rows, where there are such; integers of 64 bits are summed cell by cell."""
        if self.work.kind != "f":
            return None
        return parts(self.weights, whole=self.dtype.kind != "f")

    @property
    def work(self) -> np.dtype[Any]:
        """Type of the sums."""
        return np.dtype(np.int64 if self.dtype == np.int64 else np.float64)

    def __call__(
        self, cells: np.ndarray, rows: np.ndarray, columns: np.ndarray, *, alone: bool = False
    ) -> np.ndarray:
        """The sums (..., y, x) for stored numbers (..., y, x).

        Args:
            cells: Integers, booleans or floats.
            rows: For each row of the result, and those around that the weights reach, the row of `cells`; -1 where
                there is none.
            columns: The same for columns.
            alone: May several threads be used?
        """
        shape = tuple(
            max(0, len(w) - k + 1) for w, k in zip((rows, columns), self.weights.shape, strict=True)
        )
        out = np.empty((*cells.shape[:-2], *shape), self.dtype)
        if not out.size:
            return out
        cells = cells.view(np.uint8) if cells.dtype == bool else cells
        types = self.types(cells.dtype)
        if cells.dtype == np.float16 or not worth(weigh, types, out.size * self.weights.size / ENOUGH):
            out[...] = self.by_numpy(cells, rows, columns, shape)
            return out
        planes = planes_of(cells)
        made = out.reshape(-1, *shape)
        told = self.told(cells.dtype)
        loop = compiled(weigh, *types)
        where = (np.ascontiguousarray(rows, np.int64), np.ascontiguousarray(columns, np.int64))

        def run(first: int, last: int) -> None:
            loop(planes.memory, planes.starts, planes.step, *where, *told, made, first, last)

        share(run, shape[0], threads(out.size) if alone else 1)
        return out

    def types(self, dtype: np.dtype[Any]) -> tuple[str, ...]:
        """The types of the loop's arguments."""
        work = self.work.name
        gap = ("boolean", dtype.name, "boolean")
        planes = (reads(dtype, 1), reads(np.int64, 1), "int64")
        places = (reads(np.int64, 1),) * 2
        weights = (reads(self.work, 2), reads(self.work, 1))
        numbers = (work, work, work)
        return (*planes, *places, *weights, *numbers, *gap, writes(self.dtype, 3), "int64", "int64")

    def told(self, dtype: np.dtype[Any]) -> tuple[Any, ...]:
        """What the loop is told besides arrays of cells."""
        kind = self.work.type
        numbers = (kind(self.factor), kind(self.border), kind(self.replacement))
        gap = dtype.type(0 if self.nodata is None else self.nodata)
        down, across = self.parts or (self.weights, np.zeros(0))
        weights = (np.ascontiguousarray(w, self.work) for w in (down, across))
        return (*weights, *numbers, self.nodata is not None, gap, self.logical)

    def by_numpy(
        self, cells: np.ndarray, rows: np.ndarray, columns: np.ndarray, shape: tuple[int, ...]
    ) -> np.ndarray:
        """The same sums, one weight after the other over whole planes."""
        numbers = laid(self.numbers(cells), rows, columns, self.work.type(self.border))
        weights = self.weights
        if self.parts:
            weights, across = self.parts
            numbers = summed(numbers, across[None].astype(self.work), (len(rows), shape[1]))
        total = summed(numbers, weights.astype(self.work), shape)
        scaled: np.ndarray = (total * self.work.type(self.factor)).astype(self.dtype)
        return scaled

    def numbers(self, cells: np.ndarray) -> np.ndarray:
        """Finite numbers in the type of the sums."""
        given = (cells == 1 if self.logical else cells).astype(self.work)
        if cells.dtype.kind == "f":
            return np.where(np.isfinite(given), given, self.work.type(self.replacement))
        if self.nodata is None:
            return given
        return np.where(cells == self.nodata, self.work.type(self.replacement), given)


def summed(numbers: np.ndarray, weights: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The sums of numbers (..., y, x) in such a plane."""
    total = np.zeros((*numbers.shape[:-2], *shape), numbers.dtype)
    for (i, j), weight in np.ndenumerate(weights):
        if weight:
            total += numbers[..., i : i + shape[0], j : j + shape[1]] * weight
    return total


def parts(weights: np.ndarray, *, whole: bool) -> tuple[np.ndarray, np.ndarray] | None:
    """A column (n, 1) and a row of weights whose products are these; `None` where there are none.

    Sums of columns of sums of rows take fewer products, and as many roundings of each.

    Args:
        weights: Rows of weights.
        whole: Have the weights of the column and the row to be whole numbers?
    """
    height, width = weights.shape
    if height * width <= 3 * (height + width) // 2 or not weights.any():
        return None
    given = weights.astype(np.float64)
    i, j = np.unravel_index(np.argmax(np.abs(given)), given.shape)
    row = given[i] / (np.gcd.reduce(np.abs(given[i]).astype(np.int64)) if whole else given[i, j])
    column = given[:, [j]] / row[j]
    if whole and (column % 1).any():
        return None
    return (column, row) if (np.abs(column * row - given) <= ROUNDING * np.abs(given)).all() else None


def laid(numbers: np.ndarray, rows: np.ndarray, columns: np.ndarray, border: Any) -> np.ndarray:
    """Numbers (..., y, x) in these rows and columns; `border` where there are none."""
    if not numbers.shape[-2] or not numbers.shape[-1]:
        return np.full((*numbers.shape[:-2], len(rows), len(columns)), border)
    out = np.take(np.take(numbers, rows, axis=-2, mode="clip"), columns, axis=-1, mode="clip")
    out[..., rows < 0, :] = border
    out[..., columns < 0] = border
    return out


# ------------------------------------------------------------------------------------------- compiled
def add(total, line, weights):  # type: ignore[no-untyped-def]
    """Add what a line gives; five weights at a time, so that they stay in registers."""
    j = 0
    while j + 5 <= weights.size:
        a, b, c, d, e = weights[j], weights[j + 1], weights[j + 2], weights[j + 3], weights[j + 4]
        part = line[j:]
        for x in range(total.size):
            s = total[x] + a * part[x]
            s = s + b * part[x + 1]
            s = s + c * part[x + 2]
            s = s + d * part[x + 3]
            total[x] = s + e * part[x + 4]
        j += 5
    while j < weights.size:
        a = weights[j]
        part = line[j:]
        for x in range(total.size):
            total[x] = total[x] + a * part[x]
        j += 1


def read(stored, gapped, gap, logical, replacement, numbers):  # type: ignore[no-untyped-def]
    """Stored cells as numbers, with another one for those that are invalid."""
    if logical:
        for x in range(numbers.size):
            numbers[x] = replacement if gapped and stored[x] == gap else stored[x] == 1
    elif gapped:
        for x in range(numbers.size):
            numbers[x] = replacement if stored[x] == gap else stored[x]
    else:
        for x in range(numbers.size):
            numbers[x] = stored[x] if abs(stored[x]) < np.inf else replacement


def run_of(columns):  # type: ignore[no-untyped-def]
    """Where those columns begin and end that are there and follow each other."""
    left = 0
    while left < columns.size and columns[left] < 0:
        left += 1
    right = left
    while right < columns.size and columns[right] == columns[left] + (right - left):
        right += 1
    return left, right


def lay(row, columns, left, right, border, gapped, gap, logical, replacement, line):  # type: ignore[no-untyped-def]
    """A row of stored cells as numbers in these columns; those that follow each other are read at once."""
    line[:left] = border
    if left < right:
        first = columns[left]
        read(row[first : first + right - left], gapped, gap, logical, replacement, line[left:right])
    for x in range(right, columns.size):
        if columns[x] < 0:
            line[x] = border
        else:
            read(row[columns[x] : columns[x] + 1], gapped, gap, logical, replacement, line[x : x + 1])


def five(result, lines, top, weights, factor):  # type: ignore[no-untyped-def]
    """What five lines of a ring give, of which that at `top` is the first; most kernels that have parts have five."""
    a, b, c, d, e = weights[0, 0], weights[1, 0], weights[2, 0], weights[3, 0], weights[4, 0]
    f, g, h = lines[top % 5], lines[(top + 1) % 5], lines[(top + 2) % 5]
    i, j = lines[(top + 3) % 5], lines[(top + 4) % 5]
    for x in range(result.size):
        s = 0.0 + a * f[x]
        s = s + b * g[x]
        s = s + c * h[x]
        s = s + d * i[x]
        result[x] = (s + e * j[x]) * factor


@made_of(add, read, run_of, lay, five)
def weigh(  # type: ignore[no-untyped-def]
    memory, starts, step, rows, columns, weights, across, factor, border, replacement, gapped, gap, logical,
    out, first, last,
):  # fmt: skip
    """The sums of some rows of each plane.

    Where `across` has weights, lines are summed with these first, and `weights` has one column for the lines.
    """
    height, count = weights.shape[0], out.shape[2]
    parted = across.size > 0
    width = columns.max() + 1
    laid = np.empty(columns.size, weights.dtype)
    lines = np.empty((height, count if parted else columns.size), weights.dtype)
    total = np.empty(count, weights.dtype)
    left, right = run_of(columns)
    for plane in range(starts.size):
        for y in range(first, last + height - 1):
            line = laid if parted else lines[y % height]
            if rows[y] < 0:
                line[:] = border
            else:
                row = memory[starts[plane] + rows[y] * step :][:width]
                lay(row, columns, left, right, border, gapped, gap, logical, replacement, line)
            if parted:
                lines[y % height] = 0
                add(lines[y % height], line, across)
            if y < first + height - 1:
                continue
            top = y - height + 1
            result = out[plane, top]
            if parted and height == 5:
                five(result, lines, top, weights, factor)
                continue
            total[:] = 0
            for i in range(height):
                add(total, lines[(top + i) % height], weights[i])
            for x in range(count):
                result[x] = total[x] * factor
