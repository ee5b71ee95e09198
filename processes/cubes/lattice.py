"""Where the cells of one grid lie in another: projected at the nodes of a lattice, between them along parabolas.

The lattice belongs to the whole grid, so that a cell's place does not depend on the block that it is computed in
(test_warp shows it). Where the way between nodes bends too much, or breaks off, each cell is projected.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise

import numpy as np
import rasterio.warp
from odc.geo.geobox import GeoBox
from pyproj import Transformer
from rasterio._err import CPLE_BaseError
from rasterio.crs import CRS

from processes.kernels.moves import Mesh

STEPS = (128, 64, 32, 16, 8, 4)
"""Cells from node to node: as many as the bend of the projection allows."""
GROUP = 4
"""Steps along each side of a patch, in which cells are interpolated or projected."""
CLOSE = 1e-4
"""Old cells by which interpolated places may be off."""
PARABOLA = 1 / 15
"""How far a parabola is off between two nodes, at most, in third differences."""
SPARSE = 16
"""Cells from place to place that are looked at for a window."""
SAMPLES = 7
"""Places along each side of a grid where it is tried how far apart nodes may be."""


@lru_cache(maxsize=32)  # all planes of a block ask for the same
def mesh_of(old: GeoBox, new: GeoBox, rows: tuple[int, int], columns: tuple[int, int]) -> Mesh:
    """Where the cells of a part of the new grid lie in the old one.

    Args:
        old: The old grid.
        new: The whole of the new one.
        rows: The first row of the part, and the one after its last.
        columns: The same for columns.
    """
    step = spacing(old, new)
    patch = GROUP * step
    (y0, y1), (x0, x1) = ((a // patch, -(-b // patch)) for a, b in (rows, columns))
    at = [step * np.arange(a * GROUP, b * GROUP + 1) for a, b in ((y0, y1), (x0, x1))]
    nodes = np.stack(located(old, new, at[1][None, :] + np.zeros_like(at[0])[:, None], at[0][:, None]))
    down, across = curves(nodes, 1), curves(nodes, 2)
    bad = bent(nodes)
    exact = np.full(bad.shape, -1)
    exact[bad] = np.arange(np.count_nonzero(bad))
    edge = np.arange(patch)
    patches = np.empty((2, np.count_nonzero(bad), patch, patch))
    for number, (i, j) in enumerate(np.argwhere(bad)):
        y, x = (y0 + i) * patch + edge, (x0 + j) * patch + edge
        patches[:, number] = located(old, new, x[None, :] + np.zeros_like(y)[:, None], y[:, None])
    shape = (rows[1] - rows[0], columns[1] - columns[0])
    return Mesh(
        step, nodes, down, across, patch, exact, patches, rows[0] - y0 * patch, columns[0] - x0 * patch, shape
    )


def located(old: GeoBox, new: GeoBox, columns: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns and rows in the old grid of the centres of these cells of the new one; infinite where there are none."""
    x, y = new.transform * (columns + 0.5, rows + 0.5)
    x, y = np.broadcast_arrays(x, y)
    if old.crs != new.crs:
        x, y = projected(str(new.crs), str(old.crs), x, y)
        if (middle := meridian(old)) is not None:
            x = middle + (x - middle + 180) % 360 - 180
    with np.errstate(invalid="ignore"):
        found = ~old.transform * (x, y)
    return found[0], found[1]


@lru_cache(maxsize=256)
def meridian(grid: GeoBox) -> float | None:
    """The longitude in the middle of a grid that reaches beyond 180 degrees; projections give none beyond these."""
    if not grid.crs.geographic:
        return None
    box = grid.extent.boundingbox
    if (box.left >= -180 and box.right <= 180) or box.right - box.left > 360 * (1 + 1e-9):
        return None
    return float(box.left + box.right) / 2


