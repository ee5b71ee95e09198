"""The types of web services: what can be configured, and what graphs are given for each tile."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import Problem, Problems
from engine.graph.near import nearest_of
from engine.maps.grid import MAXZOOM
from engine.maps.model import Look
from engine.write import colormaps
from engine.write.tile import ENCODERS
from processes.types import RESAMPLING

Json = dict[str, Any]


@dataclass(frozen=True)
class Setting:
    """One thing that can be configured."""

    schema: Mapping[str, Any]
    """What it is, as JSON schema."""
    take: Callable[[Any], Any]
    """The value as a `Look` has it; `ValueError` says what it has to be."""
    member: str
    """Its name in `Look`."""


def one_of(*allowed: Any) -> Callable[[Any], Any]:
    """Takes one of a list; texts in any case."""

    def take(value: Any) -> Any:
        for known in allowed:
            if known == value or (isinstance(value, str) and str(known).lower() == value.lower()):
                return known
        raise ValueError(f"one of {', '.join(map(str, allowed))}")

    return take


def zoom(value: Any) -> int:
    """Takes a zoom level."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAXZOOM:
        raise ValueError(f"an integer from 0 to {MAXZOOM}")
    return value


def words(value: Any) -> str:
    """Takes a text."""
    if not isinstance(value, str):
        raise ValueError("a text")
    return value


def names(value: Any) -> tuple[str, ...]:
    """Takes names of bands."""
    if not isinstance(value, list) or not value or not all(isinstance(v, str) for v in value):
        raise ValueError("a list of names")
    return tuple(value)


def ranges(value: Any) -> tuple[tuple[float, float], ...]:
    """Takes a range, or one for each band."""
    pairs = value if isinstance(value, list) and value and isinstance(value[0], list) else [value]
    return tuple(one_range(pair) for pair in pairs)


def one_range(pair: Any) -> tuple[float, float]:
    """Takes two numbers, the lesser one first."""
    numbers = isinstance(pair, list) and len(pair) == 2
    if not numbers or not all(isinstance(v, int | float) and not isinstance(v, bool) for v in pair):
        raise ValueError("[low, high], or a list of these, one for each band")
    low, high = (float(v) if abs(v) < 1e300 else math.inf for v in pair)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError("[low, high] with low less than high")
    return low, high


PAIR = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
SETTINGS: Mapping[str, Setting] = {
    "tile_size": Setting(
        {"type": "integer", "enum": [256, 512], "default": 256, "description": "Pixels along each side of a tile."},
        one_of(256, 512), "size",
    ),
    "format": Setting(
        {"type": "string", "enum": list(ENCODERS), "default": "PNG",
         "description": "File format of tiles. JPEG knows no transparency: what has no data is white."},
        one_of(*ENCODERS), "format",
    ),
    "colormap": Setting(
        {"type": "string", "enum": list(colormaps.NAMES), "description": "Colour ramp for one band; grey by default."},
        one_of(*colormaps.NAMES), "colormap",
    ),
    "range": Setting(
        {"type": "array", "anyOf": [PAIR, {"items": PAIR, "minItems": 1}],
         "description": "The darkest value and the brightest one, for all bands, or a pair for each. By default the "
         "2nd and the 98th percentile of a coarse preview of the whole, chosen when the graph comes, and told in the "
         "log: neighbouring tiles have the same."},
        ranges, "ranges",
    ),
    "bands": Setting(
        {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 4,
         "description": "Names of the bands that are drawn: 1 is grey or coloured, 3 are red, green and blue; a 2nd or "
         "4th one is opacity. By default all that there are."},
        names, "bands",
    ),
    "resampling": Setting(
        {"type": "string", "enum": list(RESAMPLING), "default": "near",
         "description": "How pixels come from cells, named as by gdalwarp. Only `near` reads overviews."},
        one_of(*RESAMPLING), "resampling",
    ),
    "minzoom": Setting(
        {"type": "integer", "minimum": 0, "maximum": MAXZOOM, "default": Look().minzoom,
         "description": "The coarsest zoom level that is drawn."}, zoom, "minzoom",
    ),
    "maxzoom": Setting(
        {"type": "integer", "minimum": 0, "maximum": MAXZOOM, "default": Look().maxzoom,
         "description": "The finest zoom level that is drawn."}, zoom, "maxzoom",
    ),
    "attribution": Setting(
        {"type": "string", "default": "", "description": "Whose data it is, to be shown with the map."},
        words, "attribution",
    ),
}  # fmt: skip
NUMBER = {"type": "number"}
PARAMETERS: tuple[Json, ...] = (
    {
        "name": "spatial_extent",
        "description": "The box of the tile and a few cells around it, in EPSG:3857. It need not be used: what a "
        "graph gives is cut to the tile, and only that is loaded. Of a collection of many scenes, a load that takes it finds "
        "those of a tile faster. When the graph comes, it is the whole world once.",
        "schema": {
            "type": "object",
            "subtype": "bounding-box",
            "required": ["west", "south", "east", "north", "crs"],
            "properties": {
                "west": NUMBER,
                "south": NUMBER,
                "east": NUMBER,
                "north": NUMBER,
                "crs": {"type": "integer", "enum": [3857]},
            },
        },
        "optional": True,
        "default": None,
    },
    {
        "name": "zoom",
        "description": "The zoom level of the tile, 0 for the whole world in one tile.",
        "schema": {"type": "integer", "minimum": 0, "maximum": MAXZOOM},
        "optional": True,
        "default": 0,
    },
    {
        "name": "resolution",
        "description": "The size of a pixel, in metres of EPSG:3857.",
        "schema": {"type": "number", "exclusiveMinimum": True, "minimum": 0},
        "optional": True,
        "default": None,
    },
)
"""Parameters that are filled in for each tile, where a graph refers to them."""


