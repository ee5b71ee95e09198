"""Arguments as values that can be compared and hashed: equal where they mean the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.graph.model import LEAVES, LITERALS, Child, LiteralArray, Param, Ref


def structure(value: Any) -> Any:
    """A hashable stand-in for an argument; what cannot be compared by value stands for itself alone."""
    kind = type(value)
    if kind in LITERALS:  # geometries of thousands of corners: looked at once
        if not hasattr(value, "structure"):
            value.structure = structure(list(value) if kind is LiteralArray else dict(value))
        return value.structure
    if kind in LEAVES:
        if kind is float:
            return ("float", repr(value))  # NaN is like NaN here, and 0.0 is not like -0.0
        return value if kind is Ref or kind is Param or value is None else (kind.__name__, value)
    if isinstance(value, Mapping):
        return ("object", *((k, structure(v)) for k, v in value.items()))
    if isinstance(value, (list, tuple)):
        return ("array", *map(structure, value))
    if isinstance(value, Child):
        inner = ((n, x.process, x.namespace, structure(x.args)) for n, x in value.graph.nodes.items())
        return ("child", value.graph.result, *inner, structure(value.bound))
    return ("object at", id(value))
