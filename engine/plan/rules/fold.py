"""Rule: what only constants go into is computed; its readers get the value."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.graph.model import Graph, Node, Ref, replaced
from engine.kernel.lift import call
from engine.plan.rules.around import Around

PLAIN = (bool, int, float, str)


def fold(graph: Graph, around: Around) -> Graph:
    """The graph without nodes that are constants. The result's own node stays."""
    known: dict[Ref, Any] = {}
    nodes: dict[str, Node] = {}
    for name, node in graph.nodes.items():
        moved = replace(node, args=replaced(node.args, known)) if known else node
        if name != graph.result and is_constant(moved, around):
            value = constant(moved, around)
            if value is None or isinstance(value, PLAIN):
                known[Ref(name)] = value
                continue
        nodes[name] = moved
    return graph.with_nodes(nodes) if known else graph


def is_constant(node: Node, around: Around) -> bool:
    """Do only numbers, texts, booleans and null go into a process that does nothing but compute?"""
    if not all(v is None or isinstance(v, PLAIN) for v in node.args.values()):
        return False
    process = around.registry.get(node.process)
    return (
        process is not None
        and process.pure
        and not process.signature.wants
        and "cubes" not in process.categories
    )


def constant(node: Node, around: Around) -> Any:
    """The value of a node that only constants go into; itself where it has none."""
    try:
        return call(around.registry[node.process], node.args)
    except Exception:  # noqa: BLE001 (whatever it is: the node is run, and then fails with its place named)
        return node
