"""Parts of documents: the members that a client wants, and those without which they would be none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from api.stac.asked import Fields

Json = dict[str, Any]


def chosen(doc: Json, fields: Fields, needed: Sequence[str], usual: Sequence[str] = ()) -> Json:
    """A document with the members that are wanted, and with those that are needed, and usual."""
    if not fields.include and not fields.exclude:
        return doc
    out: Json = {}
    for path in (*needed, *usual, *(fields.include or doc)):
        copy_path(doc, out, path.split("."))
    for path in fields.exclude:
        if path not in needed and path not in fields.include:
            drop_path(out, path.split("."))
            for inner in fields.include:  # what is wanted by a longer name stays
                if inner.startswith(f"{path}."):
                    copy_path(doc, out, inner.split("."))
    return out


def copy_path(source: Json, target: Json, steps: Sequence[str]) -> None:
    """Copy what stands at a path, with the objects around it; a property may have dots in its name."""
    step, rest = steps[0], steps[1:]
    whole = ".".join(steps)
    if whole in source:
        target[whole] = dict(source[whole]) if isinstance(source[whole], dict) else source[whole]
    elif rest and isinstance(source.get(step), dict):
        inner = target.get(step)
        target[step] = inner if isinstance(inner, dict) else {}
        copy_path(source[step], target[step], rest)


def drop_path(target: Json, steps: Sequence[str]) -> None:
    """Leave out what stands at a path."""
    step, rest = steps[0], steps[1:]
    if ".".join(steps) in target:
        del target[".".join(steps)]
    elif rest and isinstance(target.get(step), dict):
        target[step] = dict(target[step])
        drop_path(target[step], rest)
