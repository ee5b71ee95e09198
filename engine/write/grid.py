"""Where the cells of a cube lie: CRS, transform, and how its rows and columns run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import xarray as xr
from pyproj import CRS
from pyproj.exceptions import CRSError
from rasterio import Affine

from engine.errors import Problem
from engine.write.axes import Axes, unsuitable
from processes.cubes.axes import facts, stored

TOLERANCE = 0.01
"""How far, in cells, a coordinate may be from an even spacing: float32 degrees need this much."""


@dataclass(frozen=True)
class Grid:
    """A regular grid with the north up: row 0 has the greatest y, column 0 the least x."""

    width: int
    """Columns."""
    height: int
    """Rows."""
    transform: Affine
    """From (column, row), corners, to (x, y) in the CRS."""
    crs: CRS | None
    """Coordinate reference system; None where the cube names none."""
    flip_x: bool
    """Whether the cube's x runs westward, against the columns."""
    flip_y: bool
    """Whether the cube's y runs northward, against the rows."""

    @property
    def corners(self) -> tuple[tuple[float, float], ...]:
        """(x, y) of the four corners in the CRS, counterclockwise from the lower left."""
        return tuple(
            _apply(self.transform, column, row)
            for column, row in ((0, self.height), (self.width, self.height), (self.width, 0), (0, 0))
        )

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in the CRS."""
        xs, ys = zip(*self.corners, strict=True)
        return min(xs), min(ys), max(xs), max(ys)


def grid_of(cube: xr.DataArray, axes: Axes, name: str) -> Grid:
    """The grid of a raster cube; refused, on behalf of format `name`, where the spacing is not even."""
    if axes.x is None or axes.y is None:
        missing = " and ".join(part for part, dim in (("x", axes.x), ("y", axes.y)) if dim is None)
        raise unsuitable(name, cube, f"it takes raster cubes, and there is no spatial dimension {missing}")
    known = _known_transform(cube)
    x0, dx = _spacing(cube, axes.x, known and known.a, name)
    y0, dy = _spacing(cube, axes.y, known and known.e, name)
    width, height = cube.sizes[axes.x], cube.sizes[axes.y]
    crs = crs_of(cube, axes)
    if known is not None and (known.b or known.d):
        west, north = _apply(known, x0 - dx / 2, y0 - dy / 2)
        turned = Affine(known.a * dx, known.b * dy, west, known.d * dx, known.e * dy, north)
        return Grid(width, height, turned, crs, flip_x=False, flip_y=False)
    west = x0 - dx / 2 if dx > 0 else x0 + dx * (width - 0.5)
    north = y0 - dy / 2 if dy < 0 else y0 + dy * (height - 0.5)
    transform = Affine(abs(dx), 0.0, west, 0.0, -abs(dy), north)
    if known is not None and _same_place(known, transform, width, height):
        transform = known
    return Grid(width, height, transform, crs, flip_x=dx < 0, flip_y=dy > 0)


def crs_of(cube: xr.DataArray, axes: Axes) -> CRS | None:
    """The CRS from the grid mapping coordinate, else from the spatial or geometry coordinates."""
    wanted = cube.encoding.get("grid_mapping") or cube.attrs.get("grid_mapping") or "spatial_ref"
    known = cube.coords.variables
    scalars = [name for name, coord in known.items() if coord.ndim == 0]
    candidates: list[Any] = []
    for name in sorted(scalars, key=lambda n: n != wanted):
        attrs = known[name].attrs
        candidates += [attrs.get("crs_wkt"), attrs.get("spatial_ref")]
    for dim in (axes.x, axes.y, axes.geometry):
        if dim is not None and dim in known:
            attrs = known[dim].attrs
            candidates += [attrs.get("reference_system"), attrs.get("crs")]
    for candidate in candidates:
        if candidate is not None:
            return _read_crs(candidate)
    return None


def _read_crs(text: Any) -> CRS:
    told = int(text) if isinstance(text, np.integer) else text
    try:
        return _known(told) if isinstance(told, (int, str)) else CRS.from_user_input(told)
    except CRSError as fault:
        raise Problem(
            "FormatUnsuitable",
            f"The coordinate reference system of the cube cannot be read: {str(text)[:80]!r}.",
            hint="Give the cube a CRS as an EPSG code or WKT2.",
        ) from fault


@lru_cache(maxsize=64)  # cubes of one collection have the same
def _known(told: int | str) -> CRS:
    return CRS.from_user_input(told)


def _spacing(cube: xr.DataArray, dim: str, known: float | None, name: str) -> tuple[float, float]:
    """First label and step along a spatial dimension."""
    labels = stored(cube, dim).astype("float64")
    if labels.size > 1:
        step = (labels[-1] - labels[0]) / (labels.size - 1)
        even = labels[0] + step * np.arange(labels.size)
        if step and np.abs(labels - even).max() <= TOLERANCE * abs(step):
            return float(labels[0]), float(step)
        steps = np.diff(labels)
        reason = f"it takes even spacing, and that of {dim!r} goes from {steps.min():g} to {steps.max():g}"
        raise unsuitable(name, cube, reason)
    step = facts(cube, dim).get("resolution", known)
    if not step:
        raise unsuitable(name, cube, f"with a single label along {dim!r} the size of a cell is unknown")
    return float(labels[0]), float(step)


def _known_transform(cube: xr.DataArray) -> Affine | None:
    """The transform that the grid mapping coordinate states.

    With a rotation, x and y of the cube count cells (0.5, 1.5...) and the transform takes them to the CRS.
    """
    for coord in cube.coords.variables.values():
        if coord.ndim == 0 and "GeoTransform" in coord.attrs:
            gdal = [float(number) for number in str(coord.attrs["GeoTransform"]).split()]
            if len(gdal) == 6:
                return Affine.from_gdal(*gdal)
    return None


def _same_place(one: Affine, other: Affine, width: int, height: int) -> bool:
    """Whether two transforms put all corners within a thousandth of a cell: the stated one is then exact."""
    cell = max(abs(other.a), abs(other.e))
    return all(
        abs(p - q) <= cell / 1000
        for corner in ((0, 0), (width, height))
        for p, q in zip(_apply(one, *corner), _apply(other, *corner), strict=True)
    )


def _apply(t: Affine, column: float, row: float) -> tuple[float, float]:
    return t.a * column + t.b * row + t.c, t.d * column + t.e * row + t.f
