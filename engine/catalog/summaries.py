"""What a collection says of its items: extent, dimensions, bands and summaries, computed from them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from engine.catalog.bands import OF_ALL, bands_of, data_assets
from engine.catalog.dimensions import cube_dimensions, grid_of
from engine.catalog.documents import STAC_VERSION, Record
from engine.catalog.fold import MAX_LISTED, Fold
from engine.catalog.model import Json
from engine.catalog.texts import as_text
from engine.catalog.times import rfc3339

VARYING = frozenset({"href", "title", "description", "created", "updated", "alternate", "checksum:multihash"})
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
SUMMED_UP = LISTED + RANGED


@dataclass(frozen=True)
class Glance:
    """What the description of a collection wants to know of one item."""

    varies: str
    """What mostly differs from item to item: `span`, `box`, `grid`, `dims` and the `properties` to sum up (JSON)."""
    layout: str
    """What mostly is the same for all: `bands` and `assets` without what is only true of one item (JSON)."""


def glance(record: Record) -> Glance:
    """Take a look at an item."""
    properties = record.doc["properties"]
    listed = {name: properties[name] for name in SUMMED_UP if properties.get(name) is not None}
    dims = record.doc.get("cube:dimensions")
    assets = data_assets(record.doc)
    varies: Json = {
        "span": list(record.span),
        "instant": record.is_instant,
        "box": list(record.footprint.box) if record.footprint is not None else None,
        "grid": grid_of(assets, properties),
        **({"dims": dims} if isinstance(dims, dict) and dims else {}),
        "properties": listed,
    }
    same = {key: _common(asset) for key, asset in assets.items()}
    wider = {name: properties[name] for name in OF_ALL if name in properties}
    return Glance(as_text(varies), _layout(as_text([same, wider])))


@lru_cache(maxsize=64)
def _layout(told: str) -> str:
    """The layout of items with these assets, and properties of all bands (JSON): mostly that of the item before."""
    assets, properties = json.loads(told)
    return as_text({"bands": bands_of(assets, properties), "assets": assets})


def told(collection: Mapping[str, Any], fold: Fold) -> Json:
    """The STAC collection, complete, by what is known of its items."""
    layouts = list(fold.layouts.values())
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
    if not fold.count:
        return out
    out["extent"] = _extent(fold, out["extent"])
    out["cube:dimensions"] = cube_dimensions(fold, list(bands))
    assets = _first_of_each(pair for layout in layouts for pair in layout["assets"].items())
    out["item_assets"] = {key: {**_at_least(key, asset), **asset} for key, asset in assets.items()}
    given = out.get("summaries")
    out["summaries"] = (given if isinstance(given, dict) else {}) | _summaries(fold, list(bands.values()))
    return out


def _extent(fold: Fold, given: Any) -> Json:
    whole = fold.ground.box()
    known = given.get("spatial") if isinstance(given, dict) else None
    spatial = {"bbox": [list(whole)]} if whole is not None else known or {"bbox": [[-180, -90, 180, 90]]}
    assert fold.end is not None
    interval = [rfc3339(fold.time.low), rfc3339(fold.end)]
    return {"spatial": spatial, "temporal": {"interval": [interval]}}


def _summaries(fold: Fold, bands: list[Json]) -> Json:
    out: Json = {}
    for name in LISTED:
        values = _sorted(fold.listed.get(name, ()))
        if 0 < len(values) <= MAX_LISTED:
            out[name] = values
    if "gsd" not in out and (
        sizes := sorted({b["gsd"] for b in bands if isinstance(b.get("gsd"), int | float)})
    ):
        out["gsd"] = sizes
    for name in RANGED:
        if (numbers := fold.ranged.get(name)) is not None:
            few = sorted(numbers.each) if numbers.each is not None else None
            out[name] = few if few is not None else {"minimum": numbers.low, "maximum": numbers.high}
    if codes := _sorted(code for code in fold.grids.codes if code):
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


def _at_least(key: str, asset: Json) -> Json:
    """What stands in for what an asset does not say: STAC wants two members."""
    return {} if len(asset) > 1 else {"title": key, "roles": ["data"]}


def _common(asset: Json) -> Json:
    """The asset without what is true of one item only."""
    return {name: value for name, value in asset.items() if _is_common(name)}


@lru_cache(maxsize=1024)
def _is_common(name: str) -> bool:
    return name not in VARYING and not name.startswith(VARYING_PREFIXES)


def _sorted(values: Iterable[Any]) -> list[Any]:
    """Distinct values in their order, numbers before texts."""
    return sorted(set(values), key=lambda v: (isinstance(v, str), v))


def _first_of_each(pairs: Iterable[tuple[str, Json]]) -> dict[str, Json]:
    out: dict[str, Json] = {}
    for key, value in pairs:
        out.setdefault(key, value)
    return out
