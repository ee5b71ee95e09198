"""Numbers of planes moved to other places: the nearest ones, or what lies between four; with NumPy or compiled.

What comes out is what GDAL's warp gives for cells that do not shrink: a new cell has data where the old one has that
its centre lies in; of the four around it those count that are there and have data, by their weights. NumPy and the
loop give the same numbers to the last bit, as test_moves shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from processes.kernels.loops import compiled, reads, share, threads, worth, writes
from processes.kernels.moving import HAIR, move
from processes.kernels.planes import planes_of

ENOUGH = 5_000_000
"""Cells from which on NumPy takes longer than importing numba and loading the loop."""
LINES = 64
"""Rows that NumPy moves at once: few enough for the processor's cache."""


@dataclass(frozen=True, eq=False)
class Mesh:
    """Where the cells of a part of a new grid lie in an old one: exactly at nodes, between them along parabolas."""

    step: int
    """Cells from node to node."""
    nodes: np.ndarray
    """Columns and rows in the old grid, (2, node, node), of the centre of each `step`th new cell."""
    down: np.ndarray
    """Second differences of the places from node to node along y: how the way between two nodes bends."""
    across: np.ndarray
    """The same along x."""
    patch: int
    """Cells along each side of a patch: a few steps."""
    exact: np.ndarray
    """For each patch its number among those whose cells all have a place of their own, else -1."""
    patches: np.ndarray
    """The places of their cells, (2, number, y, x)."""
    top: int
    """Rows of cells above the part that has the first node in its corner."""
    left: int
    """Columns of cells before it."""
    shape: tuple[int, int]
    """Rows and columns of the part."""

    def places(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Columns and rows (2, y, x) in the old grid of the cells in these rows and columns of the part."""
        down, across = self.top + rows, self.left + columns
        ky, kx = down // self.step, across // self.step
        f, g = (down % self.step)[:, None] / self.step, (across % self.step) / self.step
        with np.errstate(invalid="ignore"):
            lines = self.nodes[:, ky] + f * (self.nodes[:, ky + 1] - self.nodes[:, ky])
            lines = lines + f * (f - 1) / 2 * self.down[:, ky]
            bends = self.across[:, ky] + f * (self.across[:, ky + 1] - self.across[:, ky])
            found = lines[:, :, kx] + g * (lines[:, :, kx + 1] - lines[:, :, kx])
            found = found + g * (g - 1) / 2 * bends[:, :, kx]
        numbers = self.exact[np.ix_(down // self.patch, across // self.patch)]
        own = np.nonzero(numbers >= 0)
        y, x = (down % self.patch)[own[0]], (across % self.patch)[own[1]]
        found[:, *own] = self.patches[:, numbers[own], y, x]
        return found


@dataclass(frozen=True)
class Move:
    """How numbers are moved."""

    smooth: bool
    """Are they made of the four around a place, or is the nearest one taken?"""
    null: Any
    """The number that stands for no-data; `None` where there is none."""
    filler: Any
    """What stands where there is nothing."""

    def __call__(
        self,
        cells: np.ndarray,
        corner: tuple[int, int],
        extent: tuple[int, int],
        mesh: Mesh,
        *,
        alone: bool = False,
    ) -> np.ndarray:
        """The numbers (..., y, x) of the part of the new grid.

        Args:
            cells: A window of the old grid, (..., y, x).
            corner: Row and column where it begins.
            extent: Rows and columns of the old grid.
            mesh: Where the new cells lie in it.
            alone: May several threads be used?
        """
        stored = cells if self.smooth else cells.view(f"u{cells.dtype.itemsize}")
        planes = planes_of(stored)
        out = np.empty((*cells.shape[:-2], *mesh.shape), cells.dtype)
        made = (
            out.reshape(-1, *mesh.shape) if self.smooth else out.view(stored.dtype).reshape(-1, *mesh.shape)
        )
        types = self.types(stored.dtype)
        filler = np.asarray(self.filler).astype(cells.dtype).reshape(1).view(stored.dtype)[0]
        if not worth(move, types, out.size / ENOUGH):
            plain = np.ascontiguousarray(stored).reshape(-1, *cells.shape[-2:])
            self.by_numpy(plain, corner, extent, mesh, made, filler)
            return out
        loop = compiled(move, *types)
        gap = stored.dtype.type(0 if self.null is None or not self.smooth else self.null)
        low, high = limits(stored.dtype)
        numbers = (self.smooth, self.smooth and self.null is not None, gap, filler, low, high)
        known = (planes.memory, planes.starts, planes.step, *cells.shape[-2:], *corner, *extent)
        where = (mesh.nodes, mesh.down, mesh.across, mesh.step, mesh.exact, mesh.patches, mesh.top, mesh.left)

        def run(first: int, last: int) -> None:
            loop(*known, *where, *numbers, made, first, last)

        share(run, mesh.shape[0], threads(out.size) if alone else 1)
        return out

    def types(self, dtype: np.dtype[Any]) -> tuple[str, ...]:
        """The types of the loop's arguments."""
        lattice = (reads(np.float64, 3),) * 3
        where = (*lattice, "int64", reads(np.int64, 2), reads(np.float64, 4), "int64", "int64")
        numbers = ("boolean", "boolean", dtype.name, dtype.name, "float64", "float64")
        known = (reads(dtype, 1), reads(np.int64, 1), *(("int64",) * 7))
        return (*known, *where, *numbers, writes(dtype, 3), "int64", "int64")

    def by_numpy(
        self,
        planes: np.ndarray,
        corner: tuple[int, int],
        extent: tuple[int, int],
        mesh: Mesh,
        out: np.ndarray,
        filler: Any,
    ) -> None:
        """The same, some rows at once."""
        height, width = planes.shape[1:]
        for first in range(0, mesh.shape[0], LINES):
            last = min(first + LINES, mesh.shape[0])
            columns, rows = mesh.places(np.arange(first, last), np.arange(mesh.shape[1]))
            with np.errstate(invalid="ignore"):
                inside = (columns + HAIR >= 0) & (columns + HAIR < extent[1])
                inside &= (rows + HAIR >= 0) & (rows + HAIR < extent[0])
            columns, rows = (np.where(inside, v, 0.0) for v in (columns, rows))
            x, y = (np.floor(v + HAIR).astype(np.int64) for v in (columns, rows))
            x, y = x - corner[1], y - corner[0]
            inside &= (x >= 0) & (x < width) & (y >= 0) & (y < height)
            near = np.where(inside, y * width + x, 0)
            for plane, made in zip(planes, out, strict=True):
                found = np.take(plane, near) if plane.size else np.full(near.shape, filler)
                if self.smooth:
                    gone = self.gaps(found)
                    found = np.where(gone, filler, self.between(plane, columns, rows, corner))
                made[first:last] = np.where(inside, found, filler)

    def gaps(self, numbers: np.ndarray) -> np.ndarray:
        """Where there is no data."""
        if self.null is None:
            return np.zeros(numbers.shape, bool)
        gap = np.asarray(self.null).astype(numbers.dtype)
        return np.isnan(numbers) if gap != gap else numbers == gap

    def between(
        self, plane: np.ndarray, columns: np.ndarray, rows: np.ndarray, corner: tuple[int, int]
    ) -> np.ndarray:
        """What lies between the four cells around places of one plane."""
        u, v = columns - 0.5, rows - 0.5
        x, y = np.floor(u), np.floor(v)
        b, a = u - x, v - y
        x, y = x.astype(np.int64) - corner[1], y.astype(np.int64) - corner[0]
        total, shares, lacks = np.zeros(u.shape), np.zeros(u.shape), np.zeros(u.shape, bool)
        for i, j, share_ in (
            (0, 0, (1 - a) * (1 - b)),
            (0, 1, (1 - a) * b),
            (1, 0, a * (1 - b)),
            (1, 1, a * b),
        ):
            there = (x + j >= 0) & (x + j < plane.shape[1]) & (y + i >= 0) & (y + i < plane.shape[0])
            found = np.take(plane, np.where(there, (y + i) * plane.shape[1] + x + j, 0))
            there &= ~self.gaps(found)
            with np.errstate(invalid="ignore"):
                total += np.where(there, share_ * found, 0.0)
            shares += np.where(there, share_, 0.0)
            lacks |= ~there
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            return self.stored(np.where(lacks, total / shares, total), plane.dtype)

    def stored(self, values: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
        """Floats as they are stored: integers rounded, and never what stands for no-data."""
        if dtype.kind == "f":
            return values.astype(dtype)
        low, high = limits(dtype)
        whole = np.clip(np.floor(values + 0.5), low, high).astype(dtype)
        if self.null is None:
            return whole
        return np.where(
            whole == self.null, whole + dtype.type(1) if self.null == low else whole - dtype.type(1), whole
        )


def limits(dtype: np.dtype[Any]) -> tuple[float, float]:
    """The smallest and the largest number of an integer type; infinite for floats."""
    if dtype.kind == "f":
        return -np.inf, np.inf
    info: Any = np.iinfo(dtype)
    return float(info.min), float(info.max)
