"""Pixels of a target grid out of an image: window reads where the grids agree, a warp where they do not."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox
from odc.loader.types import RasterLoadParams
from rasterio.enums import Resampling

from engine.errors import Problem
from engine.load.extent import GLOBE, HAIR
from engine.load.files import named
from engine.load.image import Image
from engine.load.place import STEP, Axis, axes, full_turn, locate, places, shrinkage, turned
from processes.cubes.warp import GDAL_NAMES, warped

Roi = tuple[slice, slice]
Piece = tuple[Roi, np.ndarray]
"""Rows and columns of the target, and the pixels there."""

BUDGET = 1 << 24
"""Source pixels that are held at once; a target that needs more is cut."""
ALIGNED = 0.05
"""Part of a pixel by which a grid may lie off another and still count as aligned."""
REACH = {"nearest": 1, "bilinear": 2, "cubic": 3, "cubic_spline": 3, "lanczos": 4}
"""Source pixels around a place that go into its value, where nothing is shrunk; 2 for all others."""
LINES = 128
"""Rows whose places are computed at once: few enough for the processor's cache."""


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


def pieces(image: Image, target: GeoBox, cfg: RasterLoadParams) -> Iterator[Piece]:
    """What the image has of the target; pieces may overlap, then the first one counts."""
    method = resampling_method(cfg.resampling)
    for grid in turned(image.geobox, target):
        along = axes(grid, target)
        if along is not None and (method is Resampling.nearest or _aligned(along, target)):
            yield from _picked(image, along, target)
        elif method is Resampling.nearest:
            yield from _nearest(image, grid, target)
        else:
            yield from _warped(image, grid, target, method)


def _aligned(along: tuple[Axis, Axis], target: GeoBox) -> bool:
    return all(axis.aligned(n, ALIGNED) for axis, n in zip(along, target.shape, strict=True))


def _picked(image: Image, along: tuple[Axis, Axis], target: GeoBox) -> Iterator[Piece]:
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
        pixels = image.window(window, span)
        at = slice(at_rows.start + start, at_rows.start + start + part.size)
        yield (at, at_cols), _pick(_pick(pixels, part - window.start, 0), cols - span.start, 1)


def _span(indices: np.ndarray) -> slice:
    first, last = int(indices[0]), int(indices[-1])
    return slice(min(first, last), max(first, last) + 1)


def _pick(pixels: np.ndarray, indices: np.ndarray, axis: int) -> np.ndarray:
    if indices.size == pixels.shape[axis]:  # each once: as they are, or mirrored
        return pixels if indices[0] <= indices[-1] else np.flip(pixels, axis)
    return np.take(pixels, indices, axis)


def _nearest(image: Image, grid: GeoBox, target: GeoBox, top: int = 0) -> Iterator[Piece]:
    """Each target pixel takes the source pixel in which its centre lies."""
    for window in _windows(grid, target, (1, 1)):
        if _area(window) > BUDGET and target.shape[0] > 1:
            half = target.shape[0] // 2
            yield from _nearest(image, grid, target[:half, :], top)
            yield from _nearest(image, grid, target[half:, :], top + half)
            return
        pixels = image.window(*window)
        out = np.empty(target.shape, image.dtype)
        for start in range(0, target.shape[0], LINES):
            lines = slice(start, min(start + LINES, target.shape[0]))
            _sample(pixels, window, grid, target[lines, :], image.fill, out[lines])
        yield (slice(top, top + target.shape[0]), slice(0, target.shape[1])), out


def _sample(
    pixels: np.ndarray,
    window: tuple[slice, slice],
    grid: GeoBox,
    target: GeoBox,
    fill: float,
    out: np.ndarray,
) -> None:
    """Fill `out` with the pixels of the window in which the target's centres lie."""
    cols, rows = places(grid, target)
    height, width = pixels.shape
    with np.errstate(invalid="ignore"):
        cols += HAIR
        if (turn := full_turn(grid, target)) is not None:
            cols %= turn
        cols -= window[1].start
        rows += HAIR - window[0].start
        inside = (cols >= 0) & (cols < width) & (rows >= 0) & (rows < height)
        at = rows.astype(np.int64) * width + cols.astype(np.int64)
    np.take(pixels.ravel(), at, out=out, mode="clip")
    if not inside.all():
        out[~inside] = fill


