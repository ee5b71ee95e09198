"""Answers held against the schemas of the standards' OpenAPI documents."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml


@cache
def document(path: Path) -> dict[str, Any]:
    """An OpenAPI document as JSON Schema understands it."""
    return plain(yaml.load(path.read_text(), Loader=yaml.CSafeLoader))


def plain(value: Any) -> Any:
    """Schemas of OpenAPI 3.0 in the words of JSON Schema: `nullable` becomes a union.

    `oneOf` is read as `anyOf`: in openEO 1.2 its parts overlap (a statistic of two numbers is a JSON schema, too), so
    that the document's own examples fail.
    """
    if isinstance(value, list):
        return [plain(v) for v in value]
    if not isinstance(value, dict):
        return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
    out = {"anyOf" if k == "oneOf" else str(k): plain(v) for k, v in value.items()}
    if out.pop("nullable", None) is True:
        return {"anyOf": [{"type": "null"}, out]}
    return out


def faults(path: Path, method: str, template: str, status: str, body: Any) -> list[str]:
    """What in the body of an answer is not as the document has it."""
    doc = document(path)
    response = resolved(doc, doc["paths"][template][method]["responses"][status])
    (content,) = [c for kind, c in response["content"].items() if "json" in kind][:1]
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", **content["schema"]}
    schema["components"] = doc["components"]
    validator = jsonschema.Draft7Validator(schema)
    return [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:300]}" for e in validator.iter_errors(body)]


def resolved(doc: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """What a reference within the document stands for."""
    while "$ref" in part:
        target: Any = doc
        for step in part["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        part = target
    return part
