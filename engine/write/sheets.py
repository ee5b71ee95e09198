"""A raster cube as sheets: one image per date, its bands in order, the north up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from engine.write.axes import Axes, axes_of, labels_of, unsuitable
from engine.write.bands import Band, bands_of, nodata_of, stored_type
from engine.write.dates import file_labels, rfc3339
from engine.write.grid import Grid, grid_of
from engine.write.model import Index


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
    """One for each date."""

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
        for offset, image in enumerate(cells):
            yield Piece(first + offset, where, np.ascontiguousarray(image, dtype=self.dtype))


def raster_of(cube: Any, target: Path, name: str, suffix: str) -> Raster:
    """See a cube as sheets of format `name`; refused where it is none of (t, bands, y, x)."""
    if not isinstance(cube, xr.DataArray) or cube.ndim == 0:
        raise unsuitable(name, cube, "it takes raster cubes")
    axes = axes_of(cube)
    extra = [dim for dim in (axes.geometry, *axes.others) if dim is not None]
    if extra:
        takes = "time, bands, y and x"
        raise unsuitable(name, cube, f"it takes the dimensions {takes}, and there is also {', '.join(extra)}")
    grid = grid_of(cube, axes, name)
    sheets = _sheets(cube, axes, target, suffix)
    return Raster(cube, axes, grid, bands_of(cube, axes), stored_type(cube, name), nodata_of(cube), sheets)


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