def _hemispheres(
    known: np.ndarray, cols: np.ndarray, width: int, turn: float | None
) -> tuple[np.ndarray, ...]:
    """One mask, or one for each half of a source that spans the globe, whose edges meet in the target."""
    if turn is None or np.ptp(cols[known]) < turn / 2:
        return (known,)
    return known & (cols < width / 2), known & (cols >= width / 2)


def _area(window: tuple[slice, slice]) -> int:
    rows, cols = window
    return int(rows.stop - rows.start) * int(cols.stop - cols.start)


def _warped(image: Image, grid: GeoBox, target: GeoBox, method: Resampling, top: int = 0) -> Iterator[Piece]:
    """What GDAL's warp makes of the window below the target."""
    down, across = (max(1.0, ratio) for ratio in shrinkage(grid, target))
    reach = REACH.get(method.name, 2)
    for window in _windows(grid, target, (math.ceil(reach * down) + 1, math.ceil(reach * across) + 1)):
        if _area(window) > BUDGET and target.shape[0] > 1:
            half = target.shape[0] // 2
            yield from _warped(image, grid, target[:half, :], method, top)
            yield from _warped(image, grid, target[half:, :], method, top + half)
            return
        pixels = image.window(*window)
        part = GeoBox(
            pixels.shape, grid.transform * Affine.translation(window[1].start, window[0].start), grid.crs
        )
        if full_turn(grid, target) is not None:  # projections give longitudes between -180 and 180
            middle = (part.boundingbox.left + part.boundingbox.right) / 2
            part = GeoBox(
                part.shape, Affine.translation(-GLOBE * round(middle / GLOBE), 0) * part.transform, part.crs
            )
        roi = slice(top, top + target.shape[0]), slice(0, target.shape[1])
        void = image.fill if image.marked else None
        yield roi, named(image.source, partial(warped, pixels, part, target, method, void, (down, across)))


def _windows(grid: GeoBox, target: GeoBox, margin: tuple[int, int]) -> Iterator[tuple[slice, slice]]:
    """The part of the source below the target, with a margin; two parts where the edges of a global one meet."""
    at_rows, at_cols = (np.linspace(0, size, 2 + size // STEP) for size in target.shape)
    cols, rows = locate(grid, target, *np.meshgrid(at_cols, at_rows))
    known = np.isfinite(cols) & np.isfinite(rows)
    if not known.any():
        return
    turn = full_turn(grid, target)
    wound = cols if turn is None else cols % turn
    masks = _hemispheres(known, wound, grid.shape[1], turn)
    apart = len(masks) > 1 or not known.all()  # then the edge runs between the known places
    pad = [m + _slack(values, far=apart) for m, values in zip(margin, (rows, cols), strict=True)]
    for mask in masks:
        if not mask.any():
            continue
        spans = tuple(
            slice(max(0, math.floor(v[mask].min()) - p), min(n, math.ceil(v[mask].max()) + p))
            for v, p, n in zip((rows, wound), pad, grid.shape, strict=True)
        )
        if all(span.start < span.stop for span in spans):
            yield spans[0], spans[1]


def _slack(values: np.ndarray, *, far: bool) -> int:
    """How far, in source pixels, places between the known ones may lie outside of these.

    A bend at most as far as the steps change; `far`, as far as the next known place.
    """
    with np.errstate(invalid="ignore"):
        steps = [np.diff(values, axis=axis) for axis in (0, 1)]
        bends = [np.diff(step, axis=axis) for axis, step in enumerate(steps)]
    ways = [np.abs(way)[np.isfinite(way)].max(initial=0.0) for way in (*bends, *(steps if far else ()))]
    return math.ceil(min(max(ways), 1e9)) + 1
