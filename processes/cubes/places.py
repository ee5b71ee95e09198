"""Where cells are: CRS, grid, boxes and geometries on it."""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache
from typing import Any

import numpy as np
import pyproj
import shapely
import xarray as xr
from affine import Affine
from odc.geo.crs import CRS
from odc.geo.geobox import GeoBox
from odc.geo.xr import xr_coords
from pyproj.exceptions import CRSError

from processes.cubes import axes
from processes.cubes.assembly import Labels, labels_along, labels_beside
from processes.cubes.named import Named
from processes.errors import IncompatibleDataCubes, ProcessParameterInvalid
from processes.types import BBox

Box = tuple[float, float, float, float]
"""Smallest x and y, largest x and y."""
LATTICE = 23
"""Points along each side of a box that is looked at in another CRS."""


@lru_cache(maxsize=128)
def read_crs(crs: Any, parameter: str) -> pyproj.CRS:
    """A CRS from an EPSG code, WKT2 or another text that PROJ reads."""
    try:
        return _known(crs) if isinstance(crs, (int, str)) else pyproj.CRS.from_user_input(crs)
    except CRSError:
        raise ProcessParameterInvalid(
            f"{str(crs)[:80]!r} is no coordinate reference system that can be read",
            hint="Give an EPSG code such as 32632, or WKT2.",
            parameter=parameter,
        ) from None


@lru_cache(maxsize=64)  # each node of a graph asks for that of its cube
def _known(crs: int | str) -> pyproj.CRS:
    return pyproj.CRS.from_user_input(crs)


def crs_of(cube: xr.DataArray) -> pyproj.CRS | None:
    """The CRS of the cube's cells, from `spatial_ref` or the attributes of its coordinates."""
    told = _told(cube)
    return None if told is None else read_crs(told, "data")


def crs_text_of(cube: xr.DataArray) -> str | None:
    """The same as short as can be, as `crs_text`."""
    told = _told(cube)
    return None if told is None else _shortened(told)


def _told(cube: xr.DataArray) -> int | str | None:
    """What a cube says of its CRS: a code, WKT, or another text."""
    mapping = axes.facts(cube, "spatial_ref")
    if wkt := mapping.get("crs_wkt") or mapping.get("spatial_ref"):
        return str(wkt)
    x = axes.axis(cube, "x")
    given = axes.facts(cube, x).get("reference_system") if x else None
    given = given or cube.attrs.get("crs")
    return given if isinstance(given, (int, str)) else None


@lru_cache(maxsize=64)  # to look a code up takes as long as all else of a small grid
def _shortened(told: int | str) -> str:
    return crs_text(read_crs(told, "data"))


def grid(cube: xr.DataArray) -> GeoBox:
    """The regular grid that the cells lie on."""
    y, x = axes.plane(cube)
    crs = crs_text_of(cube)
    if crs is None:
        raise IncompatibleDataCubes(
            "the cube has no coordinate reference system, so that it cannot be put onto another grid"
        )
    xs, ys = (axes.stored(cube, dim).astype(float) for dim in (x, y))
    rx, ry = spacing(xs, x), spacing(ys, y)
    origin = Affine(rx, 0, xs[0] - rx / 2, 0, ry, ys[0] - ry / 2)
    return GeoBox((len(ys), len(xs)), origin, crs)


def coordinates(grid: GeoBox) -> dict[Hashable, xr.Variable]:
    """The centres of a grid's cells along `y` and `x`, and its CRS as `spatial_ref`."""
    return {name: coord.copy(deep=False) for name, coord in grid_labels(grid).coords.items()}


def grid_labels(grid: GeoBox, y: str = "y", x: str = "x") -> Labels:
    """The same with their indexes, under these names."""
    return _grid_labels(Named(grid), y, x)


