"""Boxes in other CRSs: densified, across the antimeridian, and cropped to the pixels whose centre is inside."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from affine import Affine
from odc.geo.crs import CRS
from odc.geo.geobox import GeoBox
from pyproj import Transformer
from pyproj.exceptions import ProjError

from engine.errors import Problem

GLOBE = 360.0
"""One turn around the globe, in degrees."""
TURNS = (0, -1, 1)
"""How many turns a geographic grid may lie beside the one it is compared with."""
DENSE = 64
"""Points along each edge of a box when it is brought into another CRS."""
FARTHEST = 1e10
"""No place on earth has a greater coordinate; infinity is where a projection does not reach."""
HAIR = 1e-6
"""Part of a pixel by which a position may be off and still be the same."""


class Rect(NamedTuple):
    """A box in some CRS; in a geographic one `right` may lie beyond 180 degrees."""

    left: float
    bottom: float
    right: float
    top: float

    def __or__(self, other: Rect) -> Rect:
        low, high = map(min, self[:2], other[:2]), map(max, self[2:], other[2:])
        return Rect(*low, *high)

    def __and__(self, other: Rect) -> Rect | None:
        both = Rect(*map(max, self[:2], other[:2]), *map(min, self[2:], other[2:]))
        return both if both.left <= both.right and both.bottom <= both.top else None

    def shifted(self, dx: float) -> Rect:
        """The same box, `dx` to the east."""
        return Rect(self.left + dx, self.bottom, self.right + dx, self.top)


@lru_cache(maxsize=256)
def transformer(source: str, target: str) -> Transformer:
    """From one CRS to another, x (east) before y (north)."""
    return Transformer.from_crs(source, target, always_xy=True)


def crs_from(wished: Any) -> CRS:
    """The CRS that a user named: EPSG code, WKT2, PROJ string, or an object of a library."""
    try:
        return CRS(wished)
    except Exception as fault:
        raise Problem(
            "ProcessParameterInvalid",
            f"{wished!r} is no CRS: {fault}.",
            hint="Give an EPSG code, e.g. 4326, or WKT2.",
        ) from fault


def is_globe(crs: CRS | None) -> bool:
    """Whether x is a longitude in degrees, so that it comes back after a turn."""
    if crs is None or not crs.geographic:
        return False
    return str(crs.proj.axis_info[0].unit_name).lower() in ("degree", "degrees")


def bounds_in(geobox: GeoBox, crs: CRS) -> Rect | None:
    """The box around a grid in another CRS; None where the projection does not reach all of it."""
    if geobox.crs == crs:
        return Rect(*geobox.boundingbox.bbox)
    return _bounds(Rect(*geobox.boundingbox.bbox), str(geobox.crs), crs)


@lru_cache(maxsize=65536)
def _bounds(rect: Rect, source: str, target: CRS) -> Rect | None:
    change = transformer(source, str(target))
    if is_globe(CRS(source)) and not is_globe(target):
        left, bottom, right, top = _sampled(rect, change)
    else:
        try:
            left, bottom, right, top = change.transform_bounds(*rect, densify_pts=DENSE)
        except ProjError:
            return None
    if not all(abs(v) < FARTHEST for v in (left, bottom, right, top)):
        return None
    if is_globe(target) and left > right:
        right += GLOBE
    return Rect(left, bottom, right, top) if left <= right else None


def _sampled(rect: Rect, change: Transformer) -> Rect:
    """The box around a lattice of points: of a wide box of longitudes the edges alone do not tell."""
    x, y = np.meshgrid(
        np.linspace(rect.left, rect.right, DENSE + 1), np.linspace(rect.bottom, rect.top, DENSE + 1)
    )
    x, y = change.transform(x, y)
    return Rect(float(x.min()), float(y.min()), float(x.max()), float(y.max()))


def pixel_rect(rect: Rect, grid: GeoBox) -> Rect:
    """A box of the grid's CRS in pixels: columns from `left` to `right`, rows from `bottom` to `top`."""
    corners = [~grid.transform * (x, y) for x in (rect.left, rect.right) for y in (rect.bottom, rect.top)]
    cols, rows = zip(*corners, strict=True)
    return Rect(min(cols), min(rows), max(cols), max(rows))


def meeting(rect: Rect, other: Rect, crs: CRS) -> tuple[Rect, ...]:
    """`rect` as it meets `other`: as it is, or a turn of the globe to either side, or several of these."""
    turns = TURNS if is_globe(crs) else TURNS[:1]
    return tuple(
        moved for k in turns if (met := (moved := rect.shifted(k * GLOBE)) & other) and met.left < met.right
    )


