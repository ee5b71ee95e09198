"""The outline of a result in WGS84, for STAC: densified, cut at the antimeridian, closed around a pole."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError

SLACK = 1e-4
"""How far, relative to the size, the outline may be from the true one: straight sides keep two points."""

POINTS = 32
"""Points on each side of the outline: straight lines of a projection are bent in WGS84."""


@dataclass(frozen=True)
class Footprint:
    """Where on Earth something is."""

    geometry: dict[str, Any]
    """GeoJSON geometry in longitude and latitude, within -180..180."""
    bbox: list[float]
    """West, south, east, north; west > east where it crosses the antimeridian."""


def footprint(crs: CRS | None, corners: Sequence[tuple[float, float]]) -> Footprint | None:
    """The outline of the quadrangle; None where its CRS is unknown or of another planet."""
    if crs is None:
        return None
    try:
        to_wgs84 = Transformer.from_crs(crs, "OGC:CRS84", always_xy=True)
        ring = _transformed(to_wgs84, _outline(corners))
        if not np.isfinite(ring).all():
            ring = _visible(to_wgs84, corners)
    except ProjError:
        return None
    if len(ring) == 0:
        return None
    return _on_the_globe(ring)


def _outline(corners: Sequence[tuple[float, float]]) -> np.ndarray:
    """Points along the sides of the quadrangle, not closed."""
    ends = np.asarray(corners, dtype="float64")
    share = np.arange(POINTS)[:, np.newaxis] / POINTS
    following = np.roll(ends, -1, axis=0)
    return np.concatenate([a + (b - a) * share for a, b in zip(ends, following, strict=True)])


def _transformed(to_wgs84: Transformer, points: np.ndarray) -> np.ndarray:
    """Longitudes and latitudes; infinite for points off the Earth.

    Some projections (sinusoidal) give longitudes there too, so points must also come back to where they were.
    That is asked of points a little further in, because on the rim itself 180 degrees may come back as -180.
    """
    middle, size = points.mean(axis=0), np.ptp(points, axis=0).max()
    inner = middle + (points - middle) * (1 - 1e-9)
    back = to_wgs84.transform(*to_wgs84.transform(*inner.T), direction="INVERSE")
    astray = np.abs(np.column_stack(back) - inner).max(axis=1) > size / 1000
    moved = np.column_stack(to_wgs84.transform(*points.T))
    return np.where(astray[:, np.newaxis], np.inf, moved)


def _visible(to_wgs84: Transformer, corners: Sequence[tuple[float, float]]) -> np.ndarray:
    """A rectangle around those inner points that lie on Earth (a full disk has corners in space)."""
    lower_left, lower_right, _, upper_left = np.asarray(corners, dtype="float64")
    u, v = (part.ravel()[:, np.newaxis] for part in np.meshgrid(*[np.linspace(0, 1, 65)] * 2))
    points = lower_left + u * (lower_right - lower_left) + v * (upper_left - lower_left)
    seen = _transformed(to_wgs84, points)
    seen = np.asarray(seen[np.isfinite(seen).all(axis=1)])
    if len(seen) == 0:
        return seen
    (west, south), (east, north) = seen.min(axis=0), seen.max(axis=0)
    return _outline([(west, south), (east, south), (east, north), (west, north)])


def _on_the_globe(ring: np.ndarray) -> Footprint:
    """A ring of longitudes and latitudes as a valid GeoJSON geometry with its bbox."""
    latitudes = np.clip(ring[:, 1], -90, 90)
    closed = np.append(ring[:, 0], ring[0, 0])
    longitudes = np.unwrap(closed, period=360)
    south, north = float(latitudes.min()), float(latitudes.max())
    if abs(longitudes[-1] - longitudes[0]) > 180:
        shape, box = _around_pole(longitudes[:-1], latitudes)
    else:
        longitudes = longitudes[:-1]
        longitudes = longitudes - 360 * np.floor((longitudes.min() + 180) / 360)
        shape = _cut(shapely.Polygon(np.column_stack([longitudes, latitudes])))
        west, east = float(longitudes.min()), float(longitudes.max())
        if east - west >= 360:
            west, east = -180.0, 180.0
        elif east > 180:
            east -= 360
        box = [west, south, east, north]
    shape = shapely.simplify(shape, SLACK * max(np.ptp(longitudes), np.ptp(latitudes)))
    if not shape.is_valid:
        shape = shapely.make_valid(shape, method="structure", keep_collapsed=False)
    shape = shapely.orient_polygons(shapely.transform(shape, lambda xy: np.round(xy, 7)))
    geometry = json.loads(shapely.to_geojson(shape))
    return Footprint(geometry, [round(side, 7) for side in box])


def _around_pole(longitudes: np.ndarray, latitudes: np.ndarray) -> tuple[shapely.Geometry, list[float]]:
    """All that lies between the ring and the pole that it goes around."""
    pole = 90.0 if latitudes.mean() > 0 else -90.0
    wrapped = (longitudes + 180) % 360 - 180
    order = np.argsort(wrapped)
    wrapped, edge = wrapped[order], latitudes[order]
    seam = float(np.interp(180, [wrapped[-1], wrapped[0] + 360], [edge[-1], edge[0]]))
    path = [(-180, seam), *zip(wrapped, edge, strict=True), (180, seam), (180, pole), (-180, pole)]
    low, high = sorted((pole, float(edge.min() if pole > 0 else edge.max())))
    return shapely.Polygon(path), [-180.0, low, 180.0, high]


def _cut(shape: shapely.Geometry) -> shapely.Geometry:
    """What lies beyond 180 degrees comes in again from the west."""
    if shape.bounds[2] <= 180:
        return shape
    inside = shapely.intersection(shape, shapely.box(-180, -90, 180, 90))
    beyond = shapely.intersection(shape, shapely.box(180, -90, 540, 90))
    parts = [inside, shapely.transform(beyond, lambda xy: xy - [360, 0])]
    polygons = [p for part in parts for p in shapely.get_parts(part) if p.geom_type == "Polygon"]
    return shapely.MultiPolygon(polygons)
