"""Vector cubes: made of GeoJSON, filtered, buffered, put into another CRS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
import pyproj
import shapely
import xarray as xr
from xvec import GeometryIndex

from processes.cubes import axes, places, shapes
from processes.cubes.cells import LOGICAL_NODATA
from processes.cubes.metres import require_metres
from processes.errors import DimensionNotAvailable, ProcessParameterInvalid
from processes.registry import process
from processes.types import OptionalName, Schema, VectorCube

RELATIONS = ("intersects", "disjoint", "equals", "touches", "crosses", "overlaps", "contains", "within")
"""Predicates of the Simple Features standard."""
Relation = Annotated[str, Schema({"type": "string", "enum": list(RELATIONS)})]
GeoJson = Annotated[Any, Schema({"type": "object", "subtype": "geojson"})]
PropertyNames = Annotated[
    Sequence[str], Schema({"type": "array", "uniqueItems": True, "items": {"type": "string"}})
]
Distance = Annotated[Any, Schema({"type": "number", "not": {"const": 0}})]
NewProjection = Annotated[
    Any,
    Schema(
        [
            {"type": "integer", "subtype": "epsg-code", "minimum": 1000, "examples": [3857]},
            {"type": "string", "subtype": "wkt2-definition"},
        ]
    ),
]
PROPERTIES = "properties"
"""The dimension that load_geojson makes of properties."""


@process("import", "vector", experimental=True)
def load_geojson(data: GeoJson, properties: PropertyNames = []) -> VectorCube:  # noqa: B006 (never changed)
    """Make a vector cube of GeoJSON

    Each feature is a label of the dimension `geometry`. All properties come along as coordinates of the
    geometries; those that are asked for become the values of the cube.

    Args:
        data: GeoJSON: a geometry, a Feature or a FeatureCollection, in longitude and latitude (WGS 84). A
            GeometryCollection is refused.
        properties: Names of the properties that make up a dimension `properties`, each a label of it. A single
            one may hold arrays; then the labels are 0, 1, 2, ... up to the longest of them. What a feature lacks
            is no-data.

    Returns:
        The geometries; without `properties` there is one dimension, and the values are no-data.
    """
    given = shapes.read(data, "data")
    for place, feature in enumerate(shapes.features_of(data, "data")):
        shape = feature.get("geometry") if feature.get("type") == "Feature" else feature
        if shape is not None and shape["type"] == "GeometryCollection":
            raise ProcessParameterInvalid(
                f"feature {place} is a GeometryCollection, which no vector cube takes",
                hint="Make a feature of each of its parts.",
                parameter="data",
            )
    if not properties:
        return xr.DataArray(np.full(len(given.coord), np.nan), dims=("geometry",), coords=given.coords)
    rows, names = table(data, properties)
    values, attrs = typed(rows, (len(given.coord), len(names)))
    coords = {n: c for n, c in given.coords.items() if n != PROPERTIES}
    coords[PROPERTIES] = (PROPERTIES, np.array(names), {"type": "other"})
    return xr.DataArray(values, dims=("geometry", PROPERTIES), coords=coords, attrs=attrs)


def table(data: Any, wanted: Sequence[str]) -> tuple[list[list[Any]], list[Any]]:
    """The values of these properties, feature by feature, and the labels of their dimension."""
    features = [shapes.properties_of(f, "data") for f in shapes.features_of(data, "data")]
    known = dict.fromkeys(k for f in features for k in f)
    if len(set(wanted)) < len(wanted):
        raise ProcessParameterInvalid(f"a name stands there twice: {list(wanted)}", parameter="properties")
    for name in wanted:
        if features and name not in known:
            raise ProcessParameterInvalid(
                f"no feature has a property {name!r}; there are {', '.join(map(repr, known)) or 'none'}",
                parameter="properties",
            )
    rows = [[f.get(name) for name in wanted] for f in features]
    if len(wanted) == 1 and any(isinstance(row[0], (list, tuple)) for row in rows):
        lists = [list(v) if isinstance(v, (list, tuple)) else [] if v is None else [v] for (v,) in rows]
        longest = max(map(len, lists))
        return [v + [None] * (longest - len(v)) for v in lists], list(range(longest))
    for name, value in ((n, v) for row in rows for n, v in zip(wanted, row, strict=True)):
        if isinstance(value, (list, tuple, Mapping)):
            raise ProcessParameterInvalid(
                f"property {name!r} has a value of type {type(value).__name__}, which is no single value",
                hint="An array will do where it is the only property asked for.",
                parameter="properties",
            )
    return rows, list(wanted)


def typed(rows: Sequence[Sequence[Any]], shape: tuple[int, int]) -> tuple[np.ndarray, dict[str, Any]]:
    """Values as an array of the narrowest type that holds them and their gaps, and its attributes."""
    cells = shapes.column(v for row in rows for v in row).reshape(shape)
    given = [v for v in cells.flat if v is not None]
    gaps = np.frompyfunc(lambda v: v is None, 1, 1)(cells).astype(bool)
    if given and all(isinstance(v, bool) for v in given):
        if not gaps.any():
            return cells.astype(bool), {}
        filled = np.where(gaps, LOGICAL_NODATA, np.where(gaps, False, cells).astype(np.uint8))
        return filled.astype(np.uint8), {"logical": True, "nodata": LOGICAL_NODATA}
    if not all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in given):
        return cells, {}
    if given and not gaps.any() and all(isinstance(v, int) and abs(v) < 2**63 for v in given):
        return cells.astype(np.int64), {}
    return np.where(gaps, np.nan, cells).astype(np.float64), {}


@process("cubes", "filter", "vector", experimental=True)
def filter_vector(data: VectorCube, geometries: VectorCube, relation: Relation = "intersects") -> VectorCube:
    """Keep the geometries that have a relation to others

    The others are taken together, as one geometry. The relation is read from them to each geometry of `data`:
    `contains` keeps what they contain, `within` keeps what they are within.

    Args:
        data: A vector cube, the geometries of which are kept or not.
        geometries: A vector cube with the geometries to compare with.
        relation: A relation of the Simple Features standard.

    Returns:
        The cube with fewer geometries; empty ones are left out in any case.
    """
    if relation not in RELATIONS:
        raise ProcessParameterInvalid(f"{relation!r} is none of {', '.join(RELATIONS)}", parameter="relation")
    dim = shapes.dimension(data, "data")
    others = shapes.read(geometries, "geometries")
    candidates = shapes.shapes_of(data, dim, "data")
    moved = shapes.moved(others.coord, others.crs, places.geometry_crs(data, dim), "geometries")
    base = shapely.union_all(shapes.valid(moved))
    shapely.prepare(base)
    related = getattr(shapely, relation)(base, shapes.valid(candidates))
    return data.isel({dim: places.whole_or(related & ~shapely.is_empty(candidates))})


@process("vector", experimental=True)
def vector_buffer(geometries: VectorCube, distance: Distance) -> VectorCube:
    """Grow or shrink geometries by a distance

    Circles are drawn with 64 corners.

    Args:
        geometries: A vector cube of geometries of any kind.
        distance: How far, in metres; negative distances shrink polygons, and leave nothing of points and lines.

    Returns:
        The cube with polygons for geometries, some of which may be empty; empty ones stay as they are. Properties
        and values are kept.

    Raises:
        UnitMismatch: The coordinates are not in metres; `vector_reproject()` puts them into a system that is.
    """
    if not np.isfinite(distance) or distance == 0:
        raise ProcessParameterInvalid(
            f"the distance is {distance!r}, it has to be a finite number other than 0", parameter="distance"
        )
    for dim in geometry_dimensions(geometries, "geometries"):
        crs = places.geometry_crs(geometries, dim)
        given = shapes.valid(shapes.shapes_of(geometries, dim, "geometries"))
        require_metres(crs, given, "geometries")
        grown = shapely.buffer(given, float(distance), quad_segs=16)
        empty = shapely.is_empty(given)
        grown[empty] = given[empty]
        geometries = with_geometries(geometries, dim, grown, crs)
    return geometries


@process("cubes", "reproject", "vector", experimental=True)
def vector_reproject(
    data: VectorCube, projection: NewProjection, dimension: OptionalName = None
) -> VectorCube:
    """Put geometries into another coordinate reference system

    Each corner is moved; edges between corners stay straight.

    Args:
        data: A vector cube.
        projection: EPSG code or WKT2 of the new system.
        dimension: Name of the dimension of geometries; by default all of them are moved.

    Returns:
        The cube with the moved geometries; all else stays as it is.

    Raises:
        DimensionNotAvailable: The cube has no dimension of geometries of that name.
    """
    target = places.read_crs(projection, "projection")
    for dim in geometry_dimensions(data, "data") if dimension is None else [dimension]:
        if axes.kind(data, axes.require(data, dim)) != "geometry":
            raise DimensionNotAvailable(
                f"dimension {dim!r} is not of type geometry; the cube has {axes.listing(data)}",
                parameter="dimension",
            )
        given = shapes.shapes_of(data, dim, "data")
        source = places.geometry_crs(data, dim)
        data = with_geometries(data, dim, shapes.moved(given, source, target, "data"), target)
    return data


def geometry_dimensions(data: xr.DataArray, parameter: str) -> tuple[str, ...]:
    """All dimensions of geometries; at least one."""
    found = axes.of_kind(data, "geometry")
    if found:
        return found
    raise DimensionNotAvailable(
        f"no dimension is of type geometry; the cube has {axes.listing(data)}", parameter=parameter
    )


def with_geometries(data: xr.DataArray, dim: str, given: np.ndarray, crs: pyproj.CRS) -> xr.DataArray:
    """The cube with other geometries, as many as there were; an index over them is made anew."""
    indexed = isinstance(data.xindexes.get(dim), GeometryIndex)
    attrs = {**data.coords[dim].attrs, "type": "geometry", "crs": shapes.crs_name(crs)}
    out = data.drop_vars(dim).assign_coords({dim: (dim, given, attrs)})
    return out.drop_indexes(dim).set_xindex(dim, GeometryIndex, crs=crs) if indexed else out
