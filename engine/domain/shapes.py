"""Geometries as GeoJSON has them, from CRS84 to other reference systems and back, with axes as their authority orders them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from engine.domain.reference import CRS84, Reference

Json = dict[str, Any]
STEPS = 32
"""Parts of an edge of a box; edges that are straight in one system are curves in another."""
GLOBE = 360.0
SHAPES = frozenset(
    ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection")
)


@lru_cache(maxsize=64)
def way(source: str, target: str) -> pyproj.Transformer:
    """From one system to another, by their names, both with axes as their authorities order them."""
    return pyproj.Transformer.from_crs(Reference(source).proj, Reference(target).proj)


def moved(geometry: Mapping[str, Any], source: Reference, target: Reference) -> Json:
    """A geometry in another reference system; heights stay.

    Raises:
        ValueError: A part of it cannot be shown there.
    """
    if source == target:
        return dict(geometry)
    transformer = way(source.name, target.name)

    def turned(places: NDArray[np.float64]) -> NDArray[np.float64]:
        first, second = transformer.transform(places[:, 0], places[:, 1])
        out = np.column_stack([first, second, places[:, 2:]])
        if not np.isfinite(out[:, :2]).all():
            raise ValueError(f"a part of it cannot be shown in {target.name}")
        return out

    shape = shapely.geometry.shape(geometry)
    told: Json = shapely.geometry.mapping(shapely.transform(shape, turned, include_z=bool(shape.has_z)))
    return plain(told)


def ground_of(box: Sequence[float], reference: Reference) -> Json:
    """What a box of four numbers, in the order of the system's axes, covers on the ground, as a polygon in CRS84.

    Raises:
        ValueError: It lies nowhere, or around a pole.
    """
    low, high = list(box[:2]), list(box[2:])
    east = 1 if reference.north_first else 0
    if reference.is_globe and low[east] > high[east]:
        high[east] += GLOBE
    if low[0] > high[0] or low[1] > high[1]:
        raise ValueError("its lower corner is not below its upper one; mind the order of the axes")
    ring = shapely.segmentize(
        shapely.box(*low, *high), max(high[0] - low[0], high[1] - low[1]) / STEPS or 1.0
    )
    places = shapely.get_coordinates(ring)
    found = np.column_stack(way(reference.name, CRS84).transform(places[:, 0], places[:, 1]))
    if not np.isfinite(found).all():
        raise ValueError(f"a part of it lies nowhere on the ground in {reference.name}")
    found[:, 0] = np.rad2deg(np.unwrap(np.deg2rad(found[:, 0])))  # across the antimeridian, not back around
    if not math.isclose(found[0, 0], found[-1, 0], abs_tol=1e-6):
        raise ValueError("it lies around a pole; ask for it in CRS84")
    return {"type": "Polygon", "coordinates": [found.tolist()]}


def box_of(geometry: Mapping[str, Any]) -> list[float] | None:
    """The box around a geometry, in its own reference system; None: it is empty."""
    shape = shapely.geometry.shape(geometry)
    return None if shape.is_empty else list(shape.bounds)


def is_shape(value: Any) -> bool:
    """Is a value a geometry of GeoJSON?"""
    return isinstance(value, Mapping) and value.get("type") in SHAPES


def plain(value: Any) -> Any:
    """Coordinates as lists."""
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    return [plain(v) for v in value] if isinstance(value, list | tuple) else value