def box_in(bbox: Any, crs: CRS, footprints: Iterable[GeoBox]) -> Rect:
    """The wished box in the CRS of a grid; where that has borders, only as far as the footprints reach."""
    own = crs_from(4326 if bbox.crs is None else bbox.crs)
    box = _wished(bbox, own)
    if own == crs:
        return box
    if is_globe(own) and is_globe(crs):
        return _across_datums(box, own, crs)
    near = _near_footprints(box, own, footprints)
    parts = [_bounds(part, str(own), crs) for part in (_west_and_east(near) if is_globe(own) else (near,))]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        raise Problem(
            "ProcessParameterInvalid",
            f"the box {tuple(box)} of CRS {own} cannot be expressed in the CRS of the data, {crs}.",
            hint="Make the box smaller, or give it in the CRS of the data.",
        )
    return _joined(known, crs)


def _wished(bbox: Any, crs: CRS) -> Rect:
    west, south, east, north = (float(v) for v in (bbox.west, bbox.south, bbox.east, bbox.north))
    if is_globe(crs) and west > east:
        east += GLOBE
    if west > east or south > north or not all(map(math.isfinite, (west, south, east, north))):
        raise Problem(
            "ProcessParameterInvalid",
            f"the box west={bbox.west}, south={bbox.south}, east={bbox.east}, north={bbox.north} is empty.",
            hint="West must be below east and south below north; only in geographic CRSs may west be greater than east.",
        )
    return Rect(west, south, east, north)


def _near_footprints(box: Rect, crs: CRS, footprints: Iterable[GeoBox]) -> Rect:
    """The part of the box where there are data: far from its home a projection gives nonsense."""
    parts: list[Rect] = []
    for footprint in footprints:
        around = bounds_in(footprint, crs)
        if around is None:
            return box
        slack = 1e-3 * max(around.right - around.left, around.top - around.bottom)
        wide = Rect(around.left - slack, around.bottom - slack, around.right + slack, around.top + slack)
        parts += [part for moved in meeting(wide, box, crs) if (part := moved & box)]
    if not parts:
        raise nothing_inside(box, crs)
    return _joined(parts, None)


def _across_datums(box: Rect, own: CRS, crs: CRS) -> Rect:
    """Between two geographic CRSs, where longitudes stay what they are but for some metres."""
    parts = [(_bounds(part, str(own), crs), part) for part in _west_and_east(box)]
    moved = [new.shifted(GLOBE * round((old.left - new.left) / GLOBE)) if new else old for new, old in parts]
    if len(moved) == 2:  # the second part is the one beyond 180 degrees
        moved[1] = moved[1].shifted(GLOBE)
    return _joined(moved, None)


def _west_and_east(box: Rect) -> tuple[Rect, ...]:
    """A box of longitudes, cut at the antimeridian, both parts within -180 and 180."""
    if box.right - box.left >= GLOBE:
        return (Rect(-180.0, box.bottom, 180.0, box.top),)
    start = (box.left + 180.0) % GLOBE - 180.0
    box = box.shifted(start - box.left)
    if box.right <= 180.0:
        return (box,)
    return box._replace(right=180.0), Rect(-180.0, box.bottom, box.right - GLOBE, box.top)


def _joined(parts: Sequence[Rect], crs: CRS | None) -> Rect:
    whole = parts[0]
    for part in parts[1:]:
        if crs is not None and is_globe(crs):  # take the turn that lies nearest
            part = part.shifted(GLOBE * round((whole.left - part.left) / GLOBE))
        whole = whole | part
    return whole


def nothing_inside(box: Rect, crs: CRS) -> Problem:
    """The problem that a box has no pixels."""
    numbers = ", ".join(f"{v:.10g}" for v in box)
    return Problem(
        "NoDataAvailable",
        f"no pixel centre of the items lies inside the box ({numbers}) in {_name(crs)}.",
        hint="Compare the box with the extent of the collection; is it in the right CRS and wider than a pixel?",
        facts={"box": list(box)},
    )


def _name(crs: CRS) -> str:
    return f"EPSG:{crs.epsg}" if crs.epsg else str(crs.proj.name)


def crop(grid: GeoBox, box: Rect) -> GeoBox:
    """The part of a grid whose pixel centres lie inside the box or on its edge."""
    inside = pixel_rect(box, grid)
    height, width = grid.shape
    first_col, first_row = (max(0, math.ceil(v - 0.5 - HAIR)) for v in (inside.left, inside.bottom))
    last_col = min(width - 1, math.floor(inside.right - 0.5 + HAIR))
    last_row = min(height - 1, math.floor(inside.top - 0.5 + HAIR))
    if last_col < first_col or last_row < first_row:
        assert grid.crs is not None
        raise nothing_inside(box, grid.crs)
    shape = (last_row - first_row + 1, last_col - first_col + 1)
    return GeoBox(shape, grid.transform * Affine.translation(first_col, first_row), grid.crs)
