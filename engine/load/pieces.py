"""What a target grid takes of an image: window reads where the grids agree, a warp where they do not."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox
from odc.loader.types import RasterLoadParams
from rasterio.enums import Resampling

from engine.errors import Problem
from engine.load.extent import GLOBE
from engine.load.files import named
from engine.load.image import Image
from engine.load.lookup import Lookups
from engine.load.place import STEP, Axis, axes, full_turn, locate, shrinkage, turned
from engine.load.remembered import remembered
from processes.cubes.warp import GDAL_NAMES, warped

Roi = tuple[slice, slice]
"""Rows and columns of the target."""

BUDGET = 1 << 24
"""Source pixels that are held at once; a target that needs more is cut."""
ALIGNED = 0.05
"""Part of a pixel by which a grid may lie off another and still count as aligned."""
REACH = {"nearest": 1, "bilinear": 2, "cubic": 3, "cubic_spline": 3, "lanczos": 4}
"""Source pixels around a place that go into its value, where nothing is shrunk; 2 for all others."""


@dataclass(frozen=True, eq=False)
class Cut:
    """A window of an image, and what becomes of it. What will be read is known before anything is."""

    rows: slice
    """Rows of the image."""
    cols: slice
    """Columns of the image."""
    roi: Roi
    """Where in the target the pixels belong."""
    render: Callable[[np.ndarray], np.ndarray]
    """Gives the target's pixels for those of the window."""


def resampling_method(name: str) -> Resampling:
    """The method of this name, openEO's or rasterio's."""
    try:
        return Resampling[GDAL_NAMES.get(name, name)]
    except KeyError:
        raise Problem(
            "ProcessParameterInvalid",
            f"there is no resampling method {name!r}.",
            hint=f"Choose one of {', '.join(method.name for method in Resampling)}.",
        ) from None


def cuts(image: Image, target: GeoBox, cfg: RasterLoadParams, lookups: Lookups) -> Iterator[Cut]:
    """What the image has of the target; the cuts may overlap, then the first one counts."""
    method = resampling_method(cfg.resampling)
    for grid in turned(image.geobox, target):
        along = axes(grid, target)
        if along is not None and (method is Resampling.nearest or _aligned(along, target)):
            yield from _picked(image, along, target)
        elif method is Resampling.nearest:
            yield from _nearest(image, grid, target, lookups)
        else:
            yield from _warped(image, grid, target, method)


def _aligned(along: tuple[Axis, Axis], target: GeoBox) -> bool:
    return all(axis.aligned(n, ALIGNED) for axis, n in zip(along, target.shape, strict=True))


