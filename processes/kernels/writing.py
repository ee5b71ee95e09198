"""What is done to the cells of a tile before it is written: with NumPy for little work, else in compiled passes.

NumPy and the loops give the same numbers to the last bit, as test_writing shows: each pass says in which order it sums.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from processes.kernels.loops import compiled, reads, share, threads, worth, writes

COLD = 50_000_000
"""Cells from which on a loop is worth the 120 MB and the moment that numba takes."""
WARM = 5_000_000
"""The same where numba is there already: then a loop has only to be loaded."""
LOOPED = frozenset(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)) | {
    "float32",
    "float64",
}
"""Types that there are loops for."""
LANES = 512
"""Sums that run side by side: valid value number n goes to sum n modulo this; in the end they are added in order."""


@dataclass(frozen=True)
class Figures:
    """What is told of some cells."""

    count: int
    """How many of them are valid: neither infinite nor no-data."""
    least: Any
    """The least valid one."""
    greatest: Any
    """The greatest valid one."""
    mean: float
    """The mean of the valid ones."""
    squares: float
    """The sum of their squared deviations from it."""


def figures(cells: np.ndarray, nodata: float | None) -> Figures:
    """Count, ends, mean and squared deviations; without valid cells only the count means anything."""
    flat = np.ascontiguousarray(cells).reshape(-1)
    gap = _gap(flat.dtype, nodata)
    kind = flat.dtype.name
    types = (reads(kind, 1), "boolean", kind, writes(kind, 2), writes(np.float64, 1))
    if kind not in LOOPED or not _worth(gauge, types, flat):
        return figures_by_numpy(flat, gap)
    ends, found = np.empty((2, LANES), kind), np.empty(3)
    ends[0], ends[1] = _limits(flat.dtype)
    compiled(gauge, *types)(flat, gap is None, flat.dtype.type(gap or 0), ends, found)
    return Figures(int(found[0]), ends[0].min(), ends[1].max(), float(found[1]), float(found[2]))


def figures_by_numpy(flat: np.ndarray, gap: int | None) -> Figures:
    """The same; `gap` is the integer that is no-data."""
    values = flat
    if gap is not None or flat.dtype.kind == "f":
        valid = np.isfinite(flat) if gap is None else flat != gap
        values = flat if valid.all() else flat[valid]
    if values.size == 0:
        return Figures(0, np.nan, np.nan, np.nan, np.nan)
    with np.errstate(over="ignore", invalid="ignore"):
        wide = values.astype(np.float64)
        mean = _summed(wide) / values.size
        wide -= mean
        squares = _summed(np.square(wide, out=wide))
    return Figures(values.size, values.min(), values.max(), mean, squares)


def _summed(values: np.ndarray) -> float:
    """A sum, in the order that `LANES` says."""
    full = values.size // LANES * LANES
    lanes = np.add.reduce(values[:full].reshape(-1, LANES), axis=0, initial=0.0)
    lanes[: values.size - full] += values[full:]
    return float(np.add.accumulate(lanes)[-1])


def gauge(cells, free, gap, ends, found):  # type: ignore[no-untyped-def]
    """Count, mean and squared deviations of cells in a row; their ends by lane, from those that `ends` begins with."""
    sums, low, high = np.zeros(LANES), ends[0], ends[1]
    values, count = np.empty_like(cells), 0
    for k in range(cells.size):
        value = cells[k]
        values[count] = value
        if free:
            count += 1 if value - value == 0 else 0
        else:
            count += 1 if value != gap else 0
    for start in range(0, count, LANES):
        part = values[start : min(start + LANES, count)]
        for k in range(part.size):
            value = part[k]
            sums[k] += value
            low[k] = value if value < low[k] else low[k]
            high[k] = value if value > high[k] else high[k]
    total = 0.0
    for k in range(LANES):
        total += sums[k]
        sums[k] = 0.0
    mean = total / count
    for start in range(0, count, LANES):
        part = values[start : min(start + LANES, count)]
        for k in range(part.size):
            apart = part[k] - mean
            sums[k] += apart * apart
    squares = 0.0
    for k in range(LANES):
        squares += sums[k]
    found[0], found[1], found[2] = count, mean, squares


def halved_mean(cells: np.ndarray) -> np.ndarray:
    """The mean of two by two cells; NaNs are left out, four of them give NaN.

    It is a sum in the cells' own type, first of columns, then of rows; where that has no finite end, a sum of shares
    in double precision.
    """
    cells = np.ascontiguousarray(cells)
    kind = cells.dtype.name
    types = (reads(kind, 2), kind, writes(kind, 2))
    if not _worth(halve, types, cells):
        return halved_by_numpy(cells)
    out = np.empty((cells.shape[0] // 2, cells.shape[1] // 2), cells.dtype)
    compiled(halve, *types)(cells, cells.dtype.type(0.25), out)
    return out


def halved_by_numpy(cells: np.ndarray) -> np.ndarray:
    """The same."""
    with np.errstate(over="ignore", invalid="ignore"):
        pairs = cells[::2] + cells[1::2]
        means = pairs[:, ::2] + pairs[:, 1::2]
        odd = ~np.isfinite(means)
        means *= cells.dtype.type(0.25)
        if odd.any():
            there = (cells == cells).view(np.uint8)
            columns = there[::2] + there[1::2]
            counts = columns[:, ::2] + columns[:, 1::2]
            means[counts == 0] = np.nan
            odd &= counts > 0
            means[odd] = _shares(cells, odd, counts[odd])
        return np.asarray(means)


def _shares(cells: np.ndarray, odd: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The sum of shares of two by two cells, for the odd ones of them; `counts` says how many cells have a value."""
    total = np.zeros(counts.shape)
    for corner in (cells[::2, ::2], cells[::2, 1::2], cells[1::2, ::2], cells[1::2, 1::2]):
        value = corner[odd].astype(np.float64)
        total += np.where(np.isnan(value), 0.0, value / counts)
    return total