@dataclass(frozen=True)
class Offer:
    """A type of web services."""

    title: str
    description: str
    about: str
    """Address of the standard."""
    settings: tuple[str, ...] = tuple(SETTINGS)
    """What can be configured."""


OFFERS: Mapping[str, Offer] = {
    "XYZ": Offer(
        "XYZ tiles",
        "Tiles of a web map in EPSG:3857, numbered by zoom level, column and row from the north-west; the address "
        "of the service is their template. `tilejson.json` beside it describes them.",
        "https://wiki.openstreetmap.org/wiki/Slippy_map_tilenames",
    ),
    "WMTS": Offer(
        "OGC Web Map Tile Service 1.0.0",
        "Tiles of a web map in EPSG:3857 with a capabilities document, by key-value pairs and by templates.",
        "https://www.ogc.org/standards/wmts/",
    ),
    "OGC-API-Tiles": Offer(
        "OGC API - Tiles 1.0",
        "Map tiles of WebMercatorQuad with a landing page and descriptions in JSON.",
        "https://ogcapi.ogc.org/tiles/",
        tuple(name for name in SETTINGS if name != "tile_size"),
    ),
}
"""The types by name."""


def described() -> Json:
    """The types, as openEO lists them."""
    return {
        name: {
            "title": offer.title,
            "description": offer.description,
            "configuration": {s: dict(SETTINGS[s].schema) for s in offer.settings},
            "process_parameters": [dict(p) for p in PARAMETERS],
            "links": [{"rel": "about", "href": offer.about, "title": offer.title}],
        }
        for name, offer in OFFERS.items()
    }


def type_of(given: Any) -> str:
    """The type of that name, in any case.

    Raises:
        Problem: There is none.
    """
    for name in OFFERS:
        if isinstance(given, str) and given.lower() == name.lower():
            return name
    raise Problem(
        "ServiceUnsupported",
        f"there are no services of type {str(given)[:40]!r}",
        hint=f"There are {', '.join(OFFERS)}.",
        facts={"type": str(given)[:40]},
    )


def look_of(type_: str, configuration: Any) -> Look:
    """How a map is drawn, from the configuration of a service.

    Raises:
        Problems: All that is wrong with it.
    """
    if not isinstance(configuration, Mapping):
        raise Problem("ServiceConfigInvalid", "configuration has to be an object")
    known, found, faults = OFFERS[type_].settings, {}, []
    for name, value in configuration.items():
        if name not in known:
            faults.append(unsupported(type_, str(name), known))
        elif value is not None:
            try:
                found[SETTINGS[name].member] = SETTINGS[name].take(value)
            except ValueError as wanted:
                faults.append(invalid(name, f"it has to be {wanted}"))
    look = Look(**found)
    if look.minzoom > look.maxzoom:
        faults.append(invalid("minzoom", f"{look.minzoom} is more than maxzoom, {look.maxzoom}"))
    if faults:
        raise Problems(faults)
    return look


def unsupported(type_: str, name: str, known: tuple[str, ...]) -> Problem:
    """The refusal of what cannot be configured."""
    return Problem(
        "ServiceConfigUnsupported",
        f"services of type {type_} have no {name[:40]!r}",
        hint=nearest_of(name, known) or f"They have {', '.join(known)}.",
        facts={"parameter": name[:40]},
    )


def invalid(name: str, reason: str) -> Problem:
    """The refusal of how something is configured."""
    return Problem("ServiceConfigInvalid", f"{name}: {reason}", facts={"parameter": name})
