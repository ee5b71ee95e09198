"""Points in geometries: at random, or evenly spaced."""

from __future__ import annotations

import math
from typing import Annotated, Any

import numpy as np
import shapely
import xarray as xr

from processes.cubes import places, shapes
from processes.cubes.metres import require_metres
from processes.cubes.vectors import with_geometries
from processes.errors import CountMismatch, ProcessParameterInvalid
from processes.registry import process
from processes.types import Schema, VectorCube

MAX_POINTS = 1_000_000
"""More points than these are refused; so are grids of more than ten times as many cells."""
Count = Annotated[Any, Schema([{"type": "integer", "minimum": 1}, {"type": "null"}])]
Seed = Annotated[Any, Schema({"type": ["integer", "null"]})]
Spacing = Annotated[Any, Schema({"type": "number", "minimumExclusive": 0})]
PointCube = Annotated[
    xr.DataArray,
    Schema(
        {
            "type": "object",
            "subtype": "datacube",
            "dimensions": [{"type": "geometry", "geometry_type": ["Point", "MultiPoint"]}],
        }
    ),
]
NO_POINTS = np.empty(0, dtype=object)


@process("cubes", "vector", pure=False, experimental=True)
def vector_to_random_points(
    data: VectorCube,
    geometry_count: Count = None,
    total_count: Count = None,
    group: bool = True,
    seed: Seed = None,
) -> PointCube:
    """Pick points at random in geometries

    All places of a polygon or line are equally likely; points of the input are picked from, each once at most.
    Each geometry gets one point, unless counts are given. Empty geometries stay as they are.

    Args:
        data: A vector cube.
        geometry_count: How many points for each geometry, at most.
        total_count: How many points in all, at most; they are shared out evenly, the first geometries getting what
            is left over.
        group: `true` makes a MultiPoint for each geometry, `false` a label for each point; properties and values
            are those of the geometry.
        seed: The same number gives the same points again; without it they differ from call to call.

    Returns:
        A vector cube of the points.

    Raises:
        CountMismatch: `total_count` is less than the number of geometries.
    """
    dim = shapes.dimension(data, "data")
    given = shapes.shapes_of(data, dim, "data")
    for name, value in (("geometry_count", geometry_count), ("total_count", total_count)):
        if value is not None and value < 1:
            raise ProcessParameterInvalid(f"{name} is {value}, it has to be at least 1", parameter=name)
    if total_count is not None and total_count < len(given):
        raise CountMismatch(
            f"{total_count} points are to be sampled from {len(given)} geometries, at least one from each",
            parameter="total_count",
        )
    filled = shapes.valid(given[~shapely.is_empty(given)])
    counts = shared_out(capacities(filled), geometry_count, total_count)
    rng = np.random.default_rng(None if seed is None else int(seed) % 2**64)
    sampled = iter([sample(shape, n, rng) for shape, n in zip(filled, counts, strict=True)])
    return with_points(
        data, dim, [NO_POINTS if empty else next(sampled) for empty in shapely.is_empty(given)], group
    )


@process("cubes", "vector", experimental=True)
def vector_to_regular_points(data: VectorCube, distance: Spacing, group: bool = True) -> PointCube:
    """Make evenly spaced points in geometries

    In polygons they are the centres of the cells of a grid that starts at the upper left of the geometry, as far
    as they are inside; along lines they start at the first corner; points stay as they are. A geometry in which
    no centre is inside gives its first corner. Empty geometries stay as they are.

    Args:
        data: A vector cube, with coordinates in metres.
        distance: Width of the cells, and distance along lines, in metres.
        group: `true` makes a MultiPoint for each geometry, `false` a label for each point; properties and values
            are those of the geometry.

    Returns:
        A vector cube of the points.

    Raises:
        UnitMismatch: The coordinates are not in metres.
    """
    if not (math.isfinite(distance) and distance > 0):
        raise ProcessParameterInvalid(
            f"the distance is {distance!r}, it has to be a finite number above 0", parameter="distance"
        )
    dim = shapes.dimension(data, "data")
    given = shapes.shapes_of(data, dim, "data")
    require_metres(places.geometry_crs(data, dim), given, "data")
    given = shapes.valid(given)
    west, south, east, north = shapely.bounds(given[~shapely.is_empty(given)]).reshape(-1, 4).T
    cells = np.ceil((east - west) / distance) * np.ceil((north - south) / distance)
    refuse_many(cells.sum() / 10, "distance", "Choose a longer distance.")
    refuse_many(shapely.length(given).sum() / distance, "distance", "Choose a longer distance.")
    return with_points(data, dim, [spaced(shape, float(distance)) for shape in given], group)


def refuse_many(count: float, parameter: str, hint: str) -> None:
    """Refuse more points than anyone wants."""
    if count > MAX_POINTS:
        raise ProcessParameterInvalid(
            f"that makes more than {MAX_POINTS} points", hint=hint, parameter=parameter
        )