@lru_cache(maxsize=64)  # to make them takes longer than to warp a small block
def _grid_labels(named: Named, y: str, x: str) -> Labels:
    made = {str(name): coord.variable for name, coord in xr_coords(named.grid, dims=("y", "x")).items()}
    assert named.grid.crs is not None
    found = labels_beside("spatial_ref", made["spatial_ref"])
    for dim, axis in ((x, "x"), (y, "y")):
        made[axis].values.flags.writeable = False
        attrs = {**made[axis].attrs, **spatial_attributes(axis, named.grid.crs)}
        found = labels_along(dim, made[axis].values, attrs) | found
    return found


def spatial_attributes(axis: str, crs: CRS) -> dict[str, Any]:
    """What a spatial coordinate says of itself."""
    return {"type": "spatial", "axis": axis, "reference_system": reference_system(crs)}


def reference_system(crs: CRS) -> int | str:
    """EPSG code, or WKT2 where there is none."""
    return crs.epsg if crs.epsg is not None else str(crs.to_wkt(version="WKT2_2019"))


def crs_text(crs: pyproj.CRS) -> str:
    """A CRS as short as can be: its EPSG code where it has one, else WKT2."""
    code = crs.to_epsg()
    return crs.to_wkt() if code is None else f"EPSG:{code}"


def spacing(values: np.ndarray, name: str) -> float:
    """The distance from one label to the next, the same everywhere."""
    if len(values) < 2:
        raise IncompatibleDataCubes(
            f"{'one label' if len(values) else 'no label'} along {name!r} does not tell the size of the cells",
            hint="Do this before the cube is cut to so few cells.",
        )
    values = values.astype(float)  # the ends of long axes of float32 are cells off by its own arithmetic
    steps = np.diff(values)
    step = float((values[-1] - values[0]) / (len(values) - 1))
    if not (np.abs(steps - step) <= 1e-3 * abs(step)).all():
        raise IncompatibleDataCubes(
            f"the labels along {name!r} are not evenly spaced",
            hint="Do this before labels are left out.",
        )
    return step


def same_grid(one: xr.DataArray, other: xr.DataArray, tolerance: float = 1e-3) -> bool:
    """Do the cells of both lie on one lattice, so that labels can be matched? `tolerance` is in cells."""
    crs, other_crs = crs_of(one), crs_of(other)
    if crs is not None and other_crs is not None and crs != other_crs:
        return False
    for name, other_name in zip(axes.plane(one), axes.plane(other, "mask"), strict=True):
        mine, theirs = (c.coords[n].values.astype(float) for c, n in ((one, name), (other, other_name)))
        if np.array_equal(mine, theirs):
            continue
        steps = [spacing(v, n) for v, n in ((mine, name), (theirs, other_name)) if len(v) > 1]
        if not steps or not min(len(mine), len(theirs)):
            continue  # one cell each, or none, is on some lattice with whatever there is
        step, other_step = steps[0], steps[-1]
        offset = (theirs[0] - mine[0]) / step
        if abs(step - other_step) > tolerance * abs(step) or abs(offset - round(offset)) > tolerance:
            return False
    return True


def boxes_in(box: BBox, crs: pyproj.CRS | None) -> list[Box]:
    """A box in another CRS: what is around it there; two boxes across the antimeridian."""
    own = read_crs(box.crs, "extent")
    parts = [(box.west, box.south, box.east, box.north)]
    if box.west > box.east:
        parts = [(box.west, box.south, 180.0, box.north), (-180.0, box.south, box.east, box.north)]
    if crs is None or crs == own:
        return parts
    return [found for part in parts for found in envelopes(part, own, crs)]


def envelopes(part: Box, own: pyproj.CRS, crs: pyproj.CRS) -> list[Box]:
    """The box around a box in another CRS; two across the antimeridian, none where nothing of it can be shown."""
    transformer = pyproj.Transformer.from_crs(own, crs, always_xy=True)
    if not crs.is_geographic:
        reached = reach(part, transformer)
        return [] if reached is None else [reached]
    west, south, east, north = transformer.transform_bounds(*part, densify_pts=LATTICE)
    if not np.isfinite([west, south, east, north]).all():
        raise ProcessParameterInvalid(
            f"the box {part} is outside of where its coordinate reference system can be used",
            hint="Give the box in longitude and latitude.",
            parameter="extent",
        )
    if west > east:
        return [(west, south, 180.0, north), (-180.0, south, east, north)]
    return [(west, south, east, north)]


