"""Graph -> openEO JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.graph.model import Child, Graph, Param, Ref


def to_json(graph: Graph) -> dict[str, Any]:
    """The flat JSON of a graph."""
    out: dict[str, Any] = {}
    for name, node in graph.nodes.items():
        out[name] = {"process_id": node.process, "arguments": {k: argument(v) for k, v in node.args.items()}}
        if node.namespace is not None:
            out[name]["namespace"] = node.namespace
        if name == graph.result:
            out[name]["result"] = True
    return out


def argument(value: Any) -> Any:
    """An argument as JSON."""
    if isinstance(value, Ref):
        return {"from_node": value.node}
    if isinstance(value, Param):
        return {"from_parameter": value.name}
    if isinstance(value, Child):
        return {"process_graph": to_json(value.graph)}
    if isinstance(value, Mapping):
        return {k: argument(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [argument(v) for v in value]
    return value
