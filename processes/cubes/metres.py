"""Which coordinates are in metres, and which system to take for those that are not."""

from __future__ import annotations

import math

import numpy as np
import pyproj
import shapely

from processes.errors import UnitMismatch


def require_metres(crs: pyproj.CRS, shapes: np.ndarray, parameter: str) -> None:
    """Refuse coordinates that are not in metres."""
    units = {axis.unit_name for axis in crs.axis_info[:2]}
    if units and units <= {"metre", "meter"}:
        return
    raise UnitMismatch(
        f"the distance is in metres and {crs.name} is in {' and '.join(sorted(units)) or 'unknown units'}",
        hint=f"Put the geometries into a system in metres first: vector_reproject with projection {zone(crs, shapes)}.",
        parameter=parameter,
    )


def zone(crs: pyproj.CRS, shapes: np.ndarray) -> int:
    """EPSG code of the UTM zone that the middle of the geometries lies in."""
    filled = shapes[~shapely.is_empty(shapes)]
    if not len(filled):
        return 3857
    west, south, east, north = shapely.total_bounds(filled)
    degrees = pyproj.Transformer.from_crs(crs, 4326, always_xy=True)
    lon, lat = degrees.transform((west + east) / 2, (south + north) / 2)
    if not (math.isfinite(lon) and abs(lat) <= 84):
        return 3857
    return (32600 if lat >= 0 else 32700) + int((lon + 180) // 6) % 60 + 1
