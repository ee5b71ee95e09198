"""Numbers of planes moved to other places: the nearest ones, or what lies between four; with NumPy or compiled.

What comes out is what GDAL's warp gives for cells that do not shrink: a new cell has data where the old one has that
its centre lies in; of the four around it those count that are there and have data, by their weights. NumPy and the
loop give the same numbers to the last bit, as test_moves shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from processes.kernels.loops import compiled, made_of, reads, share, threads, worth, writes

HAIR = 1e-6
"""Part of a cell by which a place may lie off the edge between two cells and still count as on it."""
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
        planes = np.require(stored, requirements=["C", "A"]).reshape(-1, *cells.shape[-2:])
        out = np.empty((*cells.shape[:-2], *mesh.shape), cells.dtype)
        made = (
            out.reshape(-1, *mesh.shape) if self.smooth else out.view(stored.dtype).reshape(-1, *mesh.shape)
        )
        types = self.types(stored.dtype)
        filler = np.asarray(self.filler).astype(cells.dtype).reshape(1).view(stored.dtype)[0]
        if not worth(move, types, out.size / ENOUGH):
            self.by_numpy(planes, corner, extent, mesh, made, filler)
            return out
        loop = compiled(move, *types)
        gap = stored.dtype.type(0 if self.null is None or not self.smooth else self.null)
        low, high = limits(stored.dtype)
        numbers = (self.smooth, self.smooth and self.null is not None, gap, filler, low, high)
        where = (mesh.nodes, mesh.down, mesh.across, mesh.step, mesh.exact, mesh.patches, mesh.top, mesh.left)

        def run(first: int, last: int) -> None:
            loop(planes, *corner, *extent, *where, *numbers, made, first, last)

        share(run, mesh.shape[0], threads(out.size) if alone else 1)
        return out

    def types(self, dtype: np.dtype[Any]) -> tuple[str, ...]:
        """The types of the loop's arguments."""
        lattice = (reads(np.float64, 3),) * 3
        where = (*lattice, "int64", reads(np.int64, 2), reads(np.float64, 4), "int64", "int64")
        numbers = ("boolean", "boolean", dtype.name, dtype.name, "float64", "float64")
        return (reads(dtype, 3), *(("int64",) * 4), *where, *numbers, writes(dtype, 3), "int64", "int64")

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


