"""Rule: nodes that compute the same become one node."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.graph.model import Graph, Node, Ref, replaced
from engine.graph.structure import structure
from engine.plan.rules.around import Around


def dedupe(graph: Graph, around: Around) -> Graph:
    """One node for each process with equal arguments; of equal nodes the first stays. Linear in the graph.

    Arguments are compared when equal inputs have become one, so that whole branches fall together.
    """
    first_of: dict[Any, str] = {}
    stands_for: dict[Ref, Ref] = {}
    nodes: dict[str, Node] = {}
    for name, node in graph.nodes.items():
        moved = replace(node, args=replaced(node.args, stands_for)) if stands_for else node
        process = around.registry.get(node.process)
        if process is not None and process.pure:
            first = first_of.setdefault((moved.process, moved.namespace, structure(moved.args)), name)
            if first != name:
                stands_for[Ref(name)] = Ref(first)
                continue
        nodes[name] = moved
    if not stands_for:
        return graph
    return graph.with_nodes(nodes, stands_for.get(Ref(graph.result), Ref(graph.result)).node)
