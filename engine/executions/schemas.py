"""Schemas of openEO's parameters and results in the words of OGC's process descriptions (those of OpenAPI 3.0)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.write import FORMATS

Json = dict[str, Any]
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
PLAIN = (
    "title", "description", "enum", "minimum", "maximum", "minItems", "maxItems", "uniqueItems", "minLength",
    "maxLength", "pattern", "format", "required", "contentEncoding", "contentMediaType",
)  # fmt: skip
"""Words that both have, and whose values are no schemas."""
INPUTS: Mapping[str, Json] = {
    "GTiff": {
        "type": "string",
        "contentEncoding": "binary",
        "contentMediaType": "image/tiff; application=geotiff",
    },
    "netCDF": {"type": "string", "contentEncoding": "binary", "contentMediaType": "application/netcdf"},
    "JP2OpenJPEG": {"type": "string", "contentEncoding": "binary", "contentMediaType": "image/jp2"},
    "GeoJSON": {"type": "object", "contentMediaType": "application/geo+json"},
}
"""Files that become cubes, by the name of the format."""
STAC: Json = {"type": "object", "contentMediaType": "application/json", "description": "STAC metadata."}
COLLECTION: Json = {
    "type": "object",
    "description": "A collection.",
    "required": ["collection"],
    "properties": {"collection": {"type": "string"}},
}
BBOX: Json = {
    "type": "object",
    "format": "ogc-bbox",
    "required": ["bbox"],
    "properties": {
        "bbox": {"type": "array", "minItems": 4, "maxItems": 6, "items": {"type": "number"}},
        "crs": {"type": "string", "format": "uri", "default": CRS84},
    },
}


def translated(schema: Any) -> Json:
    """A schema of openEO, one or a list of alternatives, as OGC has it."""
    if isinstance(schema, list):
        return alternatives(
            [translated(one) for one in schema if not is_null(one)], any(map(is_null, schema))
        )
    if not isinstance(schema, Mapping):
        return {}
    subtype = schema.get("subtype")
    if subtype == "datacube":
        return cube_input(schema)
    if subtype == "bounding-box":
        return BBOX
    if isinstance(schema.get("anyOf"), list):
        return told(schema) | translated(schema["anyOf"])
    types = types_of(schema)
    named = [t for t in types if t != "null"]
    if len(named) > 1:
        parts = [translated({**schema, "type": t}) for t in named]
        return alternatives(parts, "null" in types)
    return told(schema) | inner(schema) | ({"type": named[0]} if named else {}) | nullable("null" in types)


def types_of(schema: Mapping[str, Any]) -> list[str]:
    """The types that a schema lets pass; none where it does not say."""
    types = schema.get("type")
    listed = types if isinstance(types, list) else [types]
    return [t for t in listed if isinstance(t, str)]


def told(schema: Mapping[str, Any]) -> Json:
    """The words that stay as they are; a subtype is a format."""
    out = {name: schema[name] for name in PLAIN if name in schema}
    if isinstance(schema.get("subtype"), str):
        out.setdefault("format", schema["subtype"])
    return out


def inner(schema: Mapping[str, Any]) -> Json:
    """The schemas within a schema."""
    out: Json = {}
    if "items" in schema:
        out["items"] = translated(schema["items"])
    if isinstance(schema.get("properties"), Mapping):
        out["properties"] = {name: translated(one) for name, one in schema["properties"].items()}
    return out


def alternatives(parts: Sequence[Json], has_null: bool) -> Json:
    """One of several schemas."""
    flat = [one for part in parts for one in (part["oneOf"] if set(part) == {"oneOf"} else [part])]
    return (flat[0] if len(flat) == 1 else {"oneOf": flat} if flat else {}) | nullable(has_null)


def nullable(yes: bool) -> Json:
    """The word for what may be null."""
    return {"nullable": True} if yes else {}


def is_null(schema: Any) -> bool:
    """Does it let null pass, and nothing else?"""
    return isinstance(schema, Mapping) and schema.get("type") == "null"


def kinds_of_cube(schema: Mapping[str, Any]) -> set[str]:
    """`raster`, `vector`, or both where a schema does not say which dimensions its cube has."""
    dimensions = schema.get("dimensions")
    listed = dimensions if isinstance(dimensions, list) else []
    types = {one.get("type") for one in listed if isinstance(one, Mapping)}
    if "geometry" in types:
        return {"vector"}
    return {"raster"} if types else {"raster", "vector"}


def cube_input(schema: Mapping[str, Any]) -> Json:
    """What is taken as a cube: files, STAC, collections."""
    kinds = kinds_of_cube(schema)
    files = [INPUTS[name] for name in INPUTS if (name == "GeoJSON") == ("vector" in kinds) or len(kinds) > 1]
    return {"oneOf": [*files, STAC, COLLECTION]}


def output(schema: Any, formats: Sequence[str]) -> Json:
    """The schema of an output: of its files, or of its value."""
    if formats:
        return alternatives([of_file(name) for name in formats], has_null=False)
    return translated(schema)


def of_file(name: str) -> Json:
    """The schema of a file of that format."""
    kind = FORMATS[name].media_type
    is_json = kind.partition(";")[0].endswith("json")
    body: Json = {"type": "object"} if is_json else {"type": "string", "contentEncoding": "binary"}
    return {**body, "contentMediaType": kind}


def is_repeated(schema: Any) -> bool:
    """Is it an array of plain values, of which OGC gives one after the other?"""
    if not isinstance(schema, Mapping) or schema.get("type") != "array" or "subtype" in schema:
        return False
    items = schema.get("items")
    types = set(types_of(items)) if isinstance(items, Mapping) else set()
    return bool(types) and types <= {"string", "number", "integer", "boolean", "null"}