def with_points(data: xr.DataArray, dim: str, points: list[np.ndarray], group: bool) -> xr.DataArray:
    """The cube with points in place of its geometries, together or each on its own; empty geometries stay."""
    crs = places.geometry_crs(data, dim)
    given = shapes.shapes_of(data, dim, "data")
    if group:
        grouped = (shapely.multipoints(p) if len(p) else g for p, g in zip(points, given, strict=True))
        return with_geometries(data, dim, shapes.column(grouped), crs)
    owner = np.repeat(np.arange(len(given)), [max(len(p), 1) for p in points])
    single = [q for p, g in zip(points, given, strict=True) for q in (p if len(p) else [g])]
    return with_geometries(data.isel({dim: owner}), dim, shapes.column(single), crs)


# --------------------------------------------------------------------------------------------- at random
def capacities(given: np.ndarray) -> np.ndarray:
    """How many different points there are in each geometry."""
    return np.array(
        [
            len(np.unique(shapely.get_coordinates(g), axis=0)) if shapely.get_dimensions(g) == 0 else np.inf
            for g in given
        ]
    )


def shared_out(capacity: np.ndarray, each: int | None, total: int | None) -> np.ndarray:
    """How many points each geometry gets: at least one, as many as it may, and evenly where there are not enough."""
    limit = 1 if each is None and total is None else np.inf if each is None else each
    most = np.minimum(capacity, limit)
    if total is not None and most.sum() > total:
        low, high = 1, total
        while low < high:  # the highest level that all can be filled up to
            level = (low + high + 1) // 2
            low, high = (level, high) if np.minimum(most, level).sum() <= total else (low, level - 1)
        counts = np.minimum(most, low)
        more = np.flatnonzero(most > low)[: total - int(counts.sum())]
        counts[more] += 1
        most = counts
    refuse_many(most.sum(), "geometry_count" if total is None else "total_count", "Ask for fewer points.")
    return most.astype(int)


def sample(shape: Any, count: int, rng: np.random.Generator) -> np.ndarray:
    """So many points in a geometry; of mixed ones, in the parts of the highest dimension."""
    parts = shapes.parts_of(shapes.column([shape]))
    dimensions = shapely.get_dimensions(parts)
    parts = parts[dimensions == dimensions.max()]
    if dimensions.max() == 0:
        different = shapely.points(np.unique(shapely.get_coordinates(parts), axis=0))
        return different[rng.permutation(len(different))[:count]]
    if dimensions.max() == 1:
        lengths = shapely.length(parts)
        chosen = rng.choice(len(parts), size=count, p=share(lengths))
        return shapely.line_interpolate_point(parts[chosen], rng.random(count) * lengths[chosen])
    triangles = shapely.get_parts(shapely.constrained_delaunay_triangles(parts))
    corners = shapely.get_coordinates(triangles).reshape(-1, 4, 2)[:, :3]
    chosen = rng.choice(len(triangles), size=count, p=share(shapely.area(triangles)))
    root, along = np.sqrt(rng.random(count))[:, None], rng.random(count)[:, None]
    a, b, c = corners[chosen].transpose(1, 0, 2)
    return shapely.points((1 - root) * a + root * (1 - along) * b + root * along * c)


def share(sizes: np.ndarray) -> np.ndarray:
    """Sizes as shares of their sum; equal ones where all are 0."""
    return sizes / sizes.sum() if sizes.sum() > 0 else np.full(len(sizes), 1 / len(sizes))


# ----------------------------------------------------------------------------------------- evenly spaced
def spaced(shape: Any, distance: float) -> np.ndarray:
    """Evenly spaced points in one geometry; none in an empty one."""
    parts = shapes.parts_of(shapes.column([shape]))
    if not len(parts):
        return NO_POINTS
    dimensions = shapely.get_dimensions(parts)
    found = [parts[dimensions == 0], *(walked(line, distance) for line in parts[dimensions == 1])]
    if (dimensions == 2).any():
        found.append(gridded(shapely.multipolygons(parts[dimensions == 2]), distance))
    points = np.concatenate(found)
    return points if len(points) else shapely.points(shapely.get_coordinates(shape)[:1])


def walked(line: Any, distance: float) -> np.ndarray:
    """Points along a line from its first corner on."""
    steps = np.arange(math.floor(line.length / distance + 1e-9) + 1) * distance
    if line.is_closed and len(steps) > 1 and steps[-1] >= line.length - 1e-6 * distance:
        steps = steps[:-1]  # back at the first corner
    return shapely.line_interpolate_point(line, np.minimum(steps, line.length))


def gridded(polygon: Any, distance: float) -> np.ndarray:
    """The centres inside of a polygon of the cells of a grid that starts at its upper left, row by row."""
    west, south, east, north = polygon.bounds
    columns, rows = (max(1, math.ceil(span / distance - 1e-9)) for span in (east - west, north - south))
    xs = west + (np.arange(columns) + 0.5) * distance
    ys = north - (np.arange(rows) + 0.5) * distance
    shapely.prepare(polygon)
    x, y = (axis.ravel() for axis in np.meshgrid(xs, ys))
    inside = shapely.contains_xy(polygon, x, y)
    return shapely.points(x[inside], y[inside])
