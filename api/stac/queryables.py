"""Queryables: what items can be chosen by, as a JSON schema made of what collections sum up of their items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import Request

from api.auth.login import backend_of
from engine import Queryable, has_features

Json = dict[str, Any]
ITEM = "https://schemas.stacspec.org/v1.0.0/item-spec/json-schema"
CORE: Json = {
    "id": {"type": "string", "title": "Id"},
    "collection": {"type": "string", "title": "Collection"},
    "geometry": {"format": "geometry-any", "title": "Footprint"},
    "datetime": {"type": "string", "format": "date-time", "title": "Time"},
}
"""What all items have."""


def queryables_of(collections: Sequence[Json], declared: Sequence[Queryable], place: str, title: str) -> Json:
    """The JSON schema of the properties that items of these collections can be chosen by."""
    properties: Json = dict(CORE)
    if all(map(is_timeless, collections)):
        del properties["datetime"]
    for collection in collections:
        for column in columns_of(collection):
            properties.setdefault(column["name"], {k: v for k, v in column.items() if k == "type"})
        for name, values in collection.get("summaries", {}).items():
            if (schema := schema_of(values)) is not None:
                known = properties.get(name) or schema
                properties[name] = schema if has_features(collection) else joined(known, schema)
    for one in declared:
        known = properties.setdefault(one.name, {"type": one.type})
        properties[one.name] = {**known, "title": one.title} if one.title else known
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": place,
        "type": "object",
        "title": title,
        "properties": properties,
        "additionalProperties": True,
    }


def is_timeless(collection: Json) -> bool:
    """Is it a collection of features none of which has a time?"""
    return has_features(collection) and collection["extent"]["temporal"]["interval"] == [[None, None]]


def columns_of(collection: Json) -> list[Json]:
    """The properties of features, as they are told of their collection; none where it holds items."""
    return list(collection.get("table:columns", ())) if has_features(collection) else []


def schema_of_features(collection: Json, place: str) -> Json:
    """The JSON schema of the features of a collection (OGC API - Features, Part 5)."""
    shapes = collection.get("cube:dimensions", {}).get("geometry", {}).get("geometry_types", [])
    form = f"geometry-{shapes[0].lower()}" if len(shapes) == 1 else "geometry-any"
    properties: Json = {
        "id": {"type": "string", "x-ogc-role": "id"},
        "geometry": {"format": form, "x-ogc-role": "primary-geometry"},
    }
    for column in columns_of(collection):
        type_ = {k: v for k, v in column.items() if k == "type"}
        properties[column["name"]] = type_ | {"x-ogc-propertySeq": len(properties) - 1}
        if column["name"] in collection.get("gdc:time", ["datetime"]):
            properties[column["name"]] |= {"format": "date-time", "x-ogc-role": "primary-instant"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": place,
        "type": "object",
        "title": collection.get("title") or collection["id"],
        "properties": properties,
        "additionalProperties": True,
    }


def declared_by(request: Request) -> tuple[Queryable, ...]:
    """What the operator declares."""
    return backend_of(request).settings.queryables


def schema_of(values: Any) -> Json | None:
    """The JSON schema of a property, from what a collection sums up of it; none for what is no plain value."""
    if isinstance(values, dict) and {"minimum", "maximum"} <= values.keys():
        kind = "number" if isinstance(values["minimum"], (int, float)) else "string"
        return {"type": kind} | ({k: values[k] for k in ("minimum", "maximum")} if kind == "number" else {})
    if not isinstance(values, list) or not values:
        return None
    for kind, types in (("string", str), ("number", (int, float))):
        if all(isinstance(v, types) and not isinstance(v, bool) for v in values):
            return {"type": kind, "enum": values}
    return None


def types_of(schema: Json) -> list[str]:
    """The types that a schema names."""
    kinds = schema.get("type", [])
    return kinds if isinstance(kinds, list) else [kinds]


def joined(one: Json, other: Json) -> Json:
    """What is true of a property in both: its type, and its values where both name them."""
    if one.get("type") != other.get("type"):
        kinds = [kind for schema in (one, other) for kind in types_of(schema)]
        return {"type": list(dict.fromkeys(kinds))}
    out: Json = {"type": one["type"]}
    if "enum" in one and "enum" in other:
        out["enum"] = list(dict.fromkeys([*one["enum"], *other["enum"]]))
    if "minimum" in one and "minimum" in other:
        out["minimum"] = min(one["minimum"], other["minimum"])
        out["maximum"] = max(one["maximum"], other["maximum"])
    return out
