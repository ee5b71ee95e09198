"""Geometries on a grid: which cells are in which. What reads them (`shapes`) is at hand here, too."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import dask.array as da
import numpy as np
import pyproj
import shapely
import xarray as xr

from processes.cubes import axes, places
from processes.cubes.masks import mask
from processes.cubes.scanlines import cells_in
from processes.cubes.shapes import Geometries, crs_name, geometry, moved, parts_of, read, valid

__all__ = [
    "Geometries", "cells_of", "crs_name", "geometry", "in_part", "marked", "masked_outside", "on_plane", "parts_of", "read",
]  # fmt: skip

PIECES = 256
"""Edges are cut to this share of the grid's extent before they are put into its CRS, where they may bend."""
POLYGON = 3
"""GEOS's number for polygons."""


@dataclass(frozen=True)
class Zones:
    """For each geometry the flat places of its cells in the plane (row times width plus column), ascending."""

    places: tuple[np.ndarray, ...]

    def cells(self) -> np.ndarray:
        """All cells that are in any geometry, ascending."""
        return np.unique(np.concatenate(self.places)) if self.places else np.zeros(0, dtype=int)

    def members(self, chosen: np.ndarray) -> tuple[np.ndarray, ...]:
        """For each geometry the places of its cells among the chosen ones."""
        return tuple(np.searchsorted(chosen, p) for p in self.places)


def cells_of(cube: xr.DataArray, given: Geometries) -> Zones:
    """Which cells are in which geometry."""
    y, x = axes.plane(cube)
    xs, ys = cube.coords[x].values, cube.coords[y].values
    shapes = on_plane(cube, given)
    if not (in_order(xs) and in_order(ys)):
        return Zones(tuple(in_geometry(shape, xs, ys) for shape in shapes))
    found: list[np.ndarray | None] = [None] * len(shapes)
    plain = np.flatnonzero((shapely.get_type_id(shapes) == POLYGON) & ~shapely.is_empty(shapes))
    for place, cells in zip(
        plain, cells_in(shapes[plain], xs, ys, lambda p: in_polygon(p, xs, ys)), strict=True
    ):
        found[place] = cells
    return Zones(
        tuple(
            in_geometry(shape, xs, ys) if cells is None else cells
            for shape, cells in zip(shapes, found, strict=True)
        )
    )


def in_order(labels: np.ndarray) -> bool:
    """Are these numbers that ascend or descend, each other than the one before?"""
    if not len(labels) or labels.dtype.kind not in "iuf":
        return False
    steps = np.diff(labels)
    return bool(np.isfinite(labels).all() and ((steps > 0).all() or (steps < 0).all()))


def on_plane(cube: xr.DataArray, given: Geometries) -> np.ndarray:
    """The geometries in the CRS of the cube.

    Only what is near the cube is put there: a polygon around the world has no place in a UTM zone, its part near
    the cube has.
    """
    crs = places.crs_of(cube)
    if crs is None or crs == given.crs:
        return valid(given.coord, collapsed=False)
    y, x = axes.plane(cube)
    xs, ys = cube.coords[x].values.astype(float), cube.coords[y].values.astype(float)
    if not xs.size or not ys.size:
        return np.full(len(given.coord), shapely.GeometryCollection(), dtype=object)
    window = near(xs, ys, crs, given.crs)
    shapes = valid(given.coord, collapsed=False)
    if window is not None:
        beyond = ~shapely.covered_by(shapes, window)
        shapes = shapes.copy()
        shapes[beyond] = shapely.intersection(shapes[beyond], window)
        west, south, east, north = window.bounds
        shapes = shapely.segmentize(shapes, max(east - west, north - south) / PIECES)
    return moved(shapes, given.crs, crs, "geometries")


def near(xs: np.ndarray, ys: np.ndarray, crs: pyproj.CRS, other: pyproj.CRS) -> Any:
    """A box in another CRS around a grid, with a margin; `None` where it is no box there."""
    pad_x, pad_y = (np.ptp(v) / 10 + 2 * step(v) for v in (xs, ys))
    if not pad_x or not pad_y:
        pad_x = pad_y = max(pad_x, pad_y, 1e-3 if crs.is_geographic else 100.0)
    transformer = pyproj.Transformer.from_crs(crs, other, always_xy=True)
    bounds = transformer.transform_bounds(
        xs.min() - pad_x, ys.min() - pad_y, xs.max() + pad_x, ys.max() + pad_y, densify_pts=21
    )
    if not np.isfinite(bounds).all() or bounds[0] >= bounds[2]:
        return None
    return shapely.box(*bounds)


def step(labels: np.ndarray) -> float:
    """The usual distance between neighbours; 0 where there is one label."""
    return float(np.median(np.abs(np.diff(labels)))) if len(labels) > 1 else 0.0


