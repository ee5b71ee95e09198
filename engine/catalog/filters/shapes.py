"""The geometries of filters: read, checked, and laid round the antimeridian."""

from __future__ import annotations

from collections.abc import Mapping
from math import floor
from typing import Any

import shapely
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from engine.catalog.filters.caps import refused
from engine.catalog.filters.model import Geometry
from engine.catalog.model import Box
from engine.catalog.space import flat_box, footprint, split
from engine.errors import Problem

TURNS = (-360, 0, 360)
_HINT = "Give a valid GeoJSON geometry or a bbox in WGS84 degrees, longitude first."


def read_geometry(value: Mapping[str, Any], place: str) -> Geometry:
    """A GeoJSON geometry or `{"bbox": [...]}`; a bbox with west > east crosses the antimeridian.

    Raises:
        Problem: ParameterInvalid, where it is none, is empty, crosses itself or lies nowhere on Earth.
    """
    try:
        shape = _box(value["bbox"]) if "bbox" in value and "type" not in value else _shape(value)
    except (ValueError, TypeError, OverflowError, shapely.errors.ShapelyError) as cause:
        raise _refused(place, str(cause)) from cause
    if not shape.is_valid:
        raise _refused(place, f"its geometry is not valid: {shapely.is_valid_reason(shape)}")
    turn = -360 * floor((shape.bounds[0] + 180) / 360)
    return Geometry(translate(shape, turn) if turn else shape)


def around(shape: BaseGeometry) -> BaseGeometry:
    """The geometry together with itself one turn to the east and one to the west."""
    return shapely.union_all([translate(shape, turn) for turn in TURNS])


def at_edge(shape: BaseGeometry) -> bool:
    """Whether it reaches the antimeridian, or runs past it."""
    west, _, east, _ = shape.bounds
    return bool(west <= -180 or east >= 180)


def is_box(shape: BaseGeometry) -> bool:
    """Whether it is a rectangle along meridians and parallels."""
    return shape.geom_type == "Polygon" and bool(shapely.equals(shape, shapely.box(*shape.bounds)))


def boxes(shape: BaseGeometry) -> tuple[Box, ...]:
    """Boxes within -180..180 that the box of whatever touches the geometry has to meet."""
    parts = split(shape.bounds)
    edges: list[Box] = []
    for west, south, east, north in parts:
        if west == -180:
            edges.append((180.0, south, 180.0, north))
        if east == 180:
            edges.append((-180.0, south, -180.0, north))
    return (*parts, *(edge for edge in edges if not any(p[0] <= edge[0] <= p[2] for p in parts)))


def single_kind(shape: BaseGeometry) -> BaseGeometry | None:
    """A collection as the geometry of one dimension that it is, or None where it mixes dimensions."""
    if shape.geom_type != "GeometryCollection":
        return shape
    parts = shapely.get_parts(shape)
    if len({shapely.get_dimensions(part) for part in parts}) != 1 or any(
        p.geom_type[0] == "G" for p in parts
    ):
        return None
    return shapely.union_all(parts)


def _box(bbox: Any) -> BaseGeometry:
    west, south, east, north = flat_box(bbox)
    if west > east:
        east += 360
    if west == east and south == north:
        return shapely.Point(west, south)
    if west == east or south == north:
        return shapely.LineString([(west, south), (east, north)])
    return shapely.box(west, south, east, north)


def _shape(value: Mapping[str, Any]) -> BaseGeometry:
    ground = footprint(dict(value), None)
    if ground is None:
        raise ValueError("its geometry is empty")
    return shapely.force_2d(ground.shape)


def _refused(place: str, why: str) -> Problem:
    return refused(f"The geometry at {place} of the filter cannot be used: {why}.", _HINT)
