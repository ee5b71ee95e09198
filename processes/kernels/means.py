"""Means of blocks of cells, so many rows and columns each, that have data.

What comes out is what GDAL's warp gives by `average`: whole numbers are rounded to the nearest, halves upward; a mean
that happens to be the number for no-data gives way to the one beside it; a block that goes beyond the cells takes the
outermost of them for what is missing.
"""

from __future__ import annotations

import numpy as np

AT_ONCE = 2**17
"""Cells that are added up at once: few enough for the processor's cache, and next to nothing in memory."""


def block_means(
    values: np.ndarray,
    size: tuple[int, int],
    before: tuple[int, int],
    shape: tuple[int, int],
    null: float | None,
) -> np.ndarray:
    """The means of blocks, (..., rows of blocks, columns of blocks), of the type of the values.

    Args:
        values: The numbers, (..., y, x), of 32 bits at most unless they are floats.
        size: Rows and columns of a block.
        before: Rows and columns of the first block that come before the values.
        shape: Rows and columns of blocks; those that the values do not reach have no data.
        null: The number that stands for no-data, before and after; where there is none, 0 stands where nothing is.
    """
    out = np.full((*values.shape[:-2], *shape), null or 0, values.dtype)
    given = values.shape[-2:]
    if 0 in given:
        return out
    after = [n * k - b - c for n, k, b, c in zip(shape, size, before, given, strict=True)]
    there = [reached(c, k, b, n) for c, k, b, n in zip(given, size, before, shape, strict=True)]
    lines = max(1, AT_ONCE // (size[0] * size[1] * shape[1]))
    for plane in np.ndindex(values.shape[:-2]):
        cells = values[plane]
        if any((*before, *after)):
            cells = np.pad(cells, list(zip(before, after, strict=True)), mode="edge")
        for start in range(0, shape[0], lines):
            part = cells[start * size[0] : (start + lines) * size[0]]
            strip, rows = out[plane][start : start + lines], there[0][start : start + lines]
            means, known = means_of(part, size, null)
            np.copyto(strip, means, where=known & rows[:, None] & there[1])
    return out


def means_of(cells: np.ndarray, size: tuple[int, int], null: float | None) -> tuple[np.ndarray, np.ndarray]:
    """The means of the blocks of a plane that is made of whole ones, and which blocks have some data."""
    valid = None if null is None else has_data(cells, null)
    if valid is None or valid.all():
        total, count = in_blocks(cells, size), np.array(size[0] * size[1], np.float64)
    else:
        total, count = in_blocks(np.where(valid, cells, 0), size), in_blocks(valid, size)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        means = total / count
        if cells.dtype.kind in "iu":
            means = np.floor(means + 0.5)
        found = means.astype(cells.dtype)
    if null is not None:
        found[found == null] = beside(cells.dtype, null)
    return found, count > 0


def in_blocks(cells: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The sums of blocks; row by row first, which NumPy does fastest."""
    rows, columns = size
    lines = cells.reshape(-1, rows, cells.shape[1]).sum(axis=1, dtype=np.float64)
    total: np.ndarray = lines[:, ::columns].copy()
    for column in range(1, columns):
        total += lines[:, column::columns]
    return total


def reached(length: int, size: int, before: int, count: int) -> np.ndarray:
    """Which blocks along an axis have some of its cells."""
    starts = np.arange(count) * size
    found: np.ndarray = (starts + size > before) & (starts < before + length)
    return found


def has_data(values: np.ndarray, null: float) -> np.ndarray:
    """Which numbers stand for data."""
    found: np.ndarray = ~np.isnan(values) if np.isnan(null) else values != null
    return found


def beside(dtype: np.dtype, null: float) -> float | int:
    """The number below that for no-data, or above it where it is the smallest."""
    if dtype.kind == "f":
        towards = -np.inf if null > np.finfo(dtype).min else np.inf
        return float(np.nextafter(dtype.type(null), dtype.type(towards)))
    return int(null) - 1 if null > np.iinfo(dtype).min else int(null) + 1
