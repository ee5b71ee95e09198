"""Where the pixels of a target grid lie in a source grid, exactly and whatever the blocks are."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox

from engine.load.extent import GLOBE, HAIR, TURNS, is_globe, transformer
from engine.load.remembered import remembered

STEP = 16
"""Pixels between the nodes whose places are computed exactly; between them places are interpolated."""
CLOSE = 0.01
"""Source pixels by which an interpolated place may be off; where it is further off, each pixel is computed."""

Places = tuple[np.ndarray, np.ndarray]
"""Columns and rows in the source, of any shape; not finite where the projection does not reach."""


class Axis(NamedTuple):
    """Along one axis, pixel centre `i + 0.5` of the target lies at `scale * (i + 0.5) + shift` in the source."""

    scale: float
    """Source pixels per target pixel; negative where the axes run against each other."""
    shift: float
    """Place of the target's first edge."""

    def indices(self, wanted: int, there: int) -> tuple[slice, np.ndarray]:
        """Which of the `wanted` target pixels fall on one of the `there` source pixels, and on which."""
        places = np.floor(self.scale * (np.arange(wanted) + 0.5) + self.shift + HAIR).astype(np.int64)
        inside = np.flatnonzero((places >= 0) & (places < there))
        if not inside.size:
            return slice(0, 0), places[:0]
        part = slice(int(inside[0]), int(inside[-1]) + 1)
        return part, places[part]

    def aligned(self, wanted: int, tolerance: float) -> bool:
        """Whether target pixels are source pixels: the same size, whole pixels apart."""
        offset = self.shift - round(self.shift)
        return abs(abs(self.scale) - 1) * wanted < tolerance and abs(offset) < tolerance


@remembered
def axes(source: GeoBox, target: GeoBox) -> tuple[Axis, Axis] | None:
    """How rows and columns correspond where both grids lie along the axes of one CRS; else None."""
    if source.crs != target.crs or not source.axis_aligned or not target.axis_aligned:
        return None
    to_source = ~source.transform * target.transform
    return Axis(to_source.e, to_source.f), Axis(to_source.a, to_source.c)


@remembered
def turned(source: GeoBox, target: GeoBox) -> tuple[GeoBox, ...]:
    """The source, and in one geographic CRS also a turn of the globe beside, where it meets the target."""
    if source.crs != target.crs or not is_globe(source.crs):
        return (source,)
    box = target.boundingbox
    found = []
    for k in TURNS:
        moved = GeoBox(source.shape, Affine.translation(k * GLOBE, 0) * source.transform, source.crs)
        own = moved.boundingbox
        if own.left < box.right and own.right > box.left:
            found.append(moved)
    return tuple(found)


def places(source: GeoBox, target: GeoBox) -> Places:
    """Column and row in the source of each pixel centre of the target.

    The nodes stand on a lattice that is fixed to the CRS and not to the block, so that a pixel's place does not
    depend on the block it is read in (test_chunks_do_not_change_a_pixel shows it).
    """
    height, width = target.shape
    node_cols, node_rows = nodes(target)
    cols, rows = locate(source, target, *np.meshgrid(node_cols, node_rows))
    at_cols, at_rows = np.arange(width) + 0.5, np.arange(height) + 0.5
    if _is_smooth(source, target, (cols, rows), node_cols, node_rows):
        across, down = _between(node_cols, at_cols), _between(node_rows, at_rows)
        return _interpolated(cols, down, across), _interpolated(rows, down, across)
    return locate(source, target, *np.meshgrid(at_cols, at_rows))


def nodes(target: GeoBox) -> tuple[np.ndarray, np.ndarray]:
    """Columns and rows of the nodes around a target, in its pixels."""
    height, width = target.shape
    t = target.transform
    starts = (-((t.c / t.a) % STEP), -((t.f / t.e) % STEP)) if target.axis_aligned else (0.0, 0.0)
    counts = (
        math.ceil((size - start) / STEP) + 1 for size, start in zip((width, height), starts, strict=True)
    )
    first, second = (start + STEP * np.arange(n) for start, n in zip(starts, counts, strict=True))
    return first, second


