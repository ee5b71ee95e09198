"""A raster cube as sheets: one image per date, its bands in order, the north up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from engine.write.axes import Axes, axes_of, labels_of, unsuitable
from engine.write.bands import Band, bands_of, nodata_of, stored_type
from engine.write.dates import file_labels, rfc3339
from engine.write.grid import Grid, grid_of
from engine.write.model import Index

MOST_BANDS = 65_535
"""What a TIFF can have."""


@dataclass(frozen=True)
class Sheet:
    """The image of one date."""

    name: str
    """Its file name."""
    title: str
    """Its date for people; the file's stem where the cube has no time."""
    moment: str | None
    """Its date as RFC 3339, where there is one."""


@dataclass(frozen=True)
class Piece:
    """A part of a block that lies in one sheet."""

    sheet: int
    """Which sheet."""
    where: Index
    """Bands, rows and columns of that sheet."""
    cells: np.ndarray
    """(bands, rows, columns), in the stored type."""


@dataclass(frozen=True)
class Raster:
    """How a cube becomes sheets."""

    cube: xr.DataArray
    """The cube."""
    axes: Axes
    """Its dimensions by part."""
    grid: Grid
    """Where its cells lie."""
    bands: tuple[Band, ...]
    """Its bands."""
    dtype: np.dtype[Any]
    """The stored type."""
    nodata: float | None
    """The stored no-data value."""
    sheets: tuple[Sheet, ...]
    """One for each date, or one for all."""
    stacked: bool = False
    """Are the dates bands of one sheet, all bands of a date together?"""

    def pieces(self, index: Index, block: np.ndarray) -> Iterator[Piece]:
        """Cut a block of the cube along time, and turn it the way the sheets lie."""
        order = [dim for dim in (self.axes.time, self.axes.bands, self.axes.y, self.axes.x) if dim]
        place = dict(zip(map(str, self.cube.dims), index, strict=True))
        cells = block.transpose([self.cube.dims.index(dim) for dim in order])
        cells = cells if self.axes.time else cells[np.newaxis]
        cells = cells if self.axes.bands else cells[:, np.newaxis]
        cells = cells[..., :: -1 if self.grid.flip_y else 1, :: -1 if self.grid.flip_x else 1]
        where = (
            place[self.axes.bands] if self.axes.bands else slice(0, 1),
            _turned(place[str(self.axes.y)], self.grid.height, self.grid.flip_y),
            _turned(place[str(self.axes.x)], self.grid.width, self.grid.flip_x),
        )
        first = place[self.axes.time].start if self.axes.time else 0
        for number, image in enumerate(cells, first):
            image = np.ascontiguousarray(image, dtype=self.dtype)
            yield Piece(0, self._above(number, where), image) if self.stacked else Piece(number, where, image)

    def _above(self, number: int, where: Index) -> Index:
        """The place of a part of a date in the sheet of all dates."""
        before = number * (len(self.bands) // self.cube.sizes[str(self.axes.time)])
        return (slice(before + where[0].start, before + where[0].stop), *where[1:])


def raster_of(cube: Any, target: Path, name: str, suffix: str, *, stacked: bool = False) -> Raster:
    """See a cube as sheets of format `name`; refused where it is none of (t, bands, y, x).

    Where it is `stacked`, several dates are bands of one sheet.
    """
    if not isinstance(cube, xr.DataArray) or cube.ndim == 0:
        raise unsuitable(name, cube, "it takes raster cubes")
    axes = axes_of(cube)
    extra = [dim for dim in (axes.geometry, *axes.others) if dim is not None]
    if extra:
        takes = "time, bands, y and x"
        raise unsuitable(name, cube, f"it takes the dimensions {takes}, and there is also {', '.join(extra)}")
    grid = grid_of(cube, axes, name)
    sheets = _sheets(cube, axes, target, suffix)
    raster = Raster(cube, axes, grid, bands_of(cube, axes), stored_type(cube, name), nodata_of(cube), sheets)
    return one_above_the_other(raster, target, name) if stacked and len(sheets) > 1 else raster


def one_above_the_other(raster: Raster, target: Path, name: str) -> Raster:
    """All sheets as one, whose bands are those of the first date, then those of the second."""
    count = len(raster.sheets) * len(raster.bands)
    if count > MOST_BANDS:
        raise unsuitable(
            name, raster.cube, f"a file has up to {MOST_BANDS} bands, and these would be {count}"
        )
    bands = tuple(
        replace(band, time=sheet.moment or sheet.title) for sheet in raster.sheets for band in raster.bands
    )
    return replace(raster, bands=bands, sheets=(Sheet(target.name, target.stem, None),), stacked=True)


def _sheets(cube: xr.DataArray, axes: Axes, target: Path, suffix: str) -> tuple[Sheet, ...]:
    if axes.time is None:
        return (Sheet(target.name, target.stem, None),)
    labels = labels_of(cube, axes.time)
    names = file_labels(labels)
    moments = [rfc3339(label) for label in labels]
    if len(names) == 1:
        return (Sheet(target.name, names[0], moments[0]),)
    return tuple(
        Sheet(f"{target.stem}_{name}{target.suffix or suffix}", name, moment)
        for name, moment in zip(names, moments, strict=True)
    )


def _turned(part: slice, size: int, flip: bool) -> slice:
    return slice(size - part.stop, size - part.start) if flip else part
