"""Rule: null for an argument that may be left out, where its process takes no null, is no argument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.graph.model import Child, Graph, Node, parts
from engine.graph.schema import fault
from processes.registry import Process
from processes.signature import Param
from processes.types import UNSET

Registry = Mapping[str, Process]


def unsaid(graph: Graph, registry: Registry) -> Graph:
    """The graph without such arguments, those in child graphs included: their defaults stand in for them.

    Some clients send each argument that a process knows, and null for those that nobody gave a value.
    """
    return graph.with_nodes({name: _said(node, registry) for name, node in graph.nodes.items()})


def _said(node: Node, registry: Registry) -> Node:
    null = [name for name, value in node.args.items() if value is None]
    has_children = any(isinstance(part, Child) for part in parts(node.args))
    if not null and not has_children:
        return node
    process = registry.get(node.process)
    params = process.signature.params if process else ()
    left_out = {p.name for p in params if p.name in null and _stands_in(p)}
    args = {k: v for k, v in node.args.items() if k not in left_out}
    return replace(node, args=_within(args, registry) if has_children else args)


def _stands_in(param: Param) -> bool:
    """Has it a default that is meant where null is given?"""
    return not param.required and param.default not in (None, UNSET) and fault(None, param.takes) is not None


def _within(value: Any, registry: Registry) -> Any:
    """An argument with its child graphs changed, too."""
    if isinstance(value, Child):
        return replace(value, graph=unsaid(value.graph, registry))
    if isinstance(value, Mapping):
        return {k: _within(v, registry) for k, v in value.items()}
    return [_within(v, registry) for v in value] if type(value) is list else value