def locate(source: GeoBox, target: GeoBox, cols: np.ndarray, rows: np.ndarray) -> Places:
    """Places in the source of these places in the target, computed one by one."""
    x, y = target.transform * (cols, rows)
    if source.crs != target.crs:
        shape = x.shape
        x, y = transformer(str(target.crs), str(source.crs)).transform(x.ravel(), y.ravel())
        x, y = x.reshape(shape), y.reshape(shape)
    with np.errstate(invalid="ignore"):
        found_cols, found_rows = ~source.transform * (x, y)
        if (turn := full_turn(source, target)) is not None:
            middle = _middle(found_cols)
            found_cols = middle + (found_cols - middle + turn / 2) % turn - turn / 2
            found_cols = found_cols - turn * math.floor(middle / turn)
    return found_cols, found_rows


def full_turn(source: GeoBox, target: GeoBox) -> float | None:
    """Columns of a turn of the globe, where longitudes come out of a projection and may be a turn off."""
    if source.crs == target.crs or not is_globe(source.crs) or not source.axis_aligned:
        return None
    return GLOBE / abs(source.transform.a)


def _middle(cols: np.ndarray) -> float:
    finite = cols[np.isfinite(cols)]
    return float(finite[finite.size // 2]) if finite.size else 0.0


def _between(at_nodes: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each position the node before it, and its share of the way to the next."""
    way = (at - at_nodes[0]) / STEP
    before = np.minimum(way.astype(np.int64), at_nodes.size - 2)
    return before, way - before


def _interpolated(
    values: np.ndarray, down: tuple[np.ndarray, ...], across: tuple[np.ndarray, ...]
) -> np.ndarray:
    (row, part), (col, share) = down, across
    lines = values[row] + (values[row + 1] - values[row]) * part[:, None]
    steps = lines[:, 1:] - lines[:, :-1]
    return np.take(lines, col, axis=1) + np.take(steps, col, axis=1) * share


def _is_smooth(
    source: GeoBox, target: GeoBox, found: Places, node_cols: np.ndarray, node_rows: np.ndarray
) -> bool:
    """Whether interpolation between the nodes is close enough, tried in the middle of the cells."""
    cols, rows = found
    if not (np.isfinite(cols).all() and np.isfinite(rows).all()):
        return False
    turn = full_turn(source, target)
    if turn is not None and max(np.abs(np.diff(cols, axis=a)).max(initial=0) for a in (0, 1)) > turn / 4:
        return False
    every = (slice(0, -1, max(1, (n.size - 1) // 8)) for n in (node_rows, node_cols))
    at = np.ix_(*(np.arange(n.size)[part] for n, part in zip((node_rows, node_cols), every, strict=True)))
    exact = locate(
        source, target, *np.broadcast_arrays(node_cols[at[1]] + STEP / 2, node_rows[at[0]] + STEP / 2)
    )
    for values, true in zip(found, exact, strict=True):
        middle = (values[:-1, :-1] + values[1:, :-1] + values[:-1, 1:] + values[1:, 1:])[at] / 4
        off = np.abs(middle - true)
        if turn is not None and values is cols:
            off = np.minimum(off, np.abs(off - turn))
        if not (off < CLOSE).all():
            return False
    return True


@remembered
def shrinkage(source: GeoBox, target: GeoBox) -> tuple[float, float]:
    """Source pixels per target pixel, down and across, where both are at home."""
    height, width = target.shape
    middle = (width / 2, height / 2)
    if source.crs != target.crs and not is_globe(source.crs):
        # the middle of the source, so that all blocks of a target get the same answer
        rows, cols = source.shape
        back = locate(target, source, np.array([cols / 2]), np.array([rows / 2]))
        if np.isfinite(back).all():
            middle = (float(back[0][0]), float(back[1][0]))
    x = middle[0] + np.array([-0.5, 0.5, 0.0, 0.0])
    y = middle[1] + np.array([0.0, 0.0, -0.5, 0.5])
    cols_at, rows_at = locate(source, target, x, y)
    across = math.hypot(cols_at[1] - cols_at[0], cols_at[3] - cols_at[2])
    down = math.hypot(rows_at[1] - rows_at[0], rows_at[3] - rows_at[2])
    return (down, across) if math.isfinite(down) and math.isfinite(across) else (1.0, 1.0)
