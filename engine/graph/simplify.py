"""Rules on graphs: each takes a graph and gives one that means the same with fewer nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from engine.graph.model import Child, Graph, Node, Param, Ref, needed_for, replaced
from processes.registry import Process

Registry = Mapping[str, Process]
Evaluate = Callable[[Node], Any]


def fold(graph: Graph, registry: Registry, evaluate: Evaluate) -> Graph:
    """Compute what only constants go into; readers get the value. The result's own node stays."""
    known: dict[Ref, Any] = {}
    nodes: dict[str, Node] = {}
    for name, node in graph.nodes.items():
        moved = replace(node, args=replaced(node.args, known)) if known else node
        nodes[name] = moved
        if name != graph.result and is_constant(moved, registry):
            value = evaluate(moved)
            if value is None or isinstance(value, (bool, int, float, str)):
                known[Ref(name)] = value
                del nodes[name]
    return graph.with_nodes(nodes)


def is_constant(node: Node, registry: Registry) -> bool:
    """Do only numbers, texts, booleans and null go into a process that does nothing but compute?"""
    process = registry.get(node.process)
    if process is None or not process.pure or process.signature.wants or "cubes" in process.categories:
        return False
    return all(v is None or isinstance(v, (bool, int, float, str)) for v in node.args.values())


def dedupe(graph: Graph, registry: Registry) -> Graph:
    """Let nodes that compute the same be one node: equal process, equal arguments. Linear in the graph."""
    first_of: dict[Any, str] = {}
    stands_for: dict[Ref, Ref] = {}
    nodes: dict[str, Node] = {}
    for name, node in graph.nodes.items():
        moved = replace(node, args=replaced(node.args, stands_for)) if stands_for else node
        process = registry.get(node.process)
        if process is None or not process.pure:
            nodes[name] = moved
            continue
        key = (moved.process, moved.namespace, structure(moved.args))
        first = first_of.setdefault(key, name)
        if first == name:
            nodes[name] = moved
        else:
            stands_for[Ref(name)] = Ref(first)
    return graph.with_nodes(nodes, stands_for.get(Ref(graph.result), Ref(graph.result)).node)


def structure(value: Any) -> Any:
    """A hashable stand-in for an argument; what cannot be compared by value stands for itself alone."""
    if isinstance(value, Mapping):
        return ("object", *((k, structure(v)) for k, v in value.items()))
    if isinstance(value, (list, tuple)):
        return ("array", *map(structure, value))
    if isinstance(value, Child):
        inner = ((n, x.process, x.namespace, structure(x.args)) for n, x in value.graph.nodes.items())
        return ("child", value.graph.result, *inner, structure(value.bound))
    if isinstance(value, (Ref, Param)) or value is None:
        return value
    if isinstance(value, (bool, int, float, str)):
        return (type(value).__name__, repr(value))
    return ("object at", id(value))


def prune(graph: Graph, registry: Registry) -> Graph:
    """Leave out the nodes that neither the result nor anything with an effect needs."""
    roots = [graph.result]
    roots += [
        n for n, node in graph.nodes.items() if node.process in registry and not registry[node.process].pure
    ]
    needed = needed_for(graph, roots)
    return graph.with_nodes({n: node for n, node in graph.nodes.items() if n in needed})
