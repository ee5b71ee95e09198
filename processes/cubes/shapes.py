"""Geometries: read from GeoJSON or vector cubes, made valid, moved to another CRS."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyproj
import shapely
import xarray as xr
from shapely.errors import ShapelyError

from processes.cubes import axes, places
from processes.errors import ProcessParameterInvalid

MAX_DEPTH = 16
"""Nested GeometryCollections beyond this are refused: thousands of them would end the process."""
KINDS = frozenset(
    {"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection"}
)
"""The geometries of GeoJSON."""


@dataclass(frozen=True)
class Geometries:
    """Geometries with their properties."""

    dim: str
    """Name of their dimension."""
    coord: np.ndarray
    """The geometries as given."""
    crs: pyproj.CRS
    """What their coordinates refer to."""
    coords: Mapping[str, Any]
    """Coordinates of the vector cube that they make: themselves and their properties."""


def read(given: Any, parameter: str) -> Geometries:
    """Geometries from GeoJSON (Feature, FeatureCollection or Geometry) or a vector cube."""
    if isinstance(given, xr.DataArray):
        return from_cube(given, parameter)
    features = features_of(given, parameter)
    crs = places.read_crs(geojson_crs(given, parameter), parameter)
    shapes = column(
        geometry(f.get("geometry") if f.get("type") == "Feature" else f, parameter) for f in features
    )
    properties = [properties_of(f, parameter) for f in features]
    coords: dict[str, Any] = {"geometry": ("geometry", shapes, {"type": "geometry", "crs": crs_name(crs)})}
    for name in dict.fromkeys(k for p in properties for k in p):
        if name not in ("geometry", "spatial_ref"):
            coords[name] = ("geometry", tidy(column(p.get(name) for p in properties)))
    return Geometries("geometry", shapes, crs, coords)


def features_of(given: Any, parameter: str) -> list[Mapping[str, Any]]:
    """The features of a FeatureCollection, or the one Feature or geometry."""
    if not isinstance(given, Mapping):
        raise ProcessParameterInvalid(
            f"GeoJSON or a vector cube is needed, there is a value of type {type(given).__name__}",
            parameter=parameter,
        )
    features = given.get("features") if given.get("type") == "FeatureCollection" else [given]
    if not isinstance(features, (list, tuple)):
        raise ProcessParameterInvalid("the FeatureCollection has no list of features", parameter=parameter)
    for place, feature in enumerate(features):
        if not isinstance(feature, Mapping):
            raise ProcessParameterInvalid(
                f"feature {place} is no object but {type(feature).__name__}", parameter=parameter
            )
    return list(features)


def properties_of(feature: Mapping[str, Any], parameter: str) -> Mapping[str, Any]:
    """The properties of a feature; none for a bare geometry."""
    found = feature.get("properties") or {}
    if not isinstance(found, Mapping):
        raise ProcessParameterInvalid(
            f"the properties of a feature are an object, here they are {type(found).__name__}",
            parameter=parameter,
        )
    return found


def from_cube(cube: xr.DataArray, parameter: str) -> Geometries:
    """The geometries of a vector cube."""
    dim = dimension(cube, parameter)
    coords = {str(n): c.variable for n, c in cube.coords.items() if c.dims == (dim,)}
    return Geometries(dim, shapes_of(cube, dim, parameter), places.geometry_crs(cube, dim), coords)


def dimension(cube: xr.DataArray, parameter: str) -> str:
    """The one dimension of geometries."""
    found = axes.of_kind(cube, "geometry")
    if len(found) != 1:
        raise ProcessParameterInvalid(
            f"a vector cube has one dimension of type geometry; this cube has {axes.listing(cube)}",
            parameter=parameter,
        )
    return found[0]


def shapes_of(cube: xr.DataArray, dim: str, parameter: str) -> np.ndarray:
    """The geometries along a dimension; an empty one where there is none."""
    given = cube.coords[dim].values if dim in cube.coords else np.arange(cube.sizes[dim])
    shapes = column(shapely.GeometryCollection() if g is None else g for g in given)
    if wrong := [g for g in shapes if not isinstance(g, shapely.Geometry)]:
        raise ProcessParameterInvalid(
            f"the labels along {dim!r} are no geometries: {wrong[0]!r} is of type {type(wrong[0]).__name__}",
            parameter=parameter,
        )
    return shapes


def column(values: Iterable[Any]) -> np.ndarray:
    """Values as objects along one axis, also where they are lists themselves."""
    given = list(values)
    out = np.empty(len(given), dtype=object)
    for place, value in enumerate(given):
        out[place] = value
    return out


def tidy(values: np.ndarray) -> np.ndarray:
    """Numbers and texts of one kind as such; mixed columns stay objects."""
    if all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values):
        whole = all(isinstance(v, int) and abs(v) < 2**63 for v in values)
        return values.astype(np.int64 if whole else np.float64)
    return values


def geojson_crs(given: Mapping[str, Any], parameter: str) -> Any:
    """The CRS of GeoJSON: WGS 84, or what the old `crs` member says."""
    member = given.get("crs")
    if member is None:
        return 4326
    properties = member.get("properties") if isinstance(member, Mapping) else None
    name = properties.get("name") if isinstance(properties, Mapping) else None
    if not isinstance(name, (str, int)):
        raise ProcessParameterInvalid(
            "the crs member of the GeoJSON does not name a coordinate reference system",
            hint='Leave it out for longitude and latitude, or write {"type": "name", "properties": {"name": "EPSG:32632"}}.',
            parameter=parameter,
        )
    return 4326 if "CRS84" in str(name) else name


def crs_name(crs: pyproj.CRS) -> int | str:
    """EPSG code where there is one, else WKT2."""
    return crs.to_epsg() or crs.to_wkt()


def geometry(given: Any, parameter: str) -> Any:
    """One geometry of GeoJSON; an empty one for null."""
    if given is None:
        return shapely.GeometryCollection()
    checked(given, parameter)
    try:
        shape = shapely.geometry.shape(given)
    except (ShapelyError, ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise ProcessParameterInvalid(f"that is no GeoJSON geometry: {error}", parameter=parameter) from None
    if not np.isfinite(shapely.get_coordinates(shape)).all():
        raise ProcessParameterInvalid(
            "a geometry has coordinates that are no finite numbers", parameter=parameter
        )
    return shape


def checked(given: Any, parameter: str) -> None:
    """Refuse what is no geometry, and collections within collections that go too deep."""
    level = [given]
    for _ in range(MAX_DEPTH + 1):
        for part in level:
            what = part.get("type") if isinstance(part, Mapping) else type(part).__name__
            if not isinstance(part, Mapping) or not isinstance(what, str) or what not in KINDS:
                raise ProcessParameterInvalid(
                    f"that is no GeoJSON geometry: {str(what)[:80]!r} is none of {', '.join(sorted(KINDS))}",
                    parameter=parameter,
                )
            member = "geometries" if part["type"] == "GeometryCollection" else "coordinates"
            if not isinstance(part.get(member), (list, tuple)):
                raise ProcessParameterInvalid(
                    f"a {part['type']} of GeoJSON has a list of {member}, here it has none",
                    parameter=parameter,
                )
        collections = [part for part in level if part["type"] == "GeometryCollection"]
        level = [inner for part in collections for inner in part["geometries"]]
        if not level:
            return
    raise ProcessParameterInvalid(
        f"geometry collections are nested more than {MAX_DEPTH} deep", parameter=parameter
    )


# ------------------------------------------------------------------------------------- made to fit
def parts_of(shapes: np.ndarray) -> np.ndarray:
    """All points, lines and polygons that geometries consist of."""
    parts = shapes[~shapely.is_empty(shapes)]
    while (shapely.get_type_id(parts) > 3).any():
        parts = shapely.get_parts(parts)
        parts = parts[~shapely.is_empty(parts)]
    return parts


def valid(shapes: np.ndarray, collapsed: bool = True) -> np.ndarray:
    """Geometries that set operations can take; `collapsed` tells whether a polygon without area becomes a line.

    The method matters: the default one needs 45 seconds for a star of 200 points that crosses itself.
    """
    broken = ~shapely.is_valid(shapes)
    if not broken.any():
        return shapes
    out = shapes.copy()
    out[broken] = shapely.make_valid(shapes[broken], method="structure", keep_collapsed=collapsed)
    return out


def moved(shapes: np.ndarray, source: pyproj.CRS, target: pyproj.CRS, parameter: str) -> np.ndarray:
    """Geometries in another CRS, corner by corner; heights stay as they are."""
    if source == target:
        return shapes
    transformer = pyproj.Transformer.from_crs(source, target, always_xy=True)

    def move(corners: np.ndarray) -> np.ndarray:
        x, y = transformer.transform(corners[:, 0], corners[:, 1])
        return np.column_stack([x, y, corners[:, 2:]])

    out = shapes.copy()
    for with_z in (False, True):
        chosen = shapely.has_z(shapes) == with_z
        out[chosen] = shapely.transform(shapes[chosen], move, include_z=with_z)
    corners, owner = shapely.get_coordinates(out, return_index=True)
    if (lost := ~np.isfinite(corners).all(axis=1)).any():
        raise ProcessParameterInvalid(
            f"geometry {owner[lost][0]} has no place in {target.name}: it is outside of its area",
            hint="Choose a coordinate reference system that covers all geometries, or filter them first.",
            parameter=parameter,
        )
    return out