def reach(part: Box, transformer: pyproj.Transformer, closer: int = 2) -> Box | None:
    """The box around a lattice of points in a projection, which is looked at again where it reaches farthest.

    The edges alone do not tell: those of a box around the globe lie all on the far side of most projections
    (test_filter_bbox_around_the_globe).
    """
    xs, ys = (np.linspace(a, b, LATTICE) for a, b in zip(part[:2], part[2:], strict=True))
    points = np.stack(transformer.transform(*np.meshgrid(xs, ys)))
    points = np.where(np.isfinite(points).all(axis=0), points, np.nan)
    if np.isnan(points).all():
        return None
    low = [int(np.nanargmin(axis)) for axis in points]
    high = [int(np.nanargmax(axis)) for axis in points]
    x, y = (axis.ravel() for axis in points)
    boxes = [(float(x[low[0]]), float(y[low[1]]), float(x[high[0]]), float(y[high[1]]))]
    for row, column in {divmod(i, LATTICE) for i in (*low, *high)} if closer else ():
        (left, right), (bottom, top) = (
            (float(axis[max(i - 1, 0)]), float(axis[min(i + 1, LATTICE - 1)]))
            for axis, i in ((xs, column), (ys, row))
        )
        boxes += filter(None, [reach((left, bottom, right, top), transformer, closer - 1)])
    west, south, east, north = zip(*boxes, strict=True)
    return min(west), min(south), max(east), max(north)


def inside(cube: xr.DataArray, box: BBox) -> xr.DataArray:
    """The cells whose centre is inside the box."""
    y, x = axes.plane(cube)
    crs = crs_of(cube)
    xs, ys = (axes.stored(cube, dim) for dim in (x, y))
    keep_x, keep_y = np.zeros(len(xs), dtype=bool), np.zeros(len(ys), dtype=bool)
    for west, south, east, north in boxes_in(box, crs):
        keep_x |= (xs >= west) & (xs <= east)
        if crs is not None and crs.is_geographic and xs.size and xs.max() > 180:  # longitudes from 0 to 360
            keep_x |= (xs >= west + 360) & (xs <= east + 360)
        keep_y |= (ys >= south) & (ys <= north)
    if keep_x.all() and keep_y.all():
        return cube
    return cube.isel({x: whole_or(keep_x), y: whole_or(keep_y)})


def whole_or(keep: np.ndarray) -> Any:
    """A selection as a slice where it is in one piece: slices stay cheap in lazy arrays."""
    places = np.flatnonzero(keep)
    if len(places) and places[-1] - places[0] + 1 == len(places):
        return slice(int(places[0]), int(places[-1]) + 1)
    return places


def geometries_inside(cube: xr.DataArray, box: BBox) -> xr.DataArray:
    """The geometries that are inside the box as a whole, along every dimension of them; empty ones are not."""
    for dim in axes.of_kind(cube, "geometry"):
        area = shapely.union_all([shapely.box(*part) for part in boxes_in(box, geometry_crs(cube, dim))])
        geometries = cube.coords[dim].values
        if not shapely.is_valid_input(geometries).all():
            raise ProcessParameterInvalid(f"the labels along {dim!r} are no geometries", parameter="data")
        cube = cube.isel({dim: shapely.covers(area, geometries) & ~shapely.is_empty(geometries)})
    return cube


def geometry_crs(cube: xr.DataArray, dim: str) -> pyproj.CRS:
    """The CRS of the geometries, from their coordinate or its index (xvec); WGS 84 where nothing is said."""
    indexed = getattr(cube.xindexes.get(dim), "crs", None)
    return read_crs(cube.coords[dim].attrs.get("crs") or indexed or 4326, "data")
