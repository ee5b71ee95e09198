"""Chooses the pixel grid of the cube: the items' own where they share one, else the one that most of them have."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from affine import Affine
from odc.geo import resxy_
from odc.geo.crs import CRS
from odc.geo.geobox import GeoBox
from odc.loader.types import RasterBandMetadata, RasterGroupMetadata, RasterSource
from odc.stac import output_geobox
from odc.stac.model import ParsedItem, RasterCollectionMetadata

from engine.errors import Problem
from engine.load.extent import (
    GLOBE,
    Rect,
    bounds_in,
    box_in,
    crop,
    crs_from,
    is_globe,
    meeting,
    nothing_inside,
    pixel_rect,
)
from engine.load.model import Scene, Wish
from processes.cubes.named import distinct

Say = Callable[[str], None]

ALIGNED = 0.05
"""Part of a pixel by which a grid may lie off another and still count as aligned (metadata are rounded)."""
SAME_SIZE = 1e-6
"""Relative difference of pixel sizes that still count as the same."""


def choose_grid(scenes: Sequence[Scene], wish: Wish, say: Say) -> GeoBox:
    """The cube's grid: as wished, or the items' own; around their footprints, cropped to the wished box."""
    boxes = [box for scene in scenes if (box := finest(scene)) is not None]
    if not boxes:
        raise Problem(
            "FileContentInvalid",
            "neither the metadata nor the files of the items tell where their pixels lie.",
            hint="Give the items proj:code, proj:shape and proj:transform.",
        )
    lattice = _lattice(boxes, wish, say)
    assert lattice.crs is not None
    footprints = distinct(
        box for scene in scenes for s in scene.sources.values() if (box := s.geobox) is not None
    )
    wished = None if wish.bbox is None else box_in(wish.bbox, lattice.crs, footprints)
    whole = around(lattice, _extent(footprints, lattice.crs, wished))
    return whole if wished is None else crop(whole, wished)


def finest(scene: Scene) -> GeoBox | None:
    """The grid with the smallest pixels among the sources of a scene."""
    boxes = [s.geobox for s in scene.sources.values() if s.geobox is not None]
    return min(boxes, key=lambda box: abs(box.transform.determinant), default=None)


def around(lattice: GeoBox, rect: Rect) -> GeoBox:
    """The grid on this lattice that covers a box; what is less than a twentieth of a pixel is not covered."""
    pixels = pixel_rect(rect, lattice)
    left, top = math.floor(pixels.left + ALIGNED), math.floor(pixels.bottom + ALIGNED)
    right, bottom = math.ceil(pixels.right - ALIGNED), math.ceil(pixels.top - ALIGNED)
    shape = (max(1, bottom - top), max(1, right - left))
    return GeoBox(shape, lattice.transform * Affine.translation(left, top), lattice.crs)


def share_grid(boxes: Iterable[GeoBox]) -> bool:
    """Whether the grids have one CRS, one pixel size, and lie whole pixels apart."""
    first, *rest = boxes
    if not first.axis_aligned:
        return False
    turns = is_globe(first.crs)
    return all(box.crs == first.crs and _same_lattice(first, box, turns) for box in rest)


def _same_lattice(a: GeoBox, b: GeoBox, turns: bool) -> bool:
    ta, tb = a.transform, b.transform
    if not b.axis_aligned or not _close(ta.a, tb.a) or not _close(ta.e, tb.e):
        return False
    dx, dy = (tb.c - ta.c) / ta.a, (tb.f - ta.f) / ta.e
    beside = GLOBE / ta.a if turns else 0.0
    return _whole(dy) and any(_whole(dx + k * beside) for k in (0, 1, -1))


def _close(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=SAME_SIZE)


def _whole(pixels: float) -> bool:
    return abs(pixels - round(pixels)) < ALIGNED


def _lattice(boxes: Sequence[GeoBox], wish: Wish, say: Say) -> GeoBox:
    """One pixel of the cube's grid, anywhere."""
    crs = None if wish.crs is None else crs_from(wish.crs)
    if share_grid(boxes) and (crs is None or crs == boxes[0].crs):
        own = boxes[0]
        if wish.resolution is None:
            return own
        step_x, step_y = wished_steps(wish, own)
        return GeoBox((1, 1), Affine(step_x, 0, own.transform.c, 0, step_y, own.transform.f), own.crs)
    common = _most_common(boxes)
    target = crs or common.crs
    assert target is not None
    step_x, step_y = (
        wished_steps(wish, common) if wish.resolution is not None else natural_steps(common, target)
    )
    if crs is None:
        say(
            f"the items do not share a pixel grid; the cube has that of most of them: {_crs_name(target)},"
            f" pixels of {abs(step_x):.10g} x {abs(step_y):.10g}"
        )
    same = target == common.crs and wish.resolution is None
    x0, y0 = (common.transform.c, common.transform.f) if same else (0.0, 0.0)
    return GeoBox((1, 1), Affine(step_x, 0, x0, 0, step_y, y0), target)