def halve(cells, quarter, out):  # type: ignore[no-untyped-def]
    """Means of two by two cells: rows without gaps first, then what has no finite sum once more."""
    for y in range(out.shape[0]):
        above, below, made = cells[2 * y], cells[2 * y + 1], out[y]
        odd = 0
        for x in range(made.size):
            total = (above[2 * x] + below[2 * x]) + (above[2 * x + 1] + below[2 * x + 1])
            made[x] = total * quarter
            odd += 0 if total - total == 0 else 1
        if odd == 0:
            continue
        for x in range(made.size):
            a, b, c, d = above[2 * x], above[2 * x + 1], below[2 * x], below[2 * x + 1]
            total = (a + c) + (b + d)
            if total - total == 0:
                continue
            count = (a == a) + (b == b) + (c == c) + (d == d)
            share = 0.0
            for value in (a, b, c, d):
                share += value / float(count) if value == value else 0.0
            made[x] = share if count else np.nan


def halved(cells: np.ndarray) -> np.ndarray:
    """Half as many rows and columns, rounded up, over the same ground: means of the cells below, by their shares.

    Where there is an odd number of cells, new ones are a little less than two wide: between two cells of the old ones
    they have shares of. NaNs are left out; where there is nothing else, NaN stays.
    """
    rows, columns = cells.shape
    if rows % 2 == 0 and columns % 2 == 0:
        return halved_mean(cells)
    cells = np.ascontiguousarray(cells)
    kind = cells.dtype.name
    down, across = shares(rows), shares(columns)
    types = (reads(kind, 2), reads(np.float64, 2), reads(np.float64, 2), writes(kind, 2), "int64", "int64")
    if not _worth(shrink, types, cells):
        return shrunk_by_numpy(cells, down, across)
    out, loop = np.empty((len(down), len(across)), cells.dtype), compiled(shrink, *types)
    share(lambda first, last: loop(cells, down, across, out, first, last), len(down), threads(cells.size))
    return out


