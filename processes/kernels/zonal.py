"""What comes of the cells of zones: sums or extremes, and how many there are; with NumPy or compiled.

The cells of a zone are runs in a plane, so that memory is read as it lies. Zones may share cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from processes.kernels.loops import compiled, made_of, reads, share, threads, worth, writes

ENOUGH = 40_000_000
"""Cells of zones from which on NumPy takes longer than importing numba and loading the loop."""
KINDS = {"sum": 0, "mean": 0, "min": 1, "max": 2}
"""What is kept of the cells for a statistic: their sum, the smallest, the greatest."""
NEUTRAL = (0.0, np.inf, -np.inf)
"""What stands for each where there is no cell."""


@dataclass(frozen=True, eq=False)
class Runs:
    """The cells of zones in a plane."""

    first: np.ndarray
    """For each zone the number of its first run, and how many runs there are in all."""
    starts: np.ndarray
    """For each run the flat place of its first cell."""
    lengths: np.ndarray
    """For each run its number of cells."""

    def __len__(self) -> int:
        return len(self.first) - 1

    @cached_property
    def cells(self) -> np.ndarray:
        """The flat places of all cells, zone after zone."""
        before = np.cumsum(self.lengths) - self.lengths
        within: np.ndarray = np.arange(self.lengths.sum()) - np.repeat(before, self.lengths)
        return np.repeat(self.starts, self.lengths) + within

    @cached_property
    def counts(self) -> np.ndarray:
        """How many cells each zone has."""
        sums = np.append(0, np.cumsum(self.lengths))
        return sums[self.first[1:]] - sums[self.first[:-1]]


def runs(cells: np.ndarray, counts: np.ndarray) -> Runs:
    """The runs of zones, of each of which there are so many cells (flat places, ascending), one zone after the other."""
    begins = np.zeros(len(cells), bool)
    begins[:1] = True
    begins[1:] = np.diff(cells) != 1
    edges = np.append(0, np.cumsum(counts))
    begins[edges[:-1][counts > 0]] = True
    at = np.flatnonzero(begins)
    lengths = np.diff(np.append(at, len(cells)))
    return Runs(np.searchsorted(at, edges), cells[at].astype(np.int64), lengths)


@dataclass(frozen=True)
class Tally:
    """What is kept of the cells of zones."""

    statistic: str
    """The name of a statistic."""
    nodata: int | None
    """The integer that is no-data; floats have NaN."""

    @property
    def kind(self) -> int:
        """Which number is kept."""
        return KINDS[self.statistic]

    def __call__(self, cells: np.ndarray, runs: Runs, *, alone: bool = False) -> np.ndarray:
        """The sum or an extreme, how many cells have data, how many are finite: (3, zone, ...) of cells (..., y, x)."""
        flat = np.require(cells, requirements=["C", "A"]).reshape(-1, cells.shape[-2] * cells.shape[-1])
        out = np.zeros((3, len(runs), len(flat)))
        out[0] = NEUTRAL[self.kind]
        work = int(runs.lengths.sum()) * len(flat)
        types = self.types(cells.dtype)
        if not worth(tally, types, work / ENOUGH):
            for plane, numbers in enumerate(flat):
                self.by_numpy(numbers, runs, out[:, :, plane])
        else:
            loop = compiled(tally, *types)
            gap = cells.dtype.type(0 if self.nodata is None else self.nodata)
            told = (self.kind, self.nodata is not None, gap)

            def run(first: int, last: int) -> None:
                loop(flat, runs.first, runs.starts, runs.lengths, *told, out, first, last)

            share(run, len(runs), threads(work) if alone else 1)
        return out.reshape(3, len(runs), *cells.shape[:-2])

    def types(self, dtype: np.dtype[Any]) -> tuple[str, ...]:
        """The types of the loop's arguments."""
        places = (reads(np.int64, 1),) * 3
        told = ("int64", "boolean", dtype.name)
        return (reads(dtype, 2), *places, *told, writes(np.float64, 3), "int64", "int64")

    def by_numpy(self, numbers: np.ndarray, runs: Runs, out: np.ndarray) -> None:
        """The same for one plane."""
        some = runs.counts > 0
        if not some.any():
            return
        starts = (np.cumsum(runs.counts) - runs.counts)[some]
        found = numbers[runs.cells]
        given = found.astype(np.float64)
        valid = ~np.isnan(given) if self.nodata is None else found != self.nodata
        reduce: Any = (np.add, np.minimum, np.maximum)[self.kind]
        with np.errstate(invalid="ignore"):
            out[0, some] = reduce.reduceat(np.where(valid, given, NEUTRAL[self.kind]), starts)
        out[1, some] = np.add.reduceat(valid, starts, dtype=np.float64)
        out[2, some] = np.add.reduceat(valid & np.isfinite(given), starts, dtype=np.float64)