def wished_steps(wish: Wish, like: GeoBox) -> tuple[float, float]:
    """The wished pixel size, running along the axes as the sources do."""
    wished = wish.resolution
    try:
        sizes = (wished, wished) if isinstance(wished, int | float) else tuple(wished)
        x, y = (abs(float(size)) for size in sizes)
        if not (0 < x < math.inf and 0 < y < math.inf):
            raise ValueError("a size must be above zero")
    except (TypeError, ValueError) as fault:
        raise Problem(
            "ProcessParameterInvalid",
            f"the resolution {wished!r} is no pixel size: {fault}.",
            hint="Give one number, or two for x and y, in units of the CRS.",
        ) from fault
    up = like.axis_aligned and like.transform.e > 0
    return x, y if up else -y


def natural_steps(box: GeoBox, crs: CRS) -> tuple[float, float]:
    """The pixel size of a grid, in a CRS that may be another."""
    if box.crs != crs:
        box = box.to_crs(crs)
    return float(box.transform.a), float(box.transform.e)


def _most_common(boxes: Sequence[GeoBox]) -> GeoBox:
    """The lattice that odc-stac takes for these grids: the most common CRS, pixel size and phase."""
    upright = [box if box.axis_aligned else _upright(box) for box in boxes]
    meta = RasterBandMetadata()
    group = RasterCollectionMetadata(
        name="items", meta=RasterGroupMetadata({("b", 1): meta}), has_proj=True, band2grid={"b": "default"}
    )
    parsed = [
        ParsedItem(str(i), group, {("b", 1): RasterSource("", geobox=b)}) for i, b in enumerate(upright)
    ]
    corner = upright[0].extent.centroid.buffer(min(map(abs, upright[0].resolution.xy)))
    chosen: GeoBox | None = output_geobox(parsed, bands=["b"], geopolygon=corner)
    assert chosen is not None
    return chosen


def _upright(box: GeoBox) -> GeoBox:
    """A grid without rotation, of as many pixels to the area."""
    size = math.sqrt(abs(box.transform.determinant))
    return GeoBox.from_bbox(box.boundingbox, resolution=resxy_(size, -size))


def _extent(footprints: Iterable[GeoBox], crs: CRS, wished: Rect | None) -> Rect:
    """The box around all footprints, each at the turn of the globe where it meets what is wished."""
    rects = [rect or wished for rect in (bounds_in(box, crs) for box in footprints)]
    known = [rect for rect in rects if rect is not None]
    if len(known) < len(rects):
        raise Problem(
            "ProcessParameterInvalid",
            f"the projection {_crs_name(crs)} does not reach all pixels of the items.",
            hint="Wish for a box, or for another CRS.",
        )
    if wished is not None:
        known = [part for rect in known for moved in meeting(rect, wished, crs) if (part := moved & wished)]
        if not known:
            raise nothing_inside(wished, crs)
    elif is_globe(crs):
        known = _narrowest(known)
    whole = known[0]
    for rect in known[1:]:
        whole = whole | rect
    return whole


def _narrowest(rects: list[Rect]) -> list[Rect]:
    """Boxes on both sides of the antimeridian, brought side by side if they fit into half a globe so."""
    beside = [rect.shifted(GLOBE) if rect.right <= 0 else rect for rect in rects]
    width = max(r.right for r in beside) - min(r.left for r in beside)
    apart = max(r.right for r in rects) - min(r.left for r in rects)
    return beside if width < apart and width < GLOBE / 2 else rects


def _crs_name(crs: CRS) -> str:
    return f"EPSG:{crs.epsg}" if crs.epsg else str(crs.proj.name)
