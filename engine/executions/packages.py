"""Processes that come as application packages (OGC API - Processes, part 2): graphs of openEO, described as OGC does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.errors import Problem

Json = dict[str, Any]


def process_in(package: Mapping[str, Any]) -> tuple[str, Json]:
    """The process in a package as openEO has it, with its identifier; the id is empty where there is none.

    Raises:
        Problem: The package holds no graph of openEO.
    """
    told = package.get("processDescription") or {}
    if isinstance(told, Mapping) and isinstance(told.get("process"), Mapping):
        told = told["process"]
    if not isinstance(told, Mapping):
        raise Problem("ParameterInvalid", "processDescription is an object")
    unit = graph_in(package.get("executionUnit"))
    named = {
        "summary": told.get("title"),
        "description": told.get("description"),
        "version": told.get("version"),
    }
    document = {**unit, **{name: value for name, value in named.items() if value is not None}}
    if "parameters" not in document and isinstance(told.get("inputs"), Mapping):
        document["parameters"] = [parameter(name, one) for name, one in told["inputs"].items()]
    id_ = told.get("id") or unit.get("id") or ""
    if not isinstance(id_, str):
        raise Problem("ParameterInvalid", "id is a text")
    return id_, document


def graph_in(given: Any) -> Json:
    """The process of an execution unit.

    Raises:
        Problem: It is run in another way, or there is none.
    """
    unit = given[0] if isinstance(given, list) and len(given) == 1 else given
    if not isinstance(unit, Mapping):
        raise Problem(
            "ParameterInvalid",
            "executionUnit is an object, or a list of one",
            hint='Give a process of openEO as `{"type": "openeo", "value": {"process_graph": {...}}}`.',
        )
    value = unit.get("value", unit)
    if isinstance(value, Mapping) and isinstance(value.get("process"), Mapping):
        value = value["process"]
    if isinstance(value, Mapping) and isinstance(value.get("process_graph"), Mapping):
        return dict(value)
    kind = unit.get("type") or unit.get("mediaType") or "nothing that is known"
    raise Problem(
        "UnsupportedMediaType",
        f"execution units of the type {str(kind)[:60]!r} are not run here",
        hint="Graphs of openEO are, as `value` of the unit; containers and CWL are not, and links are not followed.",
    )


def parameter(name: str, given: Any) -> Json:
    """An input of OGC's as a parameter of openEO: what may occur several times is an array.

    Raises:
        Problem: It is no input.
    """
    if not isinstance(given, Mapping) or not isinstance(given.get("schema", {}), Mapping):
        raise Problem("ParameterInvalid", f"inputs.{name[:60]}: it is an object with a schema")
    schema, most = dict(given.get("schema", {})), given.get("maxOccurs", 1)
    out: Json = {"name": name, "description": str(given.get("description") or given.get("title") or name)}
    if "default" in schema:
        out |= {"default": schema.pop("default"), "optional": True}
    elif given.get("minOccurs") == 0:
        out |= {"default": None, "optional": True}
    return {**out, "schema": schema if most in (0, 1) else {"type": "array", "items": schema}}
