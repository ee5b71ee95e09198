"""Prints a process: as openEO lists it, and as a page for people."""

from __future__ import annotations

from typing import Any

from processes import errors
from processes.registry import Process
from processes.signature import param_json
from processes.types import UNSET, Json


def describe(p: Process) -> Json:
    """The process as `GET /processes` of openEO lists it."""
    sig = p.signature
    out: dict[str, Any] = {
        "id": p.id,
        "summary": sig.summary,
        "description": sig.text or sig.summary + ".",
        "categories": list(p.categories),
        "parameters": [param_json(q) for q in sig.params],
        "returns": {"description": sig.returns.text, "schema": sig.returns.schema},
    }
    if p.experimental:
        out["experimental"] = True
    if sig.raises:
        out["exceptions"] = {
            name: {"message": getattr(errors, name).default_message(), "description": text}
            for name, text in sig.raises.items()
        }
    return out


def page(p: Process) -> str:
    """The process as a page of plain text."""
    sig = p.signature
    lines = [
        f"{p.id}: {sig.summary}{' (experimental)' if p.experimental else ''}",
        "",
        *([sig.text, ""] if sig.text else []),
        "Parameters",
    ]
    for q in sig.params:
        default = "" if q.required else " (optional)" if q.default is UNSET else f" (default {q.default!r})"
        lines.append(f"  {q.name}: {kind(q.schema)}{default}")
        lines += [f"      {line}" for line in q.text.splitlines()]
    lines += ["Returns", f"  {kind(sig.returns.schema)}", f"      {sig.returns.text}"]
    if sig.raises:
        lines += ["Raises", *(f"  {name}: {text}" for name, text in sig.raises.items())]
    return "\n".join(lines) + "\n"


def kind(schema: Any) -> str:
    """A schema in a few words: `number or null`, `datacube`."""
    if isinstance(schema, list):
        return " or ".join(kind(s) for s in schema)
    if "subtype" in schema:
        return str(schema["subtype"])
    given = schema.get("type", "anything")
    names = given if isinstance(given, list) else [given]
    if names == ["array"] and "items" in schema:
        return f"array of {kind(schema['items'])}"
    return " or ".join(names)
