"""What routes declare of their bodies and answers, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from api.schemas import BYTES, PLAIN, QUERY, SCHEMAS, TEXT, Schema, ref

Json = dict[str, Any]
JSON = "application/json"
ANY_TYPE = "*/*"
"""Of files: whatever they are."""


def gives(name: str, *, media_type: str = JSON, headers: tuple[str, ...] = ()) -> Any:
    """A route answers with a document of that schema."""
    return {200: reply(str(SCHEMAS[name]["description"]), ref(name), media_type, headers=headers)}


def shows(name: str, *, media_type: str = JSON, headers: tuple[str, ...] = ()) -> Any:
    """A route answers with a document of that schema, or with a page of it for people."""
    told = reply(str(SCHEMAS[name]["description"]), ref(name), media_type, headers=("Vary",))
    told["headers"] |= {header: {"schema": TEXT, "required": False} for header in headers}
    told["content"]["text/html"] = {"schema": TEXT}
    return {200: told}


ANYTHING: Schema = {"description": "Whatever it is."}
"""Of files that may be JSON, too."""


def sends(what: str, *media_types: str, schema: Schema = ANYTHING, headers: tuple[str, ...] = ()) -> Any:
    """A route answers with a file."""
    return {200: reply(what, schema, *media_types, headers=headers)}


def does(what: str, status: int, *headers: str) -> Any:
    """A route answers without a body."""
    return {status: reply(what, headers=headers)}


def reply(what: str, schema: Schema | None = None, *media_types: str, headers: tuple[str, ...] = ()) -> Json:
    """A response; the headers are in all of its kind."""
    told: Json = {"description": what}
    if schema is not None:
        told["content"] = {media_type: {"schema": schema} for media_type in media_types}
    if headers:
        told["headers"] = {name: {"schema": TEXT, "required": True} for name in headers}
    return told


CREATED = ("Location", "OpenEO-Identifier", "GDC-Identifier")
"""Headers of answers to what makes something."""
RANGES: Any = {
    206: reply("A part of the file.", BYTES, ANY_TYPE),
}
"""Answers to those who ask for a part."""
BY_RANGE: Json = {
    "parameters": [
        {
            "in": "header",
            "name": "Range",
            "schema": TEXT,
            "description": "The part that is wanted, as `bytes=FIRST-LAST`.",
        }
    ]
}
"""Of routes that give parts of files."""


def takes(name: str) -> Json:
    """A route takes a body of that schema."""
    return {"requestBody": {"required": True, "content": {JSON: {"schema": ref(name)}}}}


def asks(**words: str) -> Json:
    """A route looks at these parameters of the query by itself."""
    return {
        "parameters": [
            {"in": "query", "name": name, "description": what, "required": False, **QUERY.get(name, PLAIN)}
            for name, what in words.items()
        ]
    }


TILE: Any = {**sends("The tile.", "image/png", "image/jpeg", schema=BYTES), 304: reply("The client has it.")}
"""Answers of routes that give tiles."""
