"""Where the labels of each node's cube come from, as far as the processes' own words tell."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

from engine.graph.model import LEAVES, Graph, Node, Ref, parts
from engine.graph.structure import structure
from processes.mixing import Mixes
from processes.registry import Process

CLOSED = LEAVES - {Ref}
"""Types of arguments that lead to no node."""

Labels = Mapping[str, Hashable]
"""Dimensions, each with the origin of its labels: where two origins are equal, the labels are."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A node that does nothing but keep some labels; equal to every other one that keeps the same."""

    key: int
    """A number for its process and arguments, the cube left aside."""
    dims: frozenset[str] = field(compare=False)
    """Dimensions of the labels."""
    sure: bool = field(compare=False)
    """Are these all dimensions that it may change? `False` where it takes all of a kind, whatever their names."""
    name: str = field(compare=False)
    """Name of the node."""
    node: Node = field(compare=False)
    place: int = field(compare=False)
    """How many nodes stand before it."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a node; all that is below it down to the loads is known, too."""

    mixes: Mixes
    """The word of its process."""
    mixed: frozenset[str]
    """The dimensions along which it mixes, selects or makes labels."""
    cubes: Mapping[str, str]
    """The cubes that go in label by label: parameter -> name of the node."""
    labels: Labels
    """Its own dimensions."""
    filter: Filter | None = None
    """Itself, where it is a filter that could stand elsewhere."""


def look(graph: Graph, registry: Mapping[str, Process]) -> dict[str, Known]:
    """What is known of the nodes; those of which nothing is known are missing."""
    known: dict[str, Known] = {}
    numbers: dict[Hashable, int] = {}
    for place, (name, node) in enumerate(graph.nodes.items()):
        process = registry.get(node.process)
        if process is None or not (mixes := process.mixes).known:
            continue
        mixed = mixes.dimensions(node.args)
        cubes = {p: v.node for p in mixes.cubes if type(v := node.args.get(p)) is Ref and v.node in known}
        if mixed is None or len(cubes) < len(mixes.cubes):
            continue
        labels = below = merged([known[cube].labels for cube in cubes.values()])
        step = as_filter(name, node, process, place, numbers) if mixes.does == "selects" else None
        if mixed:
            labels = {dim: origin for dim, origin in below.items() if dim not in mixed}
            labels |= changed(name, mixes, mixed, below, step, numbers)
        known[name] = Known(mixes, mixed, cubes, labels, step)
    return known


def loads_of(graph: Graph, registry: Mapping[str, Process]) -> list[str]:
    """The nodes that make a cube out of nothing but their arguments."""
    makers = {id_ for id_ in {n.process for n in graph.nodes.values()} if id_ in registry}
    makers = {id_ for id_ in makers if registry[id_].mixes.does == "makes"}
    return [name for name, node in graph.nodes.items() if node.process in makers and not node.inputs]


def merged(below: list[Labels]) -> Labels:
    """The dimensions of several cubes together; the first cube counts."""
    if all(labels is below[0] for labels in below[1:]):
        return below[0] if below else {}
    return {dim: origin for labels in reversed(below) for dim, origin in labels.items()}


def as_filter(
    name: str, node: Node, process: Process | None, place: int, numbers: dict[Hashable, int] | None = None
) -> Filter | None:
    """The node as a filter, where it is one and reads nothing but the cube.

    Equal filters have one number in `numbers`.
    """
    if process is None or process.mixes.does != "selects":
        return None
    dims = process.mixes.dimensions(node.args)
    rest = sorted(((k, v) for k, v in node.args.items() if k != "data"), key=lambda item: item[0])
    if dims is None or any(isinstance(part, Ref) for _, value in rest for part in parts(value)):
        return None
    sure = not process.mixes.usual or all(node.args.get(p) is not None for p in process.mixes.named)
    key: Hashable = (node.process, structure(dict(rest)))
    number = place if numbers is None else numbers.setdefault(key, len(numbers))
    return Filter(number, dims, sure, name, node, place)


def changed(
    name: str,
    mixes: Mixes,
    mixed: frozenset[str],
    below: Labels,
    step: Filter | None,
    numbers: dict[Hashable, int],
) -> Labels:
    """The dimensions whose labels a node changes or makes, with their new origin.

    Equal filters of equal labels leave equal ones. For each such pair there is a number: pairs within pairs would be
    as deep as the graph.
    """
    if step is not None:
        pairs = {dim: (below[dim], step.key) for dim in mixed if dim in below}
        return {dim: numbers.setdefault(pair, len(numbers)) for dim, pair in pairs.items()}
    return {} if mixes.gone else {dim: (name, dim) for dim in mixed}
