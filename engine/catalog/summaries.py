"""What a collection says of its items: extent, dimensions, bands and summaries, computed from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.catalog.bands import bands_of, data_assets
from engine.catalog.dimensions import cube_dimensions, grid_of
from engine.catalog.documents import STAC_VERSION, Record
from engine.catalog.model import Box, Json
from engine.catalog.space import split
from engine.catalog.times import rfc3339

VARYING = ("href", "title", "description", "created", "updated", "alternate", "checksum:multihash")
VARYING_PREFIXES = ("proj:", "file:", "storage:", "xarray:", "alternate:", "s3:", "auth:")
LISTED = (
    "platform",
    "constellation",
    "instruments",
    "gsd",
    "mission",
    "processing:level",
    "sar:instrument_mode",
)
RANGED = ("eo:cloud_cover", "eo:snow_cover", "view:off_nadir", "view:sun_elevation")
MAX_LISTED = 100


@dataclass(frozen=True)
class Glance:
    """What the description of a collection wants to know of one item."""

    varies: Json
    """What mostly differs from item to item: `span`, `box`, `grid`, `dims` and the `properties` to sum up."""
    layout: Json
    """What mostly is the same for all: `bands` and `assets` without what is only true of one item."""


def glance(record: Record) -> Glance:
    """Take a look at an item."""
    properties = record.doc["properties"]
    listed = {name: properties[name] for name in (*LISTED, *RANGED) if properties.get(name) is not None}
    dims = record.doc.get("cube:dimensions")
    varies: Json = {
        "span": list(record.span),
        "instant": properties.get("datetime") is not None,
        "box": list(record.footprint.box) if record.footprint is not None else None,
        "grid": grid_of(record.doc),
        "dims": dims if isinstance(dims, dict) and dims else None,
        "properties": listed,
    }
    assets = {key: _common(asset) for key, asset in data_assets(record.doc).items()}
    return Glance(varies, {"bands": bands_of(record.doc), "assets": assets})


def describe(collection: Mapping[str, Any], glances: Iterable[Glance]) -> Json:
    """The STAC collection, complete: what its items tell stands in place of what it said before."""
    seen = list(glances)
    layouts = _distinct(g.layout for g in seen)
    bands = _first_of_each((band["name"], band) for layout in layouts for band in layout["bands"])
    out: Json = {
        "stac_version": STAC_VERSION,
        "stac_extensions": [],
        "license": "other",
        "links": [],
        "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [[None, None]]}},
        **collection,
        "type": "Collection",
    }
    out.setdefault("description", f"Items of collection {out['id']}.")
    if not seen:
        return out
    boxes = [g.varies["box"] for g in seen if g.varies["box"] is not None]
    out["extent"] = _extent(boxes, [g.varies["span"] for g in seen], out["extent"])
    out["cube:dimensions"] = cube_dimensions([g.varies for g in seen], around(boxes), list(bands))
    out["item_assets"] = _first_of_each(pair for layout in layouts for pair in layout["assets"].items())
    given = out.get("summaries")
    out["summaries"] = (given if isinstance(given, dict) else {}) | _summaries(seen, list(bands.values()))
    return out


def around(boxes: Sequence[Sequence[float]]) -> Box | None:
    """The box around boxes; it crosses the antimeridian where they meet there, and leaves the widest gap out."""
    if not boxes:
        return None
    south, north = min(b[1] for b in boxes), max(b[3] for b in boxes)
    spans = sorted((p[0], p[2]) for b in boxes for p in split((b[0], b[1], b[2], b[3])))
    west, east = spans[0][0], max(span[1] for span in spans)
    if west > -180 or east < 180:
        return west, south, east, north
    gaps, reach = [], spans[0][1]
    for low, high in spans[1:]:
        gaps.append((low - reach, low, reach))
        reach = max(reach, high)
    width, low, reach = max(gaps, default=(0.0, 0.0, 0.0))
    return (low, south, reach, north) if width > 0 else (-180.0, south, 180.0, north)


def _extent(boxes: list[Any], spans: list[Any], given: Any) -> Json:
    whole = around(boxes)
    known = given.get("spatial") if isinstance(given, dict) else None
    spatial = {"bbox": [list(whole)]} if whole is not None else known or {"bbox": [[-180, -90, 180, 90]]}
    interval = [rfc3339(min(span[0] for span in spans)), rfc3339(max(span[1] for span in spans))]
    return {"spatial": spatial, "temporal": {"interval": [interval]}}


FEW = 20
"""Numbers that are told one by one; of more, the least and the greatest are told."""


def _summaries(seen: Sequence[Glance], bands: list[Json]) -> Json:
    out: Json = {}
    properties = [g.varies["properties"] for g in seen]
    for name in LISTED:
        values = _flat(p[name] for p in properties if name in p)
        if 0 < len(values) <= MAX_LISTED:
            out[name] = values
    if "gsd" not in out and (
        sizes := sorted({b["gsd"] for b in bands if isinstance(b.get("gsd"), int | float)})
    ):
        out["gsd"] = sizes
    for name in RANGED:
        numbers = sorted({p[name] for p in properties if isinstance(p.get(name), int | float)})
        if numbers:
            few = len(numbers) <= FEW
            out[name] = numbers if few else {"minimum": numbers[0], "maximum": numbers[-1]}
    codes = _flat(g.varies["grid"]["code"] for g in seen if g.varies["grid"] and g.varies["grid"]["code"])
    if codes:
        out["proj:code"] = codes
    if bands:
        out["bands"] = [_stac_band(band) for band in bands]
        out["eo:bands"] = [{k: v for k, v in band.items() if k in EO} for band in bands]
    return out


EO = ("name", "common_name", "description", "center_wavelength", "full_width_half_max", "solar_illumination")


def _stac_band(band: Json) -> Json:
    """A band with the prefixes of STAC 1.1."""
    out: Json = {}
    for name, value in band.items():
        if name in ("scale", "offset"):
            out[f"raster:{name}"] = value
        elif name in EO and name not in ("name", "description"):
            out[f"eo:{name}"] = value
        else:
            out[name] = value
    return out


def _common(asset: Json) -> Json:
    """The asset without what is true of one item only."""
    return {k: v for k, v in asset.items() if k not in VARYING and not k.startswith(VARYING_PREFIXES)}


def _flat(values: Iterable[Any]) -> list[Any]:
    """Distinct values, lists among them taken apart; sorted, numbers before texts."""
    single = {
        v
        for value in values
        for v in (value if isinstance(value, list) else [value])
        if isinstance(v, str | int | float)
    }
    return sorted(single, key=lambda v: (isinstance(v, str), v))


def _distinct(layouts: Iterable[Json]) -> list[Json]:
    """Layouts that are not the same object; equal ones are shared when they are read."""
    return list({id(layout): layout for layout in layouts}.values())


def _first_of_each(pairs: Iterable[tuple[str, Json]]) -> dict[str, Json]:
    out: dict[str, Json] = {}
    for key, value in pairs:
        out.setdefault(key, value)
    return out
