"""Words that schemas are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
WHOLE: Schema = {"type": "integer", "minimum": 0}
YES_OR_NO: Schema = {"type": "boolean"}
ANY_OBJECT: Schema = {"type": "object"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
ADDRESS: Schema = {"type": "string", "minLength": 1}
BYTES: Schema = {"type": "string", "format": "binary"}
WORD: Schema = {"type": "string", "pattern": "^[A-Za-z0-9_]+$"}
NAME: Schema = {"type": "string", "pattern": "^[\\w\\-]+$"}
LEVEL: Schema = {"type": "string", "enum": ["error", "warning", "info", "debug"]}
STATUS: Schema = {
    "type": "string",
    "enum": ["created", "queued", "running", "canceled", "finished", "error"],
}


def ref(name: str) -> Schema:
    """The schema of that name."""
    return {"$ref": f"#/components/schemas/{name}"}


def many(of: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": of}


def by_name(of: Schema) -> Schema:
    """An object whose members are all alike."""
    return {"type": "object", "additionalProperties": of}


def maybe(schema: Schema) -> Schema:
    """The schema, or null."""
    return {**schema, "nullable": True}


def record(
    needed: Mapping[str, Schema], further: Mapping[str, Schema] | None = None, text: str = ""
) -> Schema:
    """An object; it may have members besides these."""
    out: Schema = {"type": "object", "properties": {**needed, **(further or {})}}
    return out | ({"required": list(needed)} if needed else {}) | ({"description": text} if text else {})


LINKS = many(ref("Link"))
BOX = {"type": "array", "items": NUMBER, "minItems": 4, "maxItems": 6}
REQUEST: Mapping[str, Schema] = {
    "title": maybe(TEXT),
    "description": maybe(TEXT),
    "plan": maybe(TEXT),
    "budget": maybe({"type": "number", "minimum": 0}),
    "log_level": maybe(LEVEL),
}
"""What requests may tell besides a process."""
GRAPH = {"process": ref("ProcessGraph")}
PARAMETER = record({"name": TEXT, "schema": {}}, {"description": TEXT, "optional": YES_OR_NO, "default": {}})
COLLECTION_EXTENT = record(
    {"spatial": record({"bbox": many(BOX)}), "temporal": record({"interval": many(many(maybe(TEXT)))})}
)
ASSETS = by_name(record({"href": ADDRESS}, {"title": TEXT, "type": TEXT, "roles": many(TEXT)}))
