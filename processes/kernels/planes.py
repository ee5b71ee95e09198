"""Planes of an array as loops read them: memory without gaps, and where in it each plane and each row begins.

So a part of a larger array need not be copied, as long as its rows lie in one piece.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import as_strided


@dataclass(frozen=True, eq=False)
class Planes:
    """Planes in memory."""

    memory: np.ndarray
    """Numbers, from the first of the planes' to the last; there may be others between them."""
    starts: np.ndarray
    """For each plane the place of its first number."""
    step: int
    """Places from row to row."""


def planes_of(cells: np.ndarray) -> Planes:
    """The planes of an array (..., y, x); copied only where its rows are in pieces."""
    if not in_rows(cells):
        cells = np.require(cells, requirements=["C", "A"])
    size = cells.itemsize
    steps = [s // size for s in cells.strides]
    last = sum(s * (n - 1) for s, n in zip(steps, cells.shape, strict=True)) if cells.size else -1
    memory = as_strided(cells, (last + 1,), (size,), writeable=False)
    starts = np.zeros(cells.shape[:-2], np.int64)
    for axis, (step, n) in enumerate(zip(steps[:-2], cells.shape[:-2], strict=True)):
        starts += (step * np.arange(n)).reshape(-1, *(1,) * (starts.ndim - axis - 1))
    return Planes(memory, starts.reshape(-1), steps[-2])


def in_rows(cells: np.ndarray) -> bool:
    """Do the numbers of each row lie one after the other, and all of them forwards and in whole steps?"""
    size = cells.itemsize
    forwards = all(s >= 0 and s % size == 0 for s in cells.strides)
    return forwards and cells.strides[-1] == size and cells.flags.aligned and cells.dtype.isnative
