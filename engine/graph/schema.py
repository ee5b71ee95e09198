"""Does a value fit the JSON schema of a parameter? As far as it can be told before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.graph.model import Child, Param, Ref
from processes.values import Labeled

ANYTHING = frozenset({"any"})
SUBTYPES = {"datacube": "datacube", "process-graph": "process graph", "stac": "any"}


def accepted(schema: Any) -> frozenset[str]:
    """The kinds of values that a schema lets pass."""
    if isinstance(schema, list):
        return frozenset().union(*(accepted(s) for s in schema)) if schema else ANYTHING
    if not isinstance(schema, Mapping) or not ("type" in schema or "subtype" in schema or "anyOf" in schema):
        return ANYTHING
    if schema.get("subtype") in SUBTYPES:
        return frozenset({SUBTYPES[schema["subtype"]]})
    if "anyOf" in schema:
        return accepted(schema["anyOf"])
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return frozenset(types)


def kind_of(value: Any) -> str:
    """The kind of a value that is known; `any` where it is not."""
    if isinstance(value, (Ref, Param)):
        return "any"
    if isinstance(value, Child):
        return "process graph"
    if value is None:
        return "null"
    if isinstance(value, Labeled):
        return "array"
    if hasattr(value, "dims"):
        return "array" if value.dims == ("labels",) else "datacube"
    for types, kind in KINDS:
        if isinstance(value, types):
            return kind
    return "array" if hasattr(value, "dtype") else "any"


KINDS: tuple[tuple[Any, str], ...] = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "string"),
    ((list, tuple), "array"),
    (Mapping, "object"),
)


def compatible(kinds: frozenset[str], wanted: frozenset[str]) -> bool:
    """May a value of one of these kinds be one that is wanted?"""
    if "any" in kinds or "any" in wanted:
        return True
    if "number" in wanted and "integer" in kinds:
        return True
    if "integer" in wanted and "number" in kinds:
        return True  # 2.0 is an integer to JSON; whether it is, the value tells
    return bool(kinds & wanted)


def fault(value: Any, schema: Any) -> str | None:
    """What is wrong with a value, as the end of a sentence; `None` where it may fit."""
    if isinstance(schema, list):
        faults = [fault(value, s) for s in schema]
        if None in faults or not faults:
            return None
        telling = [
            f
            for s, f in zip(schema, faults, strict=True)
            if compatible(frozenset({kind_of(value)}), accepted(s))
        ]
        return telling[0] if telling else f"has to be {words(accepted(schema))}, it is {described(value)}"
    if not isinstance(schema, Mapping):
        return None
    if "anyOf" in schema:
        return fault(value, schema["anyOf"])
    kind = kind_of(value)
    if not compatible(frozenset({kind}), accepted(schema)):
        return f"has to be {words(accepted(schema))}, it is {described(value)}"
    if accepted(schema) == {"integer"} and kind == "number" and not float(value).is_integer():
        return f"has to be an integer, it is {value!r}"
    if "enum" in schema and kind != "any" and value not in schema["enum"]:
        return f"has to be one of {', '.join(map(repr, schema['enum']))}, it is {value!r}"
    return inside(value, kind, schema)


def inside(value: Any, kind: str, schema: Mapping[str, Any]) -> str | None:
    """What is wrong with the elements of a list or the members of an object."""
    if kind == "array" and isinstance(value, (list, tuple)):
        if len(value) < schema.get("minItems", 0):
            return f"has to have at least {schema['minItems']} elements, it has {len(value)}"
        if len(value) > schema.get("maxItems", len(value)):
            return f"has to have at most {schema['maxItems']} elements, it has {len(value)}"
        for i, element in enumerate(value):
            if wrong := fault(element, schema.get("items", {})):
                return f"element {i} {wrong}"
    if kind == "object" and isinstance(value, Mapping):
        if schema.get("subtype") == "geojson" and "type" not in value:
            return "is no GeoJSON: it has no type"
        if missing := [k for k in schema.get("required", ()) if k not in value]:
            return f"lacks {', '.join(missing)}"
        for key, inner in schema.get("properties", {}).items():
            if key in value and (wrong := fault(value[key], inner)):
                return f"{key} {wrong}"
    return None


def words(kinds: frozenset[str]) -> str:
    """Kinds in a sentence."""
    names = sorted(kinds - {"null"}) + (["null"] if "null" in kinds else [])
    return " or ".join(names)


def described(value: Any) -> str:
    """A value in a sentence."""
    text = repr(value) if isinstance(value, (str, int, float, bool, type(None))) else ""
    kind = kind_of(value)
    return text if text and len(text) < 80 else f"{'an' if kind[0] in 'aeio' else 'a'} {kind}"
