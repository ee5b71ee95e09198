"""Writes raster cubes as PNG images, one per date: grey, a colour ramp, RGB or RGBA, no-data transparent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import Problem
from engine.write import colormaps
from engine.write.atomic import Staging, storing
from engine.write.axes import unsuitable
from engine.write.bands import is_logical
from engine.write.model import Asset, Format, Option, Task
from engine.write.png_file import PngWriter, check_png
from engine.write.sheets import Raster, raster_of
from engine.write.spool import Spool
from engine.write.stac_fields import projection
from engine.write.stretch import Sample, Stretch

STRIP = 256
"""Rows that are encoded at once."""

LONGEST_SIDE = 2**31 - 1


@dataclass(frozen=True)
class Picture:
    """How cells become channels."""

    channels: int
    """Bytes of a pixel."""
    palette: np.ndarray | None
    """Colours with opacity by level, (256, 4); level 0 is no-data."""
    paint: Callable[[np.ndarray], np.ndarray]
    """From (bands, rows, columns) to (rows, columns, channels)."""


def write(task: Task, staging: Staging) -> tuple[Asset, ...]:
    """Spool the blocks and sample them, then encode each sheet in strips, and read it back."""
    raster = raster_of(task.value, task.target, "PNG", ".png")
    _refuse_unfit(raster, task)
    places = [staging.claim(sheet.name) for sheet in raster.sheets]
    sample = Sample(raster, bands=min(len(raster.bands), 3))
    assets = []
    with Spool(raster, staging, watch=sample.add) as spool:
        spool.fill(task.stream)
        stretch = _stretch(raster, task, sample)
        for number, (sheet, place) in enumerate(zip(raster.sheets, places, strict=True)):
            picture = _picture(spool, number, stretch, task.options["colormap"])
            with storing(place):
                check_png(place, _encode(spool, number, place, picture, task.options["zlevel"]))
            spool.drop(number)
            assets.append(_asset(raster, number, staging.final(sheet.name), stretch))
    return tuple(assets)


def _refuse_unfit(raster: Raster, task: Task) -> None:
    count, colormap = len(raster.bands), task.options["colormap"]
    low, high = task.options["min"], task.options["max"]
    if count not in (1, 3, 4):
        raise unsuitable("PNG", task.value, f"it takes 1 band (grey), 3 (RGB) or 4 (RGBA), not {count}")
    if max(raster.grid.width, raster.grid.height) > LONGEST_SIDE:
        raise unsuitable("PNG", task.value, f"it takes up to {LONGEST_SIDE} rows and columns")
    if colormap is not None and count != 1:
        raise Problem(
            "FormatUnsuitable",
            f"The options do not fit: colormap {colormap!r} colours one band, and there are {count}.",
            hint="Choose one band, or leave colormap out.",
        )
    if low is not None and high is not None and low >= high:
        raise Problem(
            "FormatUnsuitable",
            f"The options do not fit: min ({low}) must be less than max ({high}).",
            hint="Give the value that is darkest as min, the brightest as max.",
        )


def _stretch(raster: Raster, task: Task, sample: Sample) -> Stretch:
    """The range from the options; else all of uint8, false to true, or the sample's percentiles."""
    low, high = task.options["min"], task.options["max"]
    if low is None or high is None:
        if is_logical(raster.cube):
            found = (0.0, 1.0)
        elif raster.dtype == np.dtype("uint8"):
            found = (0.0, 255.0)
        else:
            found = sample.range()
        low = found[0] if low is None else low
        high = found[1] if high is None else high
    return Stretch(low, high)


def _picture(spool: Spool, sheet: int, stretch: Stretch, colormap: str | None) -> Picture:
    """The kind of PNG that holds a sheet; without no-data and infinities no opacity is stored."""
    raster = spool.raster
    if colormap is not None:
        colours = np.zeros((256, 4), dtype="uint8")
        colours[1:, :3], colours[1:, 3] = colormaps.ramp(colormap, 255), 255

        def paint_levels(cells: np.ndarray) -> np.ndarray:
            levels = stretch.levels(cells[0], 254) + np.uint8(1)
            return np.where(_missing(cells, raster), np.uint8(0), levels)[..., np.newaxis]

        return Picture(1, colours, paint_levels)
    bands = len(raster.bands)
    opaque = bands != 4 and all(tally.valid == tally.cells for tally in spool.tallies[sheet])
    colours_only = min(bands, 3)

    def paint(cells: np.ndarray) -> np.ndarray:
        levels = stretch.levels(cells[:colours_only], 255)
        missing = _missing(cells, raster)
        levels[:, missing] = 0
        if opaque:
            return np.moveaxis(levels, 0, -1)
        opacity = _opacity(cells[3], raster.dtype) if bands == 4 else np.uint8(255)
        return np.moveaxis(
            np.concatenate([levels, np.where(missing, np.uint8(0), opacity)[np.newaxis]]), 0, -1
        )

    return Picture(colours_only + (not opaque), None, paint)


def _opacity(cells: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    """The fourth band as opacity: floats go from 0 to 1, integers up to the greatest of their type."""
    highest = 1.0 if dtype.kind == "f" else float(np.iinfo(dtype).max)
    return Stretch(0.0, highest).levels(cells, 255)


def _missing(cells: np.ndarray, raster: Raster) -> np.ndarray:
    """Where a band has no value, (rows, columns)."""
    if raster.dtype.kind == "f":
        return np.asarray(~np.isfinite(cells).all(axis=0))
    if raster.nodata is None:
        return np.zeros(cells.shape[1:], dtype=bool)
    return np.asarray((cells == raster.nodata).any(axis=0))


def _encode(spool: Spool, sheet: int, place: Path, picture: Picture, level: int) -> int:
    """Write the image; gives the checksum that it must read back with."""
    grid = spool.raster.grid
    with place.open("wb") as file:
        png = PngWriter(file, grid.width, grid.height, picture.channels, picture.palette, level)
        for start in range(0, grid.height, STRIP):
            png.rows(picture.paint(spool.rows(sheet, start, min(start + STRIP, grid.height))))
        png.end()
    return png.crc


def _asset(raster: Raster, number: int, href: Path, stretch: Stretch) -> Asset:
    sheet = raster.sheets[number]
    fields: dict[str, Any] = {
        "title": sheet.title,
        "description": f"Values from {stretch.low:g} to {stretch.high:g}, mapped onto 0 to 255.",
        **projection(raster.grid),
        "bands": [{"name": band.name} for band in raster.bands],
    }
    if sheet.moment is not None:
        fields["datetime"] = sheet.moment
    return Asset(href, FORMAT.media_type, ("visual",), fields)


FORMAT = Format(
    name="PNG",
    title="Portable Network Graphics",
    description=(
        "Raster cubes as 8-bit images to look at, one per date: 1 band is grey or coloured by a ramp, 3 bands "
        "are RGB, 4 are RGBA. Values are scaled from min..max; uint8 is kept as it is. No-data is transparent."
    ),
    suffixes=(".png",),
    media_type="image/png",
    gis_data_types=("raster",),
    parameters={
        "min": Option("number", "The darkest value; by default the 2nd percentile of a sample."),
        "max": Option("number", "The brightest value; by default the 98th percentile of a sample."),
        "colormap": Option("string", "Colour ramp for one band; grey by default.", enum=colormaps.NAMES),
        "zlevel": Option("integer", "Effort of compression.", 3, minimum=1, maximum=9),
    },
    write=write,
)
