"""Runs a graph node by node; cubes stay lazy, so that this reads metadata and no pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.errors import Problem
from engine.graph.model import Graph, Node
from engine.kernel.callback import resolved, told
from engine.kernel.lift import call
from processes import REGISTRY
from processes.world import Saved, World

Observe = Callable[[str, Any], None]


class NotRun(Exception):  # noqa: N818 (nothing went wrong)
    """The value of this node is known only when the graph is run and not just looked at."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the nodes of a graph."""

    values: Mapping[str, Any]
    """Values by node; nodes that failed, or that needed one that did, are missing."""
    problems: list[Problem] = field(default_factory=list)
    """What went wrong."""


def evaluate(
    graph: Graph,
    parameters: Mapping[str, Any],
    world: Callable[[str], World],
    *,
    go_on: bool = False,
) -> Outcome:
    """The values of all nodes.

    Args:
        graph: A checked graph, without nodes that nobody needs.
        parameters: Values of its parameters.
        world: The outside, for the node of that name.
        go_on: Collect problems and go on with the nodes that do not need what failed.

    Raises:
        Problem: What went wrong first, unless `go_on`.
    """
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, node in graph.nodes.items():
        if any(i not in values for i in node.inputs):
            continue
        try:
            values[name] = run_node(name, node, values, parameters, world(name))
        except NotRun:
            if not go_on:
                raise
        except Problem as problem:
            if not go_on:
                raise
            problems.append(problem)
    return Outcome({k: without_stac(v) for k, v in values.items()}, problems)


def without_stac(value: Any, schema: Any = None) -> Any:
    """The value itself, for all that do not take a result with its description."""
    takes_stac = isinstance(schema, Mapping) and schema.get("subtype") == "stac"
    return value.value if isinstance(value, Saved) and not takes_stac else value


def run_node(
    name: str, node: Node, values: Mapping[str, Any], parameters: Mapping[str, Any], world: World
) -> Any:
    """The value of one node."""
    process = REGISTRY[node.process]
    schemas = {p.name: p.schema for p in process.signature.params}
    args = {k: resolved(v, values, parameters, schemas[k], world.within()) for k, v in node.args.items()}
    args = {k: without_stac(v, schemas[k]) for k, v in args.items()}
    with told(name, node, NotRun):
        return call(process, args, world=world)
