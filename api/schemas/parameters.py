"""Parameters of addresses: what they are, and how they are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.schemas.words import BOX, NAME, TEXT, Schema

Json = dict[str, Any]
ONE: Json = {"style": "form", "explode": False}
"""How parameters of the query are written: lists with commas between."""
PLAIN: Json = {"schema": TEXT, **ONE}
"""Of parameters of the query that are none of the next."""
QUERY: Mapping[str, Json] = {
    "bbox": {"schema": BOX, **ONE},
    "limit": {"schema": {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 10}, **ONE},
    "PROPERTY": {
        "schema": {"type": "object", "additionalProperties": {"type": "string"}},
        "style": "form",
        "explode": True,
    },
}
"""Parameters of the query that are more than texts: schema and form."""

DIGITS: Schema = {"type": "string", "pattern": "^[0-9]{1,9}$"}
PARAMETERS: Mapping[str, tuple[str, Schema]] = {
    "job_id": ("Identifier of a batch job.", TEXT),
    "service_id": ("Identifier of a web service.", TEXT),
    "collection_id": ("Identifier of a collection.", TEXT),
    "project_id": ("Identifier of a project.", TEXT),
    "item_id": ("Identifier of an item.", TEXT),
    "owner": ("Identifier of the account that collections belong to.", TEXT),
    "asset": ("Name of an asset of the item.", TEXT),
    "process_id": ("Identifier of a process.", TEXT),
    "namespace": ("Whose process it is: `u:` and the account.", TEXT),
    "process_graph_id": ("Identifier of a stored process; graphs call it by `^\\w+$` only.", NAME),
    "log_id": ("Identifier of a log.", TEXT),
    "package": ("Name of a package.", TEXT),
    "webhook_id": ("Identifier of a webhook.", TEXT),
    "path": (
        "Path of a file, with `/` between names.",
        {"type": "string", "minLength": 1, "maxLength": 1000},
    ),
    "token": ("What the signed address has in this place.", TEXT),
    "name": ("Name of a file of results.", TEXT),
    "output": ("Number of an output, from 0.", TEXT),
    "matrix_set": ("Identifier of a tile matrix set.", TEXT),
    "layer": ("Identifier of a layer; there is `map`.", TEXT),
    "style": ("Identifier of a style; there is `default`.", TEXT),
    "matrix": ("Zoom level.", DIGITS),
    "row": ("Row, from the north.", DIGITS),
    "column": ("Column, from the west.", DIGITS),
    "z": ("Zoom level.", DIGITS),
    "x": ("Column, from the west.", DIGITS),
    "y": ("Row, from the north.", DIGITS),
    "suffix": ("What files of the format end with.", {"type": "string", "enum": ["png", "jpg"]}),
}
"""What stands in paths: what it is, and its schema."""
