"""Geometries: read from GeoJSON or vector cubes, and found on a grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyproj
import shapely
import xarray as xr
from shapely.errors import ShapelyError

from processes.cubes import axes, places
from processes.cubes.masks import mask
from processes.errors import ProcessParameterInvalid

MAX_DEPTH = 16
"""Nested GeometryCollections beyond this are refused: thousands of them would end the process."""


@dataclass(frozen=True)
class Geometries:
    """Geometries with their properties."""

    dim: str
    """Name of their dimension."""
    coord: np.ndarray
    """The geometries as given."""
    crs: pyproj.CRS
    coords: Mapping[str, Any]
    """Coordinates of the vector cube that they make: themselves and their properties."""


def read(given: Any, parameter: str) -> Geometries:
    """Geometries from GeoJSON (Feature, FeatureCollection or Geometry) or a vector cube."""
    if isinstance(given, xr.DataArray):
        return from_cube(given, parameter)
    if not isinstance(given, Mapping):
        raise ProcessParameterInvalid("GeoJSON or a vector cube is needed", parameter=parameter)
    features = given.get("features") if given.get("type") == "FeatureCollection" else [given]
    if not isinstance(features, list):
        raise ProcessParameterInvalid("the FeatureCollection has no list of features", parameter=parameter)
    crs = places.read_crs(geojson_crs(given), parameter)
    shapes = np.empty(len(features), dtype=object)
    shapes[:] = [
        geometry(f.get("geometry") if f.get("type") == "Feature" else f, parameter) for f in features
    ]
    coords: dict[str, Any] = {"geometry": ("geometry", shapes, {"type": "geometry", "crs": crs_name(crs)})}
    for name in dict.fromkeys(k for f in features for k in (f.get("properties") or {})):
        if name not in ("geometry", "spatial_ref"):
            column = np.empty(len(features), dtype=object)
            column[:] = [(f.get("properties") or {}).get(name) for f in features]
            coords[name] = ("geometry", tidy(column))
    return Geometries("geometry", shapes, crs, coords)


def from_cube(cube: xr.DataArray, parameter: str) -> Geometries:
    """The geometries of a vector cube."""
    found = axes.of_kind(cube, "geometry")
    if len(found) != 1:
        raise ProcessParameterInvalid(
            f"a vector cube has one dimension of type geometry; this cube has {axes.listing(cube)}",
            parameter=parameter,
        )
    coords = {str(n): c.variable for n, c in cube.coords.items() if c.dims == (found[0],)}
    return Geometries(found[0], cube.coords[found[0]].values, places.geometry_crs(cube, found[0]), coords)


def tidy(column: np.ndarray) -> np.ndarray:
    """Numbers and texts of one kind as such; mixed columns stay objects."""
    if all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in column):
        return column.astype(np.float64 if any(isinstance(v, float) for v in column) else np.int64)
    return column


def geojson_crs(given: Mapping[str, Any]) -> Any:
    """The CRS of GeoJSON: WGS 84, or what the old `crs` member says."""
    name = (((given.get("crs") or {}).get("properties")) or {}).get("name")
    return 4326 if name is None or "CRS84" in str(name) else name


def crs_name(crs: pyproj.CRS) -> int | str:
    """EPSG code where there is one, else WKT2."""
    return crs.to_epsg() or crs.to_wkt()


def geometry(given: Any, parameter: str) -> Any:
    """One geometry of GeoJSON; an empty one for null."""
    if given is None:
        return shapely.GeometryCollection()
    level, part = 0, given
    while isinstance(part, Mapping) and part.get("type") == "GeometryCollection":
        level += 1
        if level > MAX_DEPTH:
            raise ProcessParameterInvalid(
                f"geometry collections are nested more than {MAX_DEPTH} deep", parameter=parameter
            )
        part = next((p for p in part.get("geometries") or () if p.get("type") == "GeometryCollection"), None)
    try:
        return shapely.geometry.shape(given)
    except (ShapelyError, ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise ProcessParameterInvalid(f"that is no GeoJSON geometry: {error}", parameter=parameter) from None


# -------------------------------------------------------------------------------------- on a grid
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
    crs = places.crs_of(cube)
    shapes = given.coord
    if crs is not None and crs != given.crs:
        transformer = pyproj.Transformer.from_crs(given.crs, crs, always_xy=True)
        shapes = shapely.transform(shapes, lambda c: np.column_stack(transformer.transform(c[:, 0], c[:, 1])))
    return Zones(tuple(np.sort(in_geometry(shape, xs, ys)) for shape in shapes))


def in_geometry(shape: Any, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """Flat places of the cells in one geometry of any kind."""
    if shape.is_empty:
        return np.zeros(0, dtype=int)
    found = [in_part(part, xs, ys) for part in shapely.get_parts(shape)]
    return np.unique(np.concatenate(found))


def in_part(part: Any, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """Flat places of the cells in a polygon, line or point."""
    if part.geom_type == "GeometryCollection" or part.geom_type.startswith("Multi"):
        return in_geometry(part, xs, ys)
    if part.geom_type == "Polygon":
        return in_polygon(part, xs, ys)
    if part.geom_type == "Point":
        return closest(np.array([[part.x, part.y]]), xs, ys)
    size = min(abs(np.diff(xs)).min(initial=np.inf), abs(np.diff(ys)).min(initial=np.inf))
    dense = shapely.segmentize(part, size / 4) if np.isfinite(size) else part
    return np.unique(closest(shapely.get_coordinates(dense), xs, ys))


def in_polygon(polygon: Any, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """Cells whose centre the polygon meets, its edge included."""
    west, south, east, north = polygon.bounds
    columns = np.flatnonzero((xs >= west) & (xs <= east))
    rows = np.flatnonzero((ys >= south) & (ys <= north))
    shapely.prepare(polygon)
    meets = shapely.intersects_xy(polygon, *np.meshgrid(xs[columns], ys[rows]))
    row, column = np.nonzero(meets)
    return rows[row] * len(xs) + columns[column]


def closest(points: np.ndarray, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """The cell closest to each point; none for points off the grid."""
    columns, rows = (nearest(values, points[:, i]) for i, values in enumerate((xs, ys)))
    on = (columns >= 0) & (rows >= 0)
    return rows[on] * len(xs) + columns[on]


def nearest(values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Place of the label closest to each number; -1 beyond half a cell outside."""
    half = abs(values[-1] - values[0]) / max(len(values) - 1, 1) / 2
    distance = np.abs(values[None, :] - wanted[:, None])
    place = distance.argmin(axis=1)
    return np.where(distance[np.arange(len(wanted)), place] <= half * (1 + 1e-9), place, -1)


def masked_outside(cube: xr.DataArray, given: Geometries) -> xr.DataArray:
    """The cube with no-data in all cells that are in none of the geometries."""
    y, x = axes.plane(cube)
    inside = np.zeros(cube.sizes[y] * cube.sizes[x], dtype=bool)
    inside[cells_of(cube, given).cells()] = True
    outside = xr.DataArray(
        ~inside.reshape(cube.sizes[y], cube.sizes[x]), dims=(y, x), coords={d: cube.coords[d] for d in (y, x)}
    )
    return mask(cube, outside)
