"""Writes raster cubes as PNG images, one per date: grey, a colour ramp, RGB or RGBA, no-data transparent."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from engine.write import colormaps
from engine.write.atomic import Staging, storing
from engine.write.axes import refuse_empty, unsuitable
from engine.write.bands import is_logical
from engine.write.model import Asset, Format, Index, Option, Task
from engine.write.options import settle
from engine.write.picture import Picture, missing_in, plain_picture, ramp_picture, range_of, refuse_unfit
from engine.write.png_file import FASTEST, PngWriter, check_png
from engine.write.pour import pour
from engine.write.sheets import Raster, raster_of
from engine.write.spool import Shelf, Spool, shelf_or_spool
from engine.write.stac_fields import projection
from engine.write.stretch import Sample, Stretch, percentiles
from engine.write.tally import Tally, valid_values

STRIP = 256
"""Rows that are encoded at once."""

LONGEST_SIDE = 2**31 - 1


def encode_png(
    cells: np.ndarray,
    *,
    nodata: float | None = None,
    low: float | None = None,
    high: float | None = None,
    colormap: str | None = None,
    zlevel: int = FASTEST,
) -> bytes:
    """Cells as the bytes of an image, without a file: for tiles and previews.

    `cells` are (rows, columns) or (bands, rows, columns), the north up, with 1 band (grey, or coloured by
    `colormap`), 3 (RGB) or 4 (RGBA). `low` and `high` are the options `min` and `max` of the format, with the
    same defaults, but percentiles are those of these cells: give both where tiles have to match their neighbours.
    NaN, infinities and `nodata` are transparent.
    """
    logical = cells.dtype.kind == "b"
    cells = np.atleast_3d(cells.T).T.view("uint8") if logical else np.atleast_3d(cells.T).T
    if cells.ndim != 3 or len(cells) not in (1, 3, 4) or cells.dtype.kind not in "iuf" or 0 in cells.shape:
        raise ValueError(f"no image has the shape {cells.shape} and the type {cells.dtype}")
    refuse_unfit(len(cells), colormap, low, high)
    stretch = range_of(cells.dtype, logical, low, high, lambda: percentiles(valid_values(cells[:3], nodata)))
    return _encoded(cells, nodata, stretch, colormap, zlevel)


def encode_cube(cube: xr.DataArray, options: Mapping[str, Any] | None = None) -> bytes:
    """A small raster cube of one date, in memory, as the bytes of an image; options are those of the format."""
    refuse_empty(cube)
    chosen = settle(FORMAT.name, FORMAT.parameters, options)
    raster = raster_of(cube, Path("picture.png"), "PNG", ".png")
    _refuse_unfit(raster, cube, chosen)
    (piece,) = raster.pieces(tuple(slice(0, n) for n in cube.shape), cube.values)
    cells, nodata = piece.cells, raster.nodata
    stretch = range_of(
        raster.dtype, is_logical(raster.cube), chosen["min"], chosen["max"],
        lambda: percentiles(valid_values(cells[:3], nodata)),
    )  # fmt: skip
    return _encoded(cells, nodata, stretch, chosen["colormap"], chosen["zlevel"])


def _encoded(
    cells: np.ndarray, nodata: float | None, stretch: Stretch, colormap: str | None, zlevel: int
) -> bytes:
    if colormap is None:
        picture = plain_picture(len(cells), stretch, nodata, opaque=missing_in(cells, nodata) is None)
    else:
        picture = ramp_picture(colormap, stretch, nodata)
    file = io.BytesIO()
    rows, columns = cells.shape[1:]
    image = PngWriter(file, columns, rows, picture.channels, picture.palette, zlevel)
    image.rows(picture.paint(cells))
    image.end()
    return file.getvalue()


def write(task: Task, staging: Staging) -> tuple[Asset, ...]:
    """Keep the blocks and sample them, then encode each sheet in strips, and read it back."""
    raster = raster_of(task.value, task.target, "PNG", ".png")
    _refuse_unfit(raster, task.value, task.options)
    places = [staging.claim(sheet.name) for sheet in raster.sheets]
    sample = Sample(raster, bands=min(len(raster.bands), 3))
    tallies = [[Tally(raster.nodata) for _ in raster.bands] for _ in raster.sheets]
    assets = []
    with shelf_or_spool(raster, staging) as spool:

        def take(index: Index, block: np.ndarray) -> None:
            for piece in raster.pieces(index, block):
                spool.put(piece)
                sample.add(piece)
                for band, cells in enumerate(piece.cells, start=piece.where[0].start):
                    tallies[piece.sheet][band].add(cells)

        pour(task.stream, raster.cube, take)
        low, high = task.options["min"], task.options["max"]
        stretch = range_of(raster.dtype, is_logical(raster.cube), low, high, sample.range)
        for number, (sheet, place) in enumerate(zip(raster.sheets, places, strict=True)):
            picture = _picture(raster, tallies[number], stretch, task.options["colormap"])
            with storing(place):
                check_png(place, _encode(spool, number, place, picture, task.options["zlevel"]))
            spool.drop(number)
            assets.append(_asset(raster, number, staging.final(sheet.name), stretch))
    return tuple(assets)


def _refuse_unfit(raster: Raster, value: Any, options: Mapping[str, Any]) -> None:
    count = len(raster.bands)
    if count not in (1, 3, 4):
        raise unsuitable("PNG", value, f"it takes 1 band (grey), 3 (RGB) or 4 (RGBA), not {count}")
    if max(raster.grid.width, raster.grid.height) > LONGEST_SIDE:
        raise unsuitable("PNG", value, f"it takes up to {LONGEST_SIDE} rows and columns")
    refuse_unfit(count, options["colormap"], options["min"], options["max"])


def _picture(raster: Raster, tallies: list[Tally], stretch: Stretch, colormap: str | None) -> Picture:
    """The kind of PNG that holds a sheet."""
    if colormap is not None:
        return ramp_picture(colormap, stretch, raster.nodata)
    opaque = all(tally.valid == tally.cells for tally in tallies)
    return plain_picture(len(raster.bands), stretch, raster.nodata, opaque)


def _encode(spool: Shelf | Spool, sheet: int, place: Path, picture: Picture, level: int) -> int:
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
        "zlevel": Option("integer", "Effort of compression.", FASTEST, minimum=1, maximum=9),
    },
    write=write,
)