def shares(count: int) -> np.ndarray:
    """For each new cell along an axis how much of the cells 2i - 1, 2i, 2i + 1 is in it, (cell, 3)."""
    half = -(-count // 2)
    if count % 2 == 0:
        return np.tile([0.0, 1.0, 1.0], (half, 1))
    place = np.arange(half)
    return np.stack([place / half, np.ones(half), 1 - (place + 1) / half], axis=1)


def shrunk_by_numpy(cells: np.ndarray, down: np.ndarray, across: np.ndarray) -> np.ndarray:
    """The same."""
    total, weight = np.zeros((2, len(down), len(across)))
    wide = np.pad(cells, ((1, 2), (1, 2)), constant_values=np.nan)
    with np.errstate(invalid="ignore", over="ignore"):
        for i, j in np.ndindex(3, 3):
            part = wide[i : i + 2 * len(down) : 2, j : j + 2 * len(across) : 2].astype(np.float64)
            share = np.where(np.isnan(part), 0.0, down[:, i, None] * across[:, j])
            total += np.where(share == 0, 0.0, share * part)
            weight += share
        return np.where(weight > 0, total / weight, np.nan).astype(cells.dtype)


def shrink(cells, down, across, out, first, last):  # type: ignore[no-untyped-def]
    """Some rows of means by shares of up to three by three cells."""
    height, width = cells.shape
    for y in range(first, last):
        for x in range(out.shape[1]):
            total, weight = 0.0, 0.0
            for i in range(3):
                r = 2 * y - 1 + i
                if down[y, i] == 0 or r < 0 or r >= height:
                    continue
                for j in range(3):
                    c = 2 * x - 1 + j
                    if across[x, j] == 0 or c < 0 or c >= width:
                        continue
                    value = float(cells[r, c])
                    if value == value:
                        share = down[y, i] * across[x, j]
                        total += share * value
                        weight += share
            out[y, x] = total / weight if weight > 0 else np.nan


def byte_planes(cells: np.ndarray, out: np.ndarray) -> None:
    """TIFF's predictor for floats: in each row the first bytes of all cells, then the second ones...; as differences.

    Args:
        cells: (rows, columns), of floats.
        out: Bytes of a tile, (side, side * bytes of a cell); beyond the cells the last of each row and column is repeated.
    """
    whole = np.ascontiguousarray(cells).view(f"u{cells.dtype.itemsize}")
    types = (reads(whole.dtype, 2), writes(np.uint8, 3))
    if not _worth(spread, types, whole):
        planes_by_numpy(whole, out)
        return
    compiled(spread, *types)(whole, out.reshape(out.shape[0], cells.dtype.itemsize, -1))


def planes_by_numpy(whole: np.ndarray, out: np.ndarray) -> None:
    """The same, of the bits of floats as whole numbers."""
    rows, columns = whole.shape
    size = whole.dtype.itemsize
    parts = np.ascontiguousarray(whole, f"<u{size}").view(np.uint8).reshape(rows, columns, size)
    planes = np.empty((rows, size, out.shape[1] // size), np.uint8)
    planes[:, :, :columns] = parts.transpose(0, 2, 1)[:, ::-1]
    planes[:, :, columns:] = planes[:, :, columns - 1 : columns]
    differences(planes.reshape(rows, -1), out)


def spread(cells, out):  # type: ignore[no-untyped-def]
    """The differences of the bytes, (side, byte, side)."""
    rows, columns, side = cells.shape[0], cells.shape[1], out.shape[2]
    for y in range(out.shape[0]):
        row, made = cells[min(y, rows - 1)], out[y].reshape(-1)
        for k in range(out.shape[1]):
            line, shift = out[y, k], 8 * (out.shape[1] - 1 - k)
            for x in range(columns):
                line[x] = np.uint8(row[x] >> shift)
            for x in range(columns, side):
                line[x] = line[columns - 1]
        for x in range(made.size - 1, 0, -1):
            made[x] -= made[x - 1]


def differences(cells: np.ndarray, out: np.ndarray) -> None:
    """Each cell less its left neighbour; integers wrap, and that is meant. Beyond the cells the last ones are repeated."""
    rows, columns = cells.shape
    made = out[:rows]
    made[:, 0] = cells[:, 0]
    np.subtract(cells[:, 1:], cells[:, :-1], out=made[:, 1:columns])
    made[:, columns:] = 0
    out[rows:] = out[rows - 1]


def _worth(loop: Any, types: tuple[str, ...], cells: np.ndarray) -> bool:
    return worth(loop, types, cells.size / (WARM if "numba" in sys.modules else COLD))


def _gap(dtype: np.dtype[Any], nodata: float | None) -> int | None:
    """The integer that is no-data; None for floats, and where the type has no such number."""
    if dtype.kind not in "iu" or nodata is None or not math.isfinite(nodata) or nodata != int(nodata):
        return None
    low, high = _limits(dtype)
    return int(nodata) if high <= nodata <= low else None


def _limits(dtype: np.dtype[Any]) -> tuple[Any, Any]:
    """What nothing is greater than, and what nothing is less than."""
    if dtype.kind == "f":
        return dtype.type(np.inf), dtype.type(-np.inf)
    info: Any = np.iinfo(dtype)
    return dtype.type(info.max), dtype.type(info.min)
