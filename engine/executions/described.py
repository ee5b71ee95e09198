"""Processes on offer as OGC describes them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from engine.executions.model import Offer
from engine.executions.offers import is_closed
from engine.executions.schemas import is_repeated, output, translated

Json = dict[str, Any]
MODES = ("sync-execute", "async-execute", "dismiss")
TRANSMISSIONS = ("value", "reference")


def summary(offer: Offer) -> Json:
    """What a list tells of a process."""
    document = offer.document
    told: Json = {
        "id": offer.id,
        "version": str(document.get("version") or version("geodatacube")),
        "title": str(document.get("summary") or document.get("title") or offer.id),
        "description": str(document.get("description") or document.get("summary") or ""),
        "keywords": [str(word) for word in document.get("categories", ())],
        "jobControlOptions": list(MODES),
        "outputTransmission": list(TRANSMISSIONS),
        "mutable": offer.mutable,
    }
    return {name: value for name, value in told.items() if value not in ("", [])}


def description(offer: Offer) -> Json:
    """All that is told of a process."""
    given = (p for p in offer.document.get("parameters") or () if not is_closed(p.get("schema", {})))
    return {
        **summary(offer),
        "inputs": {p["name"]: of_input(p) for p in given},
        "outputs": {
            outlet.name: {"title": outlet.name, "schema": output(outlet.schema, outlet.formats)}
            for outlet in offer.outlets
        },
    }


def of_input(parameter: Mapping[str, Any]) -> Json:
    """A parameter as an input: what may be left out need not occur, the values of an array occur one by one."""
    schema = parameter.get("schema", {})
    optional = bool(parameter.get("optional", "default" in parameter))
    told: Json = {"title": str(parameter["name"]), "description": str(parameter.get("description", ""))}
    if is_repeated(schema):
        least, most = schema.get("minItems"), schema.get("maxItems")
        occurs: Json = {
            "minOccurs": 0 if optional else max(1, least if isinstance(least, int) else 0),
            "maxOccurs": most if isinstance(most, int) else "unbounded",
        }
        return {**told, **occurs, "schema": translated(schema["items"])}
    made = translated(schema)
    if parameter.get("default") is not None:
        made = {**made, "default": parameter["default"]}
    return {**told, "minOccurs": 0 if optional else 1, "maxOccurs": 1, "schema": made}
