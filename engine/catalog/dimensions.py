"""`cube:dimensions` of a collection: the axes that a cube of its items has, with extents and labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from math import isfinite
from typing import Any, TypeGuard

from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from engine.catalog.fold import MAX_VALUES, Fold, Grids
from engine.catalog.model import Box, Json
from engine.catalog.times import rfc3339

PROJECTION = ("proj:code", "proj:epsg", "proj:wkt2", "proj:transform", "proj:shape", "proj:bbox")
"""What a grid is read off."""


def grid_of(assets: Mapping[str, Json], properties: Mapping[str, Any]) -> Json | None:
    """CRS, extent and pixel size of an item's data assets, as far as projection fields tell; None: no CRS.

    `code` is `EPSG:n`, WKT2 or empty for PROJJSON; `x`, `y` are extents, `step` the sizes of a pixel
    where all data assets share them.
    """
    own = [(name, properties.get(name)) for name in PROJECTION]
    told = ([asset.get(name, wider) for name, wider in own] for asset in assets.values())
    places = [place for place, _ in groupby(told)] or [[wider for _, wider in own]]
    codes = {_code(*place[:3]) for place in places}
    if len(codes) != 1 or (code := codes.pop()) is None:
        return None
    frames = [frame for place in places if (frame := _frame(*place[3:])) is not None]
    if len(frames) < len(places):
        return {"code": code, "x": None, "y": None, "step": None}
    if len(frames) == 1:
        x, y, own_step = frames[0]
        return {"code": code, "x": x, "y": y, "step": own_step}
    steps = {frame[2] for frame in frames}
    return {
        "code": code,
        "x": [min(f[0][0] for f in frames), max(f[0][1] for f in frames)],
        "y": [min(f[1][0] for f in frames), max(f[1][1] for f in frames)],
        "step": list(step) if len(steps) == 1 and (step := steps.pop()) is not None else None,
    }


def cube_dimensions(fold: Fold, bands: list[str]) -> Json:
    """The dimensions of a cube of the items that were taken in."""
    out: Json = {}
    if fold.dims is not None:
        out = _merged(fold.dims, fold.ground.box())
    else:
        out = _horizontal(fold.grids, fold.ground.box()) | {"t": _time(fold)}
    if bands and not any(dim.get("type") == "bands" for dim in out.values()):
        out["bands"] = {"type": "bands", "values": bands}
    return out


def _code(code: Any, epsg: Any, wkt: Any) -> str | None:
    if isinstance(code, str):
        return code
    if isinstance(epsg, int):
        return f"EPSG:{epsg}"
    return wkt if isinstance(wkt, str) else None


Frame = tuple[tuple[float, float], tuple[float, float], tuple[float, float] | None]


def _frame(transform: Any, shape: Any, box: Any) -> Frame | None:
    """Extents along x and y, and pixel sizes, by transform and shape or by `proj:bbox`."""
    if _are_numbers(transform, 6, 9) and _are_numbers(shape, 2):
        a, b, c, d, e, f = transform[:6]
        rows, columns = shape
        x = [a * u + b * v + c for u in (0, columns) for v in (0, rows)]
        y = [d * u + e * v + f for u in (0, columns) for v in (0, rows)]
        if not all(map(isfinite, (*x, *y))):
            return None
        step = (abs(a), abs(e)) if b == d == 0 and a and e else None
        return (min(x), max(x)), (min(y), max(y)), step
    if _are_numbers(box, 4, 6):
        half = len(box) // 2
        return (box[0], box[half]), (box[1], box[half + 1]), None
    return None


def _are_numbers(value: Any, *lengths: int) -> TypeGuard[list[float]]:
    return isinstance(value, list) and len(value) in lengths and {int, float}.issuperset(map(type, value))


def _horizontal(grids: Grids, box: Box | None) -> Json:
    """x and y: in the CRS of the items where they share one, else in WGS84."""
    code = grids.code
    if code is not None and grids.whole:
        x, y = [grids.x.low, grids.x.high], [grids.y.low, grids.y.high]
        return _axes(x, y, code, grids.step if grids.alike else None)
    if box is None:
        return _axes([-180, 180], [-90, 90], "EPSG:4326", None)
    if code is not None and (moved := _transformed(box, code)) is not None:
        return _axes([moved[0], moved[2]], [moved[1], moved[3]], code, None)
    west, east = (box[0], box[2]) if box[0] <= box[2] else (-180.0, 180.0)
    return _axes([west, east], [box[1], box[3]], "EPSG:4326", None)


def _axes(x: list[float], y: list[float], code: str, step: tuple[float, float] | None) -> Json:
    system = int(code[5:]) if code.upper().startswith("EPSG:") and code[5:].isdigit() else code
    out: Json = {}
    for at, (axis, extent) in enumerate((("x", x), ("y", y))):
        out[axis] = {"type": "spatial", "axis": axis, "extent": list(extent), "reference_system": system}
        if step is not None:
            out[axis]["step"] = step[at]
    return out


def _transformed(box: Box, code: str) -> Box | None:
    """A WGS84 box in another CRS; None where that cannot be told."""
    try:
        moved = Transformer.from_crs(4326, CRS.from_user_input(code), always_xy=True).transform_bounds(*box)
    except (CRSError, ProjError):
        return None
    return moved if all(abs(edge) < float("inf") for edge in moved) else None


def _time(fold: Fold) -> Json:
    assert fold.end is not None
    out: Json = {"type": "temporal", "extent": [rfc3339(fold.time.low), rfc3339(fold.end)]}
    if fold.time.each is not None and fold.instants:
        out["values"] = [rfc3339(instant) for instant in sorted(fold.time.each)]
    return out


def _merged(dims: Sequence[Mapping[str, Json]], box: Box | None) -> Json:
    """The items' own dimensions, joined name by name; axes in different CRSs are told in WGS84."""
    out: Json = {}
    for name in dict.fromkeys(name for each in dims for name in each):
        parts = [each[name] for each in dims if isinstance(each.get(name), dict)]
        axis = parts[0].get("axis") if parts else None
        if axis in ("x", "y") and any(
            p.get("reference_system") != parts[0].get("reference_system") for p in parts
        ):
            out[name] = _horizontal(Grids(), box)[axis]
        elif parts:
            out[name] = _joined(parts)
    return out


def _joined(parts: Sequence[Json]) -> Json:
    """One dimension of all items: what they agree in, extents and labels put together."""
    first = parts[0]
    out = {
        k: v for k, v in first.items() if k not in ("extent", "values") and all(p.get(k) == v for p in parts)
    }
    ends = [end for p in parts for end in p.get("extent") or []]
    if ends and all("extent" in p for p in parts):
        known = [end for end in ends if end is not None]
        out["extent"] = [min(known), max(known)] if known else [None, None]
    if all("values" in p for p in parts):
        labels = list(dict.fromkeys(value for p in parts for value in _hashable(p["values"])))
        ordered = first.get("type") == "temporal" or all(isinstance(v, int | float) for v in labels)
        if len(labels) <= MAX_VALUES:
            out["values"] = sorted(labels) if ordered else labels
    return out


def _hashable(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if isinstance(value, str | int | float)]