# ------------------------------------------------------------------------------------- one by one
def in_geometry(shape: Any, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """Flat places of the cells in one geometry of any kind, ascending."""
    one = np.empty(1, dtype=object)
    one[0] = shape
    found = [in_part(part, xs, ys) for part in parts_of(one)]
    if len(found) == 1:
        return found[0]  # each once, and in order
    return np.unique(np.concatenate(found)) if found else np.zeros(0, dtype=int)


def in_part(part: Any, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """Flat places of the cells in a polygon, line or point."""
    if part.geom_type == "Polygon":
        return in_polygon(part, xs, ys)
    if part.geom_type == "Point":
        return closest(np.array([[part.x, part.y]]), xs, ys)
    return np.unique(closest(stations(shapely.get_coordinates(part), xs, ys), xs, ys))


def in_polygon(polygon: Any, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """Cells whose centre the polygon meets, its edge included."""
    west, south, east, north = polygon.bounds
    columns = np.flatnonzero((xs >= west) & (xs <= east))
    rows = np.flatnonzero((ys >= south) & (ys <= north))
    shapely.prepare(polygon)
    row, column = np.nonzero(shapely.intersects_xy(polygon, *np.meshgrid(xs[columns], ys[rows])))
    return rows[row] * len(xs) + columns[column]


def stations(corners: np.ndarray, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """A point in the middle of each stretch of a line between two borders of cells, (n, 2)."""
    found = []
    for start, end in pairwise(corners):
        cuts = np.unique(
            np.concatenate([[0.0, 1.0], crossings(xs, start[0], end[0]), crossings(ys, start[1], end[1])])
        )
        middles = (cuts[:-1] + cuts[1:]) / 2
        found.append(start + middles[:, None] * (end - start))
    return np.concatenate(found)


def crossings(labels: np.ndarray, start: float, end: float) -> np.ndarray:
    """Where on its way (0..1) from start to end a line meets the borders of the cells."""
    if start == end or len(labels) < 2:
        return np.zeros(0)
    half = (labels[1:] - labels[:-1]) / 2
    borders = np.concatenate([[labels[0] - half[0]], labels[:-1] + half, [labels[-1] + half[-1]]])
    with np.errstate(over="ignore"):  # on the shortest of ways everything is beyond its end
        way = (borders - start) / (end - start)
    return way[(way > 0) & (way < 1)]


def closest(points: np.ndarray, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """The cell closest to each point; none for points off the grid."""
    step_x, step_y = step(xs), step(ys)
    columns = nearest(xs, points[:, 0], (step_x or step_y) / 2)
    rows = nearest(ys, points[:, 1], (step_y or step_x) / 2)
    on = (columns >= 0) & (rows >= 0)
    return rows[on] * len(xs) + columns[on]


def nearest(labels: np.ndarray, wanted: np.ndarray, reach: float) -> np.ndarray:
    """Place of the label closest to each number, the first of two; -1 where none is within reach."""
    if not len(labels):
        return np.full(len(wanted), -1)
    order = np.argsort(labels)
    ordered = labels[order].astype(float)
    side: Literal["left", "right"] = "left" if labels[0] <= labels[-1] else "right"
    place = order[np.searchsorted((ordered[:-1] + ordered[1:]) / 2, wanted, side=side)]
    return np.where(np.abs(labels[place] - wanted) <= reach * (1 + 1e-9), place, -1)


# ------------------------------------------------------------------------------------- all at once
def marked(cube: xr.DataArray, shapes: np.ndarray) -> xr.DataArray:
    """A plane that is true in the cells of any geometry (in the CRS of the cube), lazy where the cube is."""
    y, x = axes.plane(cube)
    xs, ys = cube.coords[x].values, cube.coords[y].values
    parts = parts_of(shapes)
    is_polygon = shapely.get_type_id(parts) == POLYGON
    single = [in_part(part, xs, ys) for part in parts[~is_polygon]]
    flat = np.unique(np.concatenate(single)) if single else np.zeros(0, dtype=int)
    run = Marks(parts[is_polygon], xs, ys, flat)
    array: Any
    if not isinstance(cube.data, da.Array):
        array = run(np.arange(len(ys)), np.arange(len(xs)))
    else:
        rows, columns = (
            da.from_array(np.arange(cube.sizes[dim]), chunks=(cube.chunksizes[dim],)) for dim in (y, x)
        )
        array = da.blockwise(
            run,
            "yx",
            rows,
            "y",
            columns,
            "x",
            dtype=bool,
            meta=np.empty((0, 0), dtype=bool),
            align_arrays=False,
        )
    return xr.DataArray(array, dims=(y, x), coords={d: cube.coords[d] for d in (y, x)})


@dataclass(frozen=True)
class Marks:
    """The cells of polygons and some more cells, as a function of rows and columns of the plane."""

    polygons: np.ndarray
    """Polygons without parts."""
    xs: np.ndarray
    """Centres of all columns."""
    ys: np.ndarray
    """Centres of all rows."""
    cells: np.ndarray
    """Flat places of further cells, ascending."""

    def __call__(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        out = np.zeros((len(rows), len(columns)), dtype=bool)
        if not out.size:
            return out
        row, column = np.divmod(self.cells, len(self.xs))
        here = (row >= rows[0]) & (row <= rows[-1]) & (column >= columns[0]) & (column <= columns[-1])
        out[row[here] - rows[0], column[here] - columns[0]] = True
        xs, ys = self.xs[columns], self.ys[rows]
        for polygon in self.near(xs, ys):
            out.flat[in_polygon(polygon, xs, ys)] = True
        return out

    def near(self, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
        """Copies of the polygons that may reach a block: threads must not prepare the same geometry at once."""
        west, south, east, north = shapely.bounds(self.polygons).reshape(-1, 4).T
        reach = (west <= xs.max()) & (east >= xs.min()) & (south <= ys.max()) & (north >= ys.min())
        return shapely.from_wkb(shapely.to_wkb(self.polygons[reach]))


def masked_outside(cube: xr.DataArray, given: Geometries) -> xr.DataArray:
    """The cube with no-data in all cells that are in none of the geometries."""
    return mask(cube, ~marked(cube, on_plane(cube, given)))
