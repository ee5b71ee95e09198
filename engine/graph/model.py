"""A process graph as frozen values: to change one is to make another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Ref:
    """The result of another node of the same graph."""

    node: str
    """Name of the node."""


@dataclass(frozen=True, slots=True)
class Param:
    """The value of a parameter, known when the graph is run."""

    name: str
    """Name of the parameter."""


@dataclass(frozen=True, slots=True)
class Child:
    """A process graph given as an argument."""

    graph: Graph
    """The graph; its parameters are those of the callback, then those in sight where it stands."""
    bound: Mapping[str, Any] = field(default_factory=dict)
    """Parameters of an inlined process, as arguments of the graph where the child stands."""


@dataclass(frozen=True, slots=True)
class Node:
    """One call of a process."""

    process: str
    """Identifier of the process."""
    args: Mapping[str, Any]
    """Arguments by name: JSON values and `Ref`, `Param`, `Child`, also inside lists and objects."""
    pointer: str = ""
    """Where the node stands in the JSON it came from."""
    namespace: str | None = None
    """`backend`, `user`, or `None` for whichever has it."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the nodes that it reads, each once."""
        found: dict[str, None] = {}
        for value in self.args.values():
            if type(value) is Ref:
                found[value.node] = None
            elif type(value) not in LEAVES:
                found.update((v.node, None) for v in parts(value) if type(v) is Ref)
        return tuple(found)


class LiteralObject(dict[str, Any]):
    """A JSON object without references or child graphs, however deep: nothing has to be looked for in it."""


class LiteralArray(list[Any]):
    """A JSON array without references or child graphs."""


LITERALS = frozenset({LiteralObject, LiteralArray})
PLAIN = LITERALS | {str, int, float, bool, type(None)}
"""Types of JSON values that have nothing inside: asking for a type is faster than asking for a kind."""
LEAVES = PLAIN | {Ref, Param}
"""Types of arguments that have nothing inside; most have these."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter that a graph declares."""

    name: str
    """Name by which nodes refer to it."""
    schema: Any = field(default_factory=dict)
    """JSON schema, or a list of alternatives."""
    optional: bool = False
    """May it be left out?"""
    default: Any = None
    """What it is then."""
    description: str = ""
    """What it is for."""


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes by name, each after all that it reads."""

    nodes: Mapping[str, Node]
    """The nodes, in an order in which they can be run."""
    result: str
    """Name of the node whose result is the graph's."""
    parameters: tuple[Parameter, ...] = ()
    """Declared parameters."""

    def __iter__(self) -> Iterator[str]:
        return iter(self.nodes)

    def __getitem__(self, name: str) -> Node:
        return self.nodes[name]

    def __len__(self) -> int:
        return len(self.nodes)

    def put(self, name: str, node: Node) -> Graph:
        """A graph with another node of that name."""
        return replace(self, nodes={**self.nodes, name: node})

    def with_nodes(self, nodes: Mapping[str, Node], result: str | None = None) -> Graph:
        """A graph of other nodes."""
        return replace(self, nodes=dict(nodes), result=self.result if result is None else result)


def parts(value: Any) -> Iterator[Any]:
    """All references, parameters and children inside an argument, without recursion."""
    waiting = [value]
    while waiting:
        v = waiting.pop()
        kind = type(v)
        if kind is Ref or kind is Param:
            yield v
        elif kind in PLAIN:
            continue
        elif kind is list or isinstance(v, (list, tuple)):
            waiting += [x for x in reversed(v) if type(x) not in PLAIN]
        elif kind is dict or isinstance(v, Mapping):
            waiting += [x for x in reversed(list(v.values())) if type(x) not in PLAIN]
        elif isinstance(v, Child):
            yield v
            waiting += v.bound.values()


def referred(graph: Graph) -> set[str]:
    """Names of all parameters that a graph refers to, its child graphs and their callbacks' own ones included."""
    return {p.name for node in every_node(graph) for p in parts(node.args) if isinstance(p, Param)}


def every_node(graph: Graph) -> Iterator[Node]:
    """The nodes of a graph, and those of its child graphs."""
    waiting = [graph]
    for current in waiting:  # grows while it is walked
        for node in current.nodes.values():
            yield node
            waiting += [v.graph for v in parts(node.args) if isinstance(v, Child)]


def needed_for(graph: Graph, results: Sequence[str]) -> set[str]:
    """The nodes that these results are computed from, themselves included."""
    needed: set[str] = set()
    waiting = list(results)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += graph[name].inputs
    return needed


def replaced(value: Any, change: Mapping[Any, Any]) -> Any:
    """An argument in which each `Ref` and `Param` that `change` names is another value.

    Arguments are no deeper than the parser lets them be, so that recursion is safe here.
    """
    kind = type(value)
    if kind in PLAIN:
        return value
    if kind is Ref or kind is Param:
        return change.get(value, value)
    if kind is list or isinstance(value, list):
        return [v if type(v) in PLAIN else replaced(v, change) for v in value]
    if kind is dict or isinstance(value, Mapping):
        return {k: v if type(v) in PLAIN else replaced(v, change) for k, v in value.items()}
    if isinstance(value, Child) and value.bound:
        return Child(value.graph, replaced(value.bound, change))
    return value


def in_order(nodes: Mapping[str, Sequence[str]]) -> tuple[list[str], list[str]]:
    """Names in an order in which each comes after all it reads, and the names for which there is none (cycles)."""
    waits_for = {name: sum(1 for i in inputs if i in nodes) for name, inputs in nodes.items()}
    readers: dict[str, list[str]] = {name: [] for name in nodes}
    for name, inputs in nodes.items():
        for i in inputs:
            if i in readers:
                readers[i].append(name)
    ready = [name for name, n in waits_for.items() if n == 0]
    for name in ready:  # grows while it is walked
        for reader in readers[name]:
            waits_for[reader] -= 1
            if waits_for[reader] == 0:
                ready.append(reader)
    done = set(ready)
    return ready, [name for name in nodes if name not in done]
