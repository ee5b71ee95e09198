"""How cells become the pixels of an image: grey, a colour ramp, RGB or RGBA, no-data transparent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.errors import Problem
from engine.write import colormaps
from engine.write.stretch import Stretch


@dataclass(frozen=True)
class Picture:
    """How cells become channels."""

    channels: int
    """Bytes of a pixel."""
    palette: np.ndarray | None
    """Colours with opacity by level, (256, 4); level 0 is no-data."""
    paint: Callable[[np.ndarray], np.ndarray]
    """From (bands, rows, columns) to (rows, columns, channels)."""


def ramp_picture(colormap: str, stretch: Stretch, nodata: float | None) -> Picture:
    """One band in the colours of a ramp."""
    colours = np.zeros((256, 4), dtype="uint8")
    colours[1:, :3], colours[1:, 3] = colormaps.ramp(colormap, 255), 255

    def paint(cells: np.ndarray) -> np.ndarray:
        levels = stretch.levels(cells[0], 254)
        levels += np.uint8(1)
        if (missing := missing_in(cells, nodata)) is not None:
            levels[missing] = 0
        return levels[..., np.newaxis]

    return Picture(1, colours, paint)


def plain_picture(bands: int, stretch: Stretch, nodata: float | None, opaque: bool) -> Picture:
    """1 band in grey, 3 as RGB, 4 as RGBA; `opaque` says that no cell is missing, so no opacity is stored."""
    colours = min(bands, 3)
    opaque = opaque and bands != 4
    channels = colours + (not opaque)

    def paint(cells: np.ndarray) -> np.ndarray:
        pixels = np.empty((*cells.shape[1:], channels), "uint8")
        missing = None if opaque else missing_in(cells, nodata)
        there = np.uint8(1) if missing is None else (~missing).view("uint8")
        for number, band in enumerate(cells[:colours]):
            levels = stretch.levels(band, 255)
            np.multiply(levels, there, out=pixels[..., number])
        if not opaque:
            opacity = opacity_of(cells[3]) if bands == 4 else np.uint8(255)
            np.multiply(opacity, there, out=pixels[..., -1])
        return pixels

    return Picture(channels, None, paint)


def missing_in(cells: np.ndarray, nodata: float | None) -> np.ndarray | None:
    """Where a band has no value, (rows, columns); None where there is no such place."""
    if cells.dtype.kind == "f":
        found = ~np.isfinite(cells)
    elif nodata is None:
        return None
    else:
        found = cells == nodata
    places = found[0] if len(found) == 1 else found.any(axis=0)
    return np.asarray(places) if places.any() else None


def refuse_unfit(bands: int, colormap: str | None, low: float | None, high: float | None) -> None:
    """Options that do not fit the cells or each other."""
    if colormap is not None and bands != 1:
        raise Problem(
            "FormatUnsuitable",
            f"The options do not fit: colormap {colormap!r} colours one band, and there are {bands}.",
            hint="Choose one band, or leave colormap out.",
        )
    if low is not None and high is not None and low >= high:
        raise Problem(
            "FormatUnsuitable",
            f"The options do not fit: min ({low}) must be less than max ({high}).",
            hint="Give the value that is darkest as min, the brightest as max.",
        )


def range_of(
    dtype: np.dtype[Any],
    logical: bool,
    low: float | None,
    high: float | None,
    sampled: Callable[[], tuple[float, float]],
) -> Stretch:
    """The range that was asked for; else false to true, all of uint8, or what a sample says."""
    if low is None or high is None:
        if logical:
            found = (0.0, 1.0)
        elif dtype == np.dtype("uint8"):
            found = (0.0, 255.0)
        else:
            found = sampled()
        low = found[0] if low is None else low
        high = found[1] if high is None else high
    return Stretch(low, high)


def opacity_of(cells: np.ndarray) -> np.ndarray:
    """A band as opacity: floats go from 0 to 1, integers up to the greatest of their type."""
    highest = 1.0 if cells.dtype.kind == "f" else float(np.iinfo(cells.dtype).max)
    return Stretch(0.0, highest).levels(cells, 255)
