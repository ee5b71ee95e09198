"""Metres over ground that is measured in degrees."""

from __future__ import annotations

import math

import numpy as np
import pyproj
import shapely

from processes.cubes.shapes import valid
from processes.errors import ProcessParameterInvalid, UnitMismatch

EDGE = 0.02
"""Longest edge in degrees before it is bent: the arc of a great circle is 4 cm off at 50 degrees north."""


def require_metres(crs: pyproj.CRS, shapes: np.ndarray, parameter: str) -> None:
    """Refuse coordinates that are not in metres."""
    units = {axis.unit_name for axis in crs.axis_info[:2]}
    if units <= {"metre", "meter"}:
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


def around_each(shapes: np.ndarray, crs: pyproj.CRS, distance: float) -> np.ndarray:
    """Buffers in metres of geometries in longitude and latitude, each in a projection around its own middle."""
    if {axis.unit_name for axis in crs.axis_info[:2]} != {"degree"}:
        require_metres(crs, shapes, "geometries")
    out = shapes.copy()
    for place in np.flatnonzero(~shapely.is_empty(shapes)):
        out[place] = around(shapes[place], crs, distance)
    return out


def around(shape: shapely.Geometry, crs: pyproj.CRS, distance: float) -> shapely.Geometry:
    """The buffer of one geometry."""
    west, south, east, north = shape.bounds
    lon, lat = (west + east) / 2, (south + north) / 2
    if not (abs(south) <= 90 and abs(north) <= 90 and east - west <= 360):
        raise ProcessParameterInvalid(
            f"a geometry from {west}, {south} to {east}, {north} is not in longitude and latitude",
            parameter="geometries",
        )
    local = pyproj.CRS.from_dict(
        {"proj": "aeqd", "lat_0": lat, "lon_0": lon}
        | {"a": crs.ellipsoid.semi_major_metre, "b": crs.ellipsoid.semi_minor_metre}
    )
    there = pyproj.Transformer.from_crs(crs.geodetic_crs, local, always_xy=True, allow_ballpark=True)
    flat = shapely.transform(
        shapely.segmentize(shapely.force_2d(shape), EDGE),
        lambda c: np.column_stack(there.transform(c[:, 0], c[:, 1])),
    )
    grown = shapely.buffer(flat, distance, quad_segs=16)
    poles = np.column_stack(there.transform([lon, lon], [-90.0, 90.0]))
    if shapely.intersects_xy(grown, poles).any():
        raise ProcessParameterInvalid(
            f"the buffer of a geometry around {lon:.6g}, {lat:.6g} reaches over a pole",
            hint="Use vector_reproject with a polar projection such as 3413 or 3031 first.",
            parameter="geometries",
        )

    def back(corners: np.ndarray) -> np.ndarray:
        x, y = there.transform(corners[:, 0], corners[:, 1], direction="INVERSE")
        return np.column_stack([lon + (x - lon + 180) % 360 - 180, y])  # in one piece across the antimeridian

    out: shapely.Geometry = valid(np.array([shapely.transform(grown, back)], dtype=object))[0]
    return out
