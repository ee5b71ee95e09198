"""The outline of a grid on the ground: its edge in WGS84, whole also over the antimeridian and the poles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

FINENESS = 1e-5
"""Part of its size by which an outline may be off: a metre in a scene of 100 km."""
FULL_TURN = 359.99
"""Degrees from which on a grid goes around the whole earth; 32-bit labels end a little short of 360."""
POINTS = 21
"""Points along each edge; an edge that is straight on the grid is curved in WGS84."""


@dataclass(frozen=True)
class Outline:
    """Where a grid lies."""

    geometry: dict[str, Any]
    """GeoJSON; two polygons where it crosses the antimeridian."""
    bbox: tuple[float, float, float, float]
    """West, south, east, north; west > east where it crosses the antimeridian."""


def outline(crs: CRS, transform: Sequence[float], shape: tuple[int, int]) -> Outline:
    """The outline of a grid of `shape` (rows, columns) whose `transform` maps column and row to `crs`.

    ValueError where the CRS cannot be brought to WGS84.
    """
    rows, columns = shape
    u, v = _ring(columns, rows)
    lon, lat = _degrees(crs, *_on_grid(transform, u, v))
    (middle,) = _degrees(crs, *_on_grid(transform, np.array([columns / 2]), np.array([rows / 2])))[1]
    if np.isfinite(lon).all() and np.isfinite(lat).all():
        return ring_outline(lon, lat, north=bool(middle >= 0))
    u, v = (
        a.ravel() for a in np.meshgrid(np.linspace(0, columns, 4 * POINTS), np.linspace(0, rows, 4 * POINTS))
    )
    lon, lat = _degrees(crs, *_on_grid(transform, u, v))
    return _hull(lon, lat)


def ring_outline(lon: np.ndarray, lat: np.ndarray, *, north: bool) -> Outline:
    """The outline that a closed ring of longitudes and latitudes goes around.

    A ring that goes once around the earth has a pole inside: the north pole if `north`.
    """
    steps = (np.diff(lon) + 180) % 360 - 180
    whole = np.concatenate(
        [lon[:1], lon[0] + np.cumsum(np.where(np.abs(np.diff(lon)) > 180, steps, np.diff(lon)))]
    )
    lat = np.clip(lat, -90, 90)
    if abs(whole[-1] - whole[0]) > 180:
        return _banded(*((lat.min(), 90.0) if north else (-90.0, lat.max())))
    if whole.max() - whole.min() > FULL_TURN:
        return _banded(lat.min(), lat.max())
    ring = shapely.Polygon(np.column_stack([whole, lat]))
    if not ring.is_valid:
        ring = shapely.make_valid(ring, method="structure", keep_collapsed=True)
    return _split(shapely.simplify(ring, FINENESS * max(np.ptp(whole), np.ptp(lat))))


def _hull(lon: np.ndarray, lat: np.ndarray) -> Outline:
    """Around those points of a grid that are on the earth at all, as a geostationary view has them."""
    seen = np.isfinite(lon) & np.isfinite(lat)
    if seen.sum() < 3:
        raise ValueError("no part of it lies on the earth")
    middle = np.rad2deg(np.angle(np.exp(1j * np.deg2rad(lon[seen])).mean()))
    around = (lon[seen] - middle + 180) % 360 - 180 + middle
    return _split(shapely.convex_hull(shapely.MultiPoint(np.column_stack([around, lat[seen]]))))


def _split(whole: BaseGeometry) -> Outline:
    west, south, east, north = whole.bounds
    turns = 360 * np.floor((west + 180) / 360)
    if west >= -180 and east <= 180:
        turns = 0.0
    whole = shapely.transform(whole, lambda xy: xy - [turns, 0.0])
    west, east = float(west - turns), float(east - turns)
    if east <= 180:
        return Outline(_json(whole), (west, float(south), east, float(north)))
    left = shapely.intersection(whole, shapely.box(west, -90, 180, 90))
    right = shapely.transform(
        shapely.intersection(whole, shapely.box(180, -90, east, 90)), lambda xy: xy - [360.0, 0.0]
    )
    parts = [p for side in (left, right) for p in shapely.get_parts(side) if isinstance(p, shapely.Polygon)]
    return Outline(_json(shapely.MultiPolygon(parts)), (west, float(south), east - 360, float(north)))


def _banded(south: float, north: float) -> Outline:
    return Outline(_json(shapely.box(-180, south, 180, north)), (-180.0, float(south), 180.0, float(north)))


def _json(geometry: BaseGeometry) -> dict[str, Any]:
    found = mapping(geometry)
    return {"type": found["type"], "coordinates": _lists(found["coordinates"])}


def _lists(nested: Any) -> Any:
    return [_lists(each) for each in nested] if isinstance(nested, tuple | list) else float(nested)


def _ring(columns: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Columns and rows along the edge, closed."""
    along, ends = np.linspace(0, 1, POINTS)[:-1], np.zeros(POINTS - 1)
    u = np.concatenate([along, ends + 1, 1 - along, ends, [0.0]]) * columns
    v = np.concatenate([ends, along, ends + 1, 1 - along, [0.0]]) * rows
    return u, v


def _on_grid(transform: Sequence[float], u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    a, b, c, d, e, f = list(transform)[:6]
    return a * u + b * v + c, d * u + e * v + f


def _degrees(crs: CRS, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    try:
        lon, lat = Transformer.from_crs(crs, 4326, always_xy=True).transform(x, y)
    except ProjError as cause:
        raise ValueError(f"its CRS {crs.name!r} cannot be brought to WGS84: {cause}") from cause
    return np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