def added(plane, starts, lengths, first, last):  # type: ignore[no-untyped-def]
    """The sum of runs of cells; four sums at once, so that none waits for the one before."""
    one, two, three, four = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
    a, b, c, d = 0.0, 0.0, 0.0, 0.0
    for r in range(first, last):
        start, whole = np.uint64(starts[r]), np.uint64(starts[r] + lengths[r] // 4 * 4)
        for i in range(start, whole, four):
            a += plane[i]
            b += plane[i + one]
            c += plane[i + two]
            d += plane[i + three]
        for i in range(whole, np.uint64(starts[r] + lengths[r])):
            a += plane[i]
    return (a + b) + (c + d)


def kept(plane, starts, lengths, first, last, kind, gapped, gap):  # type: ignore[no-untyped-def]
    """The sum (as `added` gives it) or an extreme of runs of cells with data, how many have, how many are finite."""
    a, b, c, d = 0.0, 0.0, 0.0, 0.0
    best = np.inf if kind == 1 else -np.inf
    valid, finite = 0, 0
    for r in range(first, last):
        cells = plane[starts[r] : starts[r] + lengths[r]]
        for i in range(cells.size):
            known = cells[i] == cells[i] and not (gapped and cells[i] == gap)
            valid += known
            finite += known and abs(cells[i]) < np.inf
        if kind == 1:
            for i in range(cells.size):
                if cells[i] < best and not (gapped and cells[i] == gap):
                    best = np.float64(cells[i])
        elif kind == 2:
            for i in range(cells.size):
                if cells[i] > best and not (gapped and cells[i] == gap):
                    best = np.float64(cells[i])
        else:
            whole = cells.size - cells.size % 4
            for i in range(0, whole, 4):
                e, f, g, h = cells[i], cells[i + 1], cells[i + 2], cells[i + 3]
                a += e if e == e and not (gapped and e == gap) else 0
                b += f if f == f and not (gapped and f == gap) else 0
                c += g if g == g and not (gapped and g == gap) else 0
                d += h if h == h and not (gapped and h == gap) else 0
            for i in range(whole, cells.size):
                e = cells[i]
                a += e if e == e and not (gapped and e == gap) else 0
    return best if kind else (a + b) + (c + d), valid, finite


@made_of(added, kept)
def tally(  # type: ignore[no-untyped-def]
    planes, firsts, starts, lengths, kind, gapped, gap, out, first, last
):
    """What is kept of some zones, in all planes. Sums that are finite tell that all cells have data and are finite."""
    for zone in range(first, last):
        begin, end = firsts[zone], firsts[zone + 1]
        cells = lengths[begin:end].sum()
        for p in range(planes.shape[0]):
            value, valid, finite = np.inf, cells, cells
            if kind == 0 and not gapped:
                value = added(planes[p], starts, lengths, begin, end)
            if not abs(value) < np.inf:
                value, valid, finite = kept(planes[p], starts, lengths, begin, end, kind, gapped, gap)
            out[0, zone, p], out[1, zone, p], out[2, zone, p] = value, valid, finite
