"""Cells in polygons, row by row: between every other pair of places where a row of cell centres meets the edges.

What GEOS says of single cells comes out, for all polygons at once. Polygons with a centre so close to an edge that
rounding may tell otherwise are left to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import shapely

CLOSE = 1e-11
"""Share of the largest coordinate by which a place on an edge may be off, many times over."""


@dataclass(frozen=True, eq=False)
class Edges:
    """The edges of polygons, from one corner to the next."""

    owner: np.ndarray
    """Number of the polygon of each."""
    start: np.ndarray
    """Corners, (edge, 2)."""
    end: np.ndarray


def edges_of(polygons: np.ndarray) -> Edges:
    """The edges of the rings of polygons."""
    rings, owner = shapely.get_rings(polygons, return_index=True)
    corners, ring = shapely.get_coordinates(rings, return_index=True)
    inside = np.flatnonzero(ring[1:] == ring[:-1])
    return Edges(owner[ring[inside]], corners[inside], corners[inside + 1])


def cells_in(
    polygons: np.ndarray,
    xs: np.ndarray,
    ys: np.ndarray,
    one_by_one: Callable[[np.ndarray], np.ndarray],
) -> list[np.ndarray]:
    """For each polygon the flat places of the cells whose centre it meets, ascending.

    Args:
        polygons: Polygons without parts.
        xs: Centres of the columns, ascending or descending.
        ys: Centres of the rows, likewise.
        one_by_one: Gives the same for a polygon, cell by cell.
    """
    edges = edges_of(polygons)
    edge, row, x = crossings(edges, upwards(ys))
    owner = edges.owner[edge]
    doubtful = np.zeros(len(polygons), bool)
    doubtful[edges.owner[np.isin(edges.start[:, 1], ys)]] = True
    slack = CLOSE * max(np.abs(xs).max(initial=1.0), np.abs(edges.start).max(initial=1.0))
    labels = upwards(xs)
    near = np.searchsorted(labels, x - slack, "left") < np.searchsorted(labels, x + slack, "right")
    doubtful[owner[near]] = True
    if ys[0] > ys[-1]:
        row = len(ys) - 1 - row
    order = np.lexsort((x, row, owner))
    owner, row = owner[order[::2]], row[order[::2]]
    first, last = np.searchsorted(labels, x[order[::2]]), np.searchsorted(labels, x[order[1::2]])
    if xs[0] > xs[-1]:
        first, last = len(xs) - last, len(xs) - first
        order = np.lexsort((first, row, owner))
        owner, row, first, last = owner[order], row[order], first[order], last[order]
    cells = spread(row * len(xs) + first, last - first)
    sizes = np.bincount(owner, last - first, len(polygons)).astype(np.int64)
    ends = np.cumsum(sizes)
    return [
        one_by_one(polygon) if doubt else cells[start:end]
        for polygon, doubt, start, end in zip(polygons, doubtful, ends - sizes, ends, strict=True)
    ]


def upwards(labels: np.ndarray) -> np.ndarray:
    """Labels in ascending order."""
    return labels[::-1] if labels[0] > labels[-1] else labels


def crossings(edges: Edges, ys: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where edges meet rows of ascending centres: the edge, the row, and how far along the row.

    The lower corner of an edge belongs to it, the upper one does not, so that a ring meets each row an even number
    of times.
    """
    y0, y1 = edges.start[:, 1], edges.end[:, 1]
    first = np.searchsorted(ys, np.minimum(y0, y1))
    count = np.searchsorted(ys, np.maximum(y0, y1)) - first
    edge = np.repeat(np.arange(len(y0)), count)
    row = spread(first, count)
    (x0, y0), (x1, y1) = edges.start[edge].T, edges.end[edge].T
    return edge, row, x0 + (ys[row] - y0) / (y1 - y0) * (x1 - x0)


def spread(starts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Whole numbers that count up from each start, so many each."""
    before = np.cumsum(counts) - counts
    found: np.ndarray = np.repeat(starts - before, counts) + np.arange(counts.sum())
    return found