def _picked(image: Image, along: tuple[Axis, Axis], target: GeoBox) -> Iterator[Cut]:
    """Along common axes each target pixel is a source pixel: a window, its rows and columns picked."""
    (at_rows, rows), (at_cols, cols) = (
        axis.indices(wanted, there)
        for axis, wanted, there in zip(along, target.shape, image.geobox.shape, strict=True)
    )
    if not rows.size or not cols.size:
        return
    span = _span(cols)
    most = max(1, BUDGET // ((span.stop - span.start) * math.ceil(abs(along[0].scale))))
    for start in range(0, rows.size, most):
        part = rows[start : start + most]
        window = _span(part)
        at = slice(at_rows.start + start, at_rows.start + start + part.size)
        yield Cut(window, span, (at, at_cols), partial(_grid_of, part - window.start, cols - span.start))


def _grid_of(rows: np.ndarray, cols: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    return _pick(_pick(pixels, rows, 0), cols, 1)


def _span(indices: np.ndarray) -> slice:
    first, last = int(indices[0]), int(indices[-1])
    return slice(min(first, last), max(first, last) + 1)


def _pick(pixels: np.ndarray, indices: np.ndarray, axis: int) -> np.ndarray:
    if indices.size == pixels.shape[axis]:  # each once: as they are, or mirrored
        return pixels if indices[0] <= indices[-1] else np.flip(pixels, axis)
    return np.take(pixels, indices, axis)


def _nearest(image: Image, grid: GeoBox, target: GeoBox, lookups: Lookups, top: int = 0) -> Iterator[Cut]:
    """Each target pixel takes the source pixel in which its centre lies."""
    for rows, cols in _windows(grid, target, (1, 1)):
        if _area(rows, cols) > BUDGET and target.shape[0] > 1:
            half = target.shape[0] // 2
            yield from _nearest(image, grid, target[:half, :], lookups, top)
            yield from _nearest(image, grid, target[half:, :], lookups, top + half)
            return
        roi = slice(top, top + target.shape[0]), slice(0, target.shape[1])
        yield Cut(rows, cols, roi, partial(lookups.sample, grid, (rows, cols), target, image.fill))


def _hemispheres(
    known: np.ndarray, cols: np.ndarray, width: int, turn: float | None
) -> tuple[np.ndarray, ...]:
    """One mask, or one for each half of a source that spans the globe, whose edges meet in the target."""
    if turn is None or np.ptp(cols[known]) < turn / 2:
        return (known,)
    return known & (cols < width / 2), known & (cols >= width / 2)


def _area(rows: slice, cols: slice) -> int:
    return int(rows.stop - rows.start) * int(cols.stop - cols.start)


def _warped(image: Image, grid: GeoBox, target: GeoBox, method: Resampling, top: int = 0) -> Iterator[Cut]:
    """What GDAL's warp makes of the window below the target."""
    down, across = (max(1.0, ratio) for ratio in shrinkage(grid, target))
    reach = REACH.get(method.name, 2)
    for rows, cols in _windows(grid, target, (math.ceil(reach * down) + 1, math.ceil(reach * across) + 1)):
        if _area(rows, cols) > BUDGET and target.shape[0] > 1:
            half = target.shape[0] // 2
            yield from _warped(image, grid, target[:half, :], method, top)
            yield from _warped(image, grid, target[half:, :], method, top + half)
            return
        part = GeoBox(
            (rows.stop - rows.start, cols.stop - cols.start),
            grid.transform * Affine.translation(cols.start, rows.start),
            grid.crs,
        )
        if full_turn(grid, target) is not None:  # projections give longitudes between -180 and 180
            middle = (part.boundingbox.left + part.boundingbox.right) / 2
            part = GeoBox(
                part.shape, Affine.translation(-GLOBE * round(middle / GLOBE), 0) * part.transform, part.crs
            )
        roi = slice(top, top + target.shape[0]), slice(0, target.shape[1])
        yield Cut(rows, cols, roi, partial(_laid, image, part, target, method, (down, across)))


def _laid(
    image: Image,
    part: GeoBox,
    target: GeoBox,
    method: Resampling,
    ratio: tuple[float, float],
    pixels: np.ndarray,
) -> np.ndarray:
    void = image.fill if image.marked else None
    return named(image.source, partial(warped, pixels, part, target, method, void, ratio))


@remembered
def _windows(grid: GeoBox, target: GeoBox, margin: tuple[int, int]) -> tuple[tuple[slice, slice], ...]:
    """The part of the source below the target, with a margin; two parts where the edges of a global one meet."""
    at_rows, at_cols = (np.linspace(0, size, 2 + size // STEP) for size in target.shape)
    cols, rows = locate(grid, target, *np.meshgrid(at_cols, at_rows))
    known = np.isfinite(cols) & np.isfinite(rows)
    if not known.any():
        return ()
    turn = full_turn(grid, target)
    wound = cols if turn is None else cols % turn
    masks = _hemispheres(known, wound, grid.shape[1], turn)
    apart = len(masks) > 1 or not known.all()  # then the edge runs between the known places
    pad = [m + _slack(values, far=apart) for m, values in zip(margin, (rows, cols), strict=True)]
    found = []
    for mask in masks:
        if not mask.any():
            continue
        spans = tuple(
            slice(max(0, math.floor(v[mask].min()) - p), min(n, math.ceil(v[mask].max()) + p))
            for v, p, n in zip((rows, wound), pad, grid.shape, strict=True)
        )
        if all(span.start < span.stop for span in spans):
            found.append((spans[0], spans[1]))
    return tuple(found)


def _slack(values: np.ndarray, *, far: bool) -> int:
    """How far, in source pixels, places between the known ones may lie outside of these.

    A bend at most as far as the steps change; `far`, as far as the next known place.
    """
    with np.errstate(invalid="ignore"):
        steps = [np.diff(values, axis=axis) for axis in (0, 1)]
        bends = [np.diff(step, axis=axis) for axis, step in enumerate(steps)]
    ways = [np.abs(way)[np.isfinite(way)].max(initial=0.0) for way in (*bends, *(steps if far else ()))]
    return math.ceil(min(max(ways), 1e9)) + 1