def projected(source: str, target: str, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places in another CRS, infinite where there are none: GDAL's own numbers, as what it warps has to fit in.

    GDAL refuses all places where one has none, so another library says first which these are.
    """
    other_x, other_y = between(source, target).transform(x, y)
    known = np.isfinite(other_x) & np.isfinite(other_y)
    found_x, found_y = np.full(x.shape, np.inf), np.full(x.shape, np.inf)
    if known.any():
        crs = named(source), named(target)
        try:
            found_x[known], found_y[known] = rasterio.warp.transform(*crs, x[known], y[known])
        except CPLE_BaseError:  # places on the verge, of which the two think differently
            found_x[known], found_y[known] = other_x[known], other_y[known]
    return found_x, found_y


@lru_cache(maxsize=64)
def named(name: str) -> CRS:
    """A CRS, as GDAL has it."""
    return CRS.from_user_input(name)


@lru_cache(maxsize=64)
def between(source: str, target: str) -> Transformer:
    """From one CRS to another, east before north."""
    return Transformer.from_crs(source, target, always_xy=True)


@lru_cache(maxsize=256)
def spacing(old: GeoBox, new: GeoBox) -> int:
    """How many cells apart nodes may be, as most of the grid allows."""
    steps = [s for s in STEPS if GROUP * s <= max(new.shape)] or [STEPS[-1]]
    most = steps[0]
    if old.crs == new.crs:
        return most
    rows, columns = (np.linspace(0, n, SAMPLES) for n in new.shape)
    off = np.zeros((SAMPLES, SAMPLES))
    for way_x, way_y in ((most, 0), (0, most)):
        row = [
            np.stack(
                located(old, new, columns[None, :] + k * way_x + 0 * rows[:, None], rows[:, None] + k * way_y)
            )
            for k in range(4)
        ]
        with np.errstate(invalid="ignore"):
            off += np.abs(np.diff(row, 3, axis=0)[0]).max(axis=0) * PARABOLA
    known = off[np.isfinite(off)]
    if not known.size:
        return steps[-1]
    usual = float(np.quantile(known, 0.8))  # breaks, as where a globe is cut, are few
    return next((s for s in steps if usual * (s / most) ** 3 <= CLOSE / 2), steps[-1])


def curves(nodes: np.ndarray, axis: int) -> np.ndarray:
    """Second differences of the places in each step from node to node, of the nodes of its own patch alone."""
    moved = np.moveaxis(nodes, axis, 0)
    starts = np.arange(0, len(moved) - 1, GROUP)
    at_nodes = [
        moved[starts + k] - 2 * moved[starts + k + 1] + moved[starts + k + 2] for k in range(GROUP - 1)
    ]
    inner = [(a + b) / 2 for a, b in pairwise(at_nodes)]
    steps = np.stack([at_nodes[0], *inner, at_nodes[-1]], axis=1)
    return np.ascontiguousarray(np.moveaxis(steps.reshape(-1, *moved.shape[1:]), 0, axis))


def bent(nodes: np.ndarray) -> np.ndarray:
    """For each patch: are parabolas too far off in it, or is there a place that has none?"""
    count = tuple((n - 1) // GROUP for n in nodes.shape[1:])
    with np.errstate(invalid="ignore"):
        down = np.abs(np.diff(nodes, 3, axis=1)).max(axis=0) * PARABOLA
        across = np.abs(np.diff(nodes, 3, axis=2)).max(axis=0) * PARABOLA
    out = np.zeros(count, bool)
    for i, j in np.ndindex(count):
        y, x = i * GROUP, j * GROUP
        off = down[y : y + GROUP - 2, x : x + GROUP + 1].max()
        off += across[y : y + GROUP + 1, x : x + GROUP - 2].max()
        out[i, j] = not off <= CLOSE
    return out


def window(mesh: Mesh, extent: tuple[int, int], reach: int) -> tuple[slice, slice]:
    """The part of the old grid that lies under a part of the new one, with a margin; empty where there is none.

    Args:
        mesh: Where the new cells lie.
        extent: Rows and columns of the old grid.
        reach: Old cells around a place that count.
    """
    rows, columns = (np.unique(np.append(np.arange(0, n, SPARSE), n - 1)) for n in mesh.shape)
    parts = [mesh.places(rows, columns), *np.moveaxis(mesh.patches, 1, 0)]
    lowest, highest = np.full(2, np.inf), np.full(2, -np.inf)
    for places in parts:
        known = np.isfinite(places).all(axis=0)
        if known.any():
            inside = places[:, known]
            lowest, highest = np.minimum(lowest, inside.min(axis=1)), np.maximum(highest, inside.max(axis=1))
    reach += slack(mesh)
    found = []
    for n, low, high in zip(extent, lowest[::-1], highest[::-1], strict=True):
        if not low <= high:
            return slice(0, 0), slice(0, 0)
        first, last = (min(max(math.floor(v) + r, 0), n) for v, r in ((low, -reach), (high, reach + 1)))
        found.append(slice(first, max(first, last)))
    return (found[0], found[1]) if all(f.start < f.stop for f in found) else (slice(0, 0), slice(0, 0))


def slack(mesh: Mesh) -> int:
    """How many old cells places may lie beyond those around them that are looked at."""
    most = 0.0
    for bends in (mesh.down, mesh.across):
        at = (
            np.minimum(np.arange(n) // GROUP, m - 1)
            for n, m in zip(bends.shape[1:], mesh.exact.shape, strict=True)
        )
        followed = bends[:, mesh.exact[np.ix_(*at)] < 0]
        most += np.abs(followed[np.isfinite(followed)]).max(initial=0.0) / 8
    most *= min(1.0, (SPARSE / mesh.step) ** 2)
    return math.ceil(most) if most > CLOSE else 0