# ------------------------------------------------------------------------------------------- compiled
def locate(  # type: ignore[no-untyped-def]
    y, top, left, step, nodes, bends_down, bends_across, exact, patches, part, bow, lines, bends, places
):
    """The places of a row of cells; `part` and `bow` tell how far each cell is from a node, and the bend there."""
    k, f = (top + y) // step, ((top + y) % step) / step
    for c in range(2):
        for n in range(nodes.shape[2]):
            lines[c, n] = nodes[c, k, n] + f * (nodes[c, k + 1, n] - nodes[c, k, n])
            lines[c, n] = lines[c, n] + f * (f - 1) / 2 * bends_down[c, k, n]
        for n in range(bends.shape[1]):
            bends[c, n] = bends_across[c, k, n] + f * (bends_across[c, k + 1, n] - bends_across[c, k, n])
    patch, x = patches.shape[2], 0
    while x < places.shape[1]:
        n = (left + x) // step
        end = min(places.shape[1], (n + 1) * step - left)
        number = exact[(top + y) // patch, (left + x) // patch]
        for c in range(2):
            found, f, g = places[c, x:end], part[x:end], bow[x:end]
            start, way, bend = lines[c, n], lines[c, n + 1] - lines[c, n], bends[c, n]
            if number >= 0:
                for i in range(found.size):
                    found[i] = patches[c, number, (top + y) % patch, (left + x + i) % patch]
            else:
                for i in range(found.size):
                    found[i] = start + f[i] * way + g[i] * bend
        x = end


def cell(c, r, x0, y0, width, limits):  # type: ignore[no-untyped-def]
    """The number of the cell in the window that a place lies in; -1 where there is none."""
    west, east, north, south = limits
    c, r = c + 1e-6, r + 1e-6
    inside = (c >= west) & (c < east) & (r >= north) & (r < south)
    return (int(r) - y0) * width + int(c) - x0 if inside else -1


def corners(places, x0, y0, width, limits, four, share_x, share_y):  # type: ignore[no-untyped-def]
    """For each place the number of the first of the four cells around it, -1 where one of these is missing."""
    west, east, north, south = limits
    for x in range(four.size):
        u, v = places[0, x] - 0.5, places[1, x] - 0.5
        left_of, above = np.floor(u), np.floor(v)
        share_x[x], share_y[x] = u - left_of, v - above
        inside = (left_of >= west) & (left_of < east - 1) & (above >= north) & (above < south - 1)
        four[x] = (int(above) - y0) * width + int(left_of) - x0 if inside else -1


def lacks(value, gap):  # type: ignore[no-untyped-def]
    """Does a number stand for no-data?"""
    return value == gap or (gap != gap and value != value)


def some(plane, i, j, width, a, b, gapped, gap):  # type: ignore[no-untyped-def]
    """What lies between four cells, some of which are missing or have no data."""
    total, shares, full = 0.0, 0.0, True
    for n in range(4):
        r, s = i + n // 2, j + n % 2
        share = (a if n // 2 else 1 - a) * (b if n % 2 else 1 - b)
        there = r >= 0 and r < plane.size // width and s >= 0 and s < width
        value = plane[r * width + s if there else 0]
        if there and not (gapped and lacks(value, gap)):
            total += share * value
            shares += share
        else:
            full = False
    return total if full else total / shares


def whole(total, low, high, gapped, gap):  # type: ignore[no-untyped-def]
    """A number as an integer of a type, and never what stands for no-data."""
    rounded = min(max(np.floor(total + 0.5), low), high)
    if gapped and rounded == gap:
        rounded += 1 if rounded == low else -1
    return rounded


@made_of(locate, cell, corners, lacks, some, whole)
def move(  # type: ignore[no-untyped-def]
    cells, y0, x0, down, across, nodes, bends_down, bends_across, step, exact, patches, top, left,
    smooth, gapped, gap, filler, low, high, out, first, last,
):  # fmt: skip
    """Some rows of the part of the new grid, for all planes; a row's places are found once."""
    height, width, count = cells.shape[1], cells.shape[2], out.shape[2]
    lines, bends = np.empty((2, nodes.shape[2])), np.empty((2, nodes.shape[2] - 1))
    places, four = np.empty((2, count)), np.empty(count, np.int64)
    share_x, share_y = np.empty(count), np.empty(count)
    limits = (
        float(max(x0, 0)),
        float(min(x0 + width, across)),
        float(max(y0, 0)),
        float(min(y0 + height, down)),
    )
    nan_gap, rounded = gapped and gap != gap, low != -np.inf
    one, below = np.uint64(1), np.uint64(width)  # unsigned, so that no index is looked at twice
    part = (left + np.arange(count)) % step / step
    bow = part * (part - 1) / 2
    flat = cells.reshape(cells.shape[0], height * width)
    for y in range(first, last):
        locate(
            y,
            top,
            left,
            step,
            nodes,
            bends_down,
            bends_across,
            exact,
            patches,
            part,
            bow,
            lines,
            bends,
            places,
        )
        if smooth:
            corners(places, x0, y0, width, limits, four, share_x, share_y)
        else:
            for x in range(count):
                four[x] = cell(places[0, x], places[1, x], x0, y0, width, limits)
        for p in range(cells.shape[0]):
            plane, made = flat[p], out[p, y]
            if not smooth:
                for x in range(count):
                    made[x] = filler if four[x] < 0 else plane[np.uint64(four[x])]
                continue
            for x in range(count):
                a, b = share_y[x], share_x[x]
                if four[x] >= 0:
                    k = np.uint64(four[x])
                    e, f, g, h = plane[k], plane[k + one], plane[k + below], plane[k + below + one]
                    full = not gapped
                    if nan_gap:
                        full = e == e and f == f and g == g and h == h
                    elif gapped:
                        full = e != gap and f != gap and g != gap and h != gap
                    if full:
                        total = (1 - a) * (1 - b) * e + (1 - a) * b * f
                        total = total + a * (1 - b) * g
                        total = total + a * b * h
                        made[x] = whole(total, low, high, gapped, gap) if rounded else total
                        continue
                made[x] = filler
                near = cell(places[0, x], places[1, x], x0, y0, width, limits)
                if near >= 0 and not (gapped and lacks(plane[near], gap)):
                    i, j = int(np.floor(places[1, x] - 0.5)) - y0, int(np.floor(places[0, x] - 0.5)) - x0
                    total = some(plane, i, j, width, a, b, gapped, gap)
                    made[x] = whole(total, low, high, gapped, gap) if rounded else total
