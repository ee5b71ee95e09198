"""Where an item is: boxes that cross the antimeridian, and footprints that touch them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from math import ceil, floor, isfinite
from struct import pack
from typing import Any

import numpy as np
import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from engine.catalog.model import Box

MAX_DEPTH = 16
"""GeoJSON needs 5 levels; a native parser dies of some ten thousand."""
MAX_NUMBERS = 2_000_000
MAX_LONGITUDE, MAX_LATITUDE = 540.0, 91.0
MAX_PLAIN = 1000
"""Points of a ring that is looked at in Python."""
NUMBERS = frozenset((int, float))
LISTS = frozenset((list, tuple))
POLYGON = 3
"""In WKB."""


@dataclass(frozen=True)
class Footprint:
    """What an item covers on the ground, in WGS84 degrees."""

    wkb: bytes
    """The geometry in one piece: its longitudes may run past 180 rather than jump to -180."""
    parts: tuple[Box, ...]
    """One or two boxes within -180..180 that together hold the geometry; none has west > east."""

    @cached_property
    def shape(self) -> BaseGeometry:
        """The geometry as an object."""
        return shapely.from_wkb(self.wkb)

    @property
    def box(self) -> Box:
        """The box around all, with west > east where it crosses the antimeridian."""
        if len(self.parts) == 1:
            return self.parts[0]
        south, north = min(p[1] for p in self.parts), max(p[3] for p in self.parts)
        return self.parts[0][0], south, self.parts[-1][2], north


def split(box: Box) -> tuple[Box, ...]:
    """The box as one or two within -180..180, neither of which crosses the antimeridian.

    The first of two ends at 180, the second begins at -180.
    """
    west, south, east, north = box
    if min(west, east) >= -180 and max(west, east) <= 180:
        return (box,) if west <= east else ((west, south, 180.0, north), (-180.0, south, east, north))
    if west > east:
        east += 360 * ceil((west - east) / 360)
    if east - west >= 360:
        return ((-180.0, south, 180.0, north),)
    turns = 360 * floor((west + 180) / 360)
    west, east = west - turns, east - turns
    if east <= 180:
        return ((west, south, east, north),)
    return (west, south, 180.0, north), (-180.0, south, east - 360, north)


def footprint(geometry: Any, bbox: Any) -> Footprint | None:
    """What GeoJSON `geometry` covers, or `bbox` where there is none, or None where there is neither.

    ValueError says what is wrong with them.
    """
    box = flat_box(bbox) if bbox is not None else None
    if geometry is not None:
        crossing = box is not None and box[0] > box[2]
        if not crossing and (plain := _plain(geometry)) is not None:
            return plain
        whole = _unwrapped(_parse(geometry), crossing=crossing)
        if not whole.is_empty:
            return Footprint(shapely.to_wkb(whole), _parts(whole))
    if box is None:
        return None
    parts = split(box)
    return Footprint(shapely.to_wkb(shapely.GeometryCollection([_solid(part) for part in parts])), parts)


def touches(shapes: Sequence[BaseGeometry], boxes: Iterable[Box]) -> np.ndarray:
    """For each shape of a footprint, whether it has a point in any of the boxes (split ones)."""
    many = np.asarray(shapes, dtype=object)
    hit = np.zeros(len(many), dtype=bool)
    if not len(many):
        return hit
    bounds = shapely.bounds(many)
    for box in boxes:
        west, south, east, north = box
        hit |= shapely.intersects(many, _solid(box))
        for turn, beyond in ((360, bounds[:, 2] > 180), (-360, bounds[:, 0] < -180)):
            moved = _solid((west + turn, south, east + turn, north))
            hit[beyond] |= shapely.intersects(many[beyond], moved)
    return hit


def inside(box: Box, boxes: Sequence[Box]) -> bool:
    """Whether each part of `box` lies wholly within one of the boxes (split ones)."""
    return all(
        any(w <= part[0] and s <= part[1] and part[2] <= e and part[3] <= n for w, s, e, n in boxes)
        for part in split(box)
    )


def flat_box(bbox: Any) -> Box:
    """West, south, east, north of a GeoJSON bbox of 4 or 6 numbers; ValueError says what is wrong."""
    if not isinstance(bbox, list | tuple) or len(bbox) not in (4, 6):
        raise ValueError(f"its bbox {bbox!r} is not a list of 4 or 6 numbers")
    if not NUMBERS.issuperset(map(type, bbox)) or not all(map(isfinite, bbox)):
        _count(bbox)
    half = len(bbox) // 2
    west, south, east, north = bbox[0], bbox[1], bbox[half], bbox[half + 1]
    if south > north:
        raise ValueError(f"its bbox {list(bbox)} has south above north")
    _check_degrees(west, south, east, north)
    return float(west), float(south), float(east), float(north)


def _plain(geometry: Any) -> Footprint | None:
    """What most items are: a polygon of one ring, on one side of the antimeridian. None: it takes a closer look.

    Written down by hand, as native code would do it after the same checks.
    """
    match geometry:
        case {"type": "Polygon", "coordinates": [list(ring)]} if 4 <= len(ring) <= MAX_PLAIN:
            pass
        case _:
            return None
    if ring[0] != ring[-1] or not LISTS.issuperset(map(type, ring)) or set(map(len, ring)) != {2}:
        return None
    numbers = list(chain.from_iterable(ring))
    if not NUMBERS.issuperset(map(type, numbers)):
        return None
    x, y = numbers[::2], numbers[1::2]
    west, south, east, north = min(x), min(y), max(x), max(y)
    if not (-180 <= west < east <= 180 and east - west <= 180 and -90 <= south < north <= 90):
        return None
    if not all(map(isfinite, numbers)):
        return None
    wkb = pack(f"<BIII{len(numbers)}d", 1, POLYGON, 1, len(ring), *numbers)
    return Footprint(wkb, ((float(west), float(south), float(east), float(north)),))


def _parse(geometry: Any) -> BaseGeometry:
    if not isinstance(geometry, dict):
        raise ValueError(f"its geometry is {type(geometry).__name__}, not a GeoJSON object or null")
    _count({k: v for k, v in geometry.items() if k in ("coordinates", "geometries")})
    try:
        parsed = shape(geometry)
    except (
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        shapely.errors.ShapelyError,
    ) as cause:
        raise ValueError(f"its geometry of type {geometry.get('type')!r} is not GeoJSON: {cause}") from cause
    if not parsed.is_empty:
        _check_degrees(*parsed.bounds)
    return parsed


def _count(nested: Any) -> None:
    """Refuse what is nested too deep, too long or not finite, before native code sees it."""
    level, depth, numbers = [nested], 0, 0
    while level:
        if (depth := depth + 1) > MAX_DEPTH:
            raise ValueError(f"its geometry is nested more than {MAX_DEPTH} levels deep")
        below: list[Any] = []
        for value in level:
            if isinstance(value, list | tuple):
                below.extend(value)
            elif isinstance(value, dict):
                below.extend(v for k, v in value.items() if k in ("coordinates", "geometries"))
            elif isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
                raise ValueError(f"among its coordinates is {str(value)[:40]!r}, which is no finite number")
            else:
                numbers += 1
        if numbers > MAX_NUMBERS:
            raise ValueError(f"its geometry has more than {MAX_NUMBERS:,} numbers")
        level = below


def _check_degrees(west: float, south: float, east: float, north: float) -> None:
    if max(abs(west), abs(east)) > MAX_LONGITUDE or max(abs(south), abs(north)) > MAX_LATITUDE:
        raise ValueError(f"its extent {[west, south, east, north]} is not in WGS84 degrees")


def _unwrapped(geometry: BaseGeometry, *, crossing: bool) -> BaseGeometry:
    """Polygons that jump from 179 to -179 degrees put in one piece again, and flat ones made lines or points.

    A line without length or a polygon without width is not valid, and touches nothing.
    """
    pieces = _pieces(geometry)
    whole = [_sound(piece, crossing=crossing) for piece in pieces]
    if all(new is old for new, old in zip(whole, pieces, strict=True)):
        return geometry
    return whole[0] if len(whole) == 1 else shapely.GeometryCollection(whole)


def _sound(piece: BaseGeometry, *, crossing: bool) -> BaseGeometry:
    if crossing and piece.bounds[2] - piece.bounds[0] > 180:
        piece = _shifted(piece)
    west, south, east, north = piece.bounds
    flat = (west == east or south == north) and piece.geom_type != "Point"
    return _solid(piece.bounds) if flat else piece


def _shifted(piece: BaseGeometry) -> BaseGeometry:
    def shift(xy: np.ndarray) -> np.ndarray:
        return np.column_stack([np.where(xy[:, 0] < 0, xy[:, 0] + 360, xy[:, 0]), xy[:, 1]])

    return shapely.transform(piece, shift)


def _pieces(geometry: BaseGeometry) -> list[BaseGeometry]:
    """The single points, lines and polygons, out of collections however nested."""
    pieces = [geometry]
    while any(hasattr(piece, "geoms") for piece in pieces):
        pieces = [part for piece in pieces for part in shapely.get_parts(piece)]
    return [piece for piece in pieces if not piece.is_empty]


def _parts(whole: BaseGeometry) -> tuple[Box, ...]:
    west, south, east, north = whole.bounds
    if west < -180 or east > 180 or east - west <= 180:
        return split((west, south, east, north))
    bounds = [piece.bounds for piece in _pieces(whole)]
    sides = [b for b in bounds if b[0] >= 0], [b for b in bounds if b[2] <= 0]
    if len(sides[0]) + len(sides[1]) != len(bounds):
        return (whole.bounds,)
    return tuple((min(b[0] for b in side), south, max(b[2] for b in side), north) for side in sides if side)


def _solid(box: Box) -> BaseGeometry:
    """The box as a valid geometry, also where it has no width or no height."""
    west, south, east, north = box
    if west == east and south == north:
        return shapely.Point(west, south)
    if west == east or south == north:
        return shapely.LineString([(west, south), (east, north)])
    return shapely.box(west, south, east, north)
