"""Rule: nodes that neither the result nor anything with an effect needs are left out."""

from __future__ import annotations

from engine.graph.model import Graph, needed_for
from engine.plan.rules.around import Around


def prune(graph: Graph, around: Around) -> Graph:
    """The graph without nodes that nobody needs."""
    roots = [graph.result]
    for name, node in graph.nodes.items():
        process = around.registry.get(node.process)
        if process is not None and not process.pure:
            roots.append(name)
    needed = needed_for(graph, roots)
    if len(needed) == len(graph):
        return graph
    return graph.with_nodes({n: node for n, node in graph.nodes.items() if n in needed})
