"""Small rasters as tiles of a map: PNG or JPEG, with ranges that are given, so that neighbours agree."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from PIL import Image

from engine.errors import Problem
from engine.write.bands import is_logical
from engine.write.picture import missing_in, opacity_of, ramp_picture
from engine.write.png_file import FASTEST, PngWriter
from engine.write.sheets import Raster, raster_of
from engine.write.stretch import Stretch, percentiles
from engine.write.tally import valid_values

QUALITY = 85
"""Of JPEG, out of 100."""
WHITE = 255
Ranges = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Pixels:
    """An image before it is encoded."""

    channels: np.ndarray
    """(rows, columns, channels) of uint8: grey or levels of a palette, grey and opacity, RGB, RGBA."""
    palette: np.ndarray | None = None
    """Colours with opacity by level, (256, 4)."""


def picture_of(cube: xr.DataArray) -> Raster:
    """See a cube as one image.

    Raises:
        Problem: It is none, or more than one.
    """
    try:
        raster = raster_of(cube, Path("tile.png"), "A map", ".png")
    except Problem as problem:
        hint = "Reduce what is there besides x, y and up to 4 bands, for example with reduce_dimension."
        raise Problem(problem.code, problem.message, hint=hint, facts=problem.facts) from None
    if len(raster.sheets) != 1:
        dates = [sheet.title for sheet in raster.sheets]
        raise Problem(
            "FormatUnsuitable",
            f"A map shows one time, and the cube has {len(dates)}, from {dates[0]} to {dates[-1]}.",
            hint=f"Reduce the dimension {raster.axes.time!r}, for example with reduce_dimension and its reducer "
            "`last` or `median`, or choose a time with filter_temporal.",
            facts={"dimension": raster.axes.time, "times": len(dates)},
        )
    if len(raster.bands) > 4:
        names = ", ".join(band.name for band in raster.bands[:20])
        raise Problem(
            "FormatUnsuitable",
            f"A map shows up to 4 bands, and the cube has {len(raster.bands)}: {names}.",
            hint="Choose some with the setting `bands`, or with filter_bands.",
        )
    return raster


def colours(count: int) -> int:
    """How many of so many bands are colours; the last of 2 or 4 is opacity."""
    return 1 if count <= 2 else 3


def cells_of(raster: Raster) -> np.ndarray:
    """The cells of an image that is in memory, (bands, rows, columns), the north up."""
    (piece,) = raster.pieces(tuple(slice(0, n) for n in raster.cube.shape), raster.cube.values)
    return piece.cells


def known_range(raster: Raster) -> tuple[float, float] | None:
    """The range that follows from the type of the cells: false to true, or all of uint8."""
    if is_logical(raster.cube):
        return 0.0, 1.0
    return (0.0, 255.0) if raster.dtype == np.dtype("uint8") else None


def range_in(raster: Raster) -> tuple[float, float]:
    """The 2nd and the 98th percentile of the colours of an image that is in memory."""
    found = cells_of(raster)[: colours(len(raster.bands))]
    low, high = percentiles(valid_values(found, raster.nodata))
    return low, high if high > low else low + 1.0


def encode_tile(cube: xr.DataArray, format_: str, ranges: Ranges, colormap: str | None) -> bytes:
    """A raster cube of one time, in memory, as the bytes of a tile."""
    raster = picture_of(cube)
    return ENCODERS[format_](painted(cells_of(raster), raster.nodata, ranges, colormap))


@lru_cache(maxsize=16)
def empty_tile(size: int, format_: str) -> bytes:
    """A tile on which there is nothing."""
    return ENCODERS[format_](Pixels(np.zeros((size, size, 2), "uint8")))


def painted(cells: np.ndarray, nodata: float | None, ranges: Ranges, colormap: str | None) -> Pixels:
    """Cells, (bands, rows, columns), as pixels."""
    count = colours(len(cells))
    stretches = [Stretch(*(ranges[n] if len(ranges) > 1 else ranges[0])) for n in range(count)]
    if colormap is not None:
        picture = ramp_picture(colormap, stretches[0], nodata)
        return Pixels(picture.paint(cells), picture.palette)
    missing = missing_in(cells, nodata)
    levels = [stretch.levels(band, 255) for stretch, band in zip(stretches, cells, strict=False)]
    if missing is None and len(cells) == count:
        return Pixels(np.stack(levels, axis=-1))
    opacity = opacity_of(cells[-1]) if len(cells) > count else np.full(cells.shape[1:], 255, "uint8")
    pixels = np.stack([*levels, opacity], axis=-1)
    if missing is not None:
        pixels[missing] = 0
    return Pixels(pixels)


def png(pixels: Pixels) -> bytes:
    """Pixels as PNG."""
    file = io.BytesIO()
    rows, columns, channels = pixels.channels.shape
    image = PngWriter(file, columns, rows, channels, pixels.palette, FASTEST)
    image.rows(pixels.channels)
    image.end()
    return file.getvalue()


def jpeg(pixels: Pixels) -> bytes:
    """Pixels as JPEG; where nothing is, it is white."""
    channels = pixels.channels if pixels.palette is None else pixels.palette[pixels.channels[..., 0]]
    if channels.shape[-1] in (2, 4):
        opacity = channels[..., -1:].astype("uint16")
        mixed = channels[..., :-1] * opacity + WHITE * (255 - opacity)
        channels = (mixed // 255).astype("uint8")
    file = io.BytesIO()
    Image.fromarray(channels[..., 0] if channels.shape[-1] == 1 else channels).save(
        file, "JPEG", quality=QUALITY
    )
    return file.getvalue()


ENCODERS: Mapping[str, Callable[[Any], bytes]] = {"PNG": png, "JPEG": jpeg}
"""What makes files of pixels, by format."""
