"""Runs a graph node by node; cubes stay lazy, so that this reads metadata and no pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.errors import Problem
from engine.graph.model import Graph, Node
from engine.graph.simplify import prune
from engine.kernel.callback import located, resolved
from engine.kernel.lift import call
from processes import REGISTRY
from processes.errors import ProcessError
from processes.world import World

Observe = Callable[[str, Any], None]


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
    """The values of all nodes that the result or an effect needs.

    Args:
        graph: A checked graph.
        parameters: Values of its parameters.
        world: The outside, for the node of that name.
        go_on: Collect problems and go on with the nodes that do not need what failed.

    Raises:
        Problem: What went wrong first, unless `go_on`.
    """
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, node in prune(graph, REGISTRY).nodes.items():
        if any(i not in values for i in node.inputs):
            continue
        try:
            values[name] = run_node(name, node, values, parameters, world(name))
        except Problem as problem:
            if not go_on:
                raise
            problems.append(problem)
    return Outcome(values, problems)


def run_node(
    name: str, node: Node, values: Mapping[str, Any], parameters: Mapping[str, Any], world: World
) -> Any:
    """The value of one node."""
    process = REGISTRY[node.process]
    schemas = {p.name: p.schema for p in process.signature.params}
    args = {k: resolved(v, values, parameters, schemas[k]) for k, v in node.args.items()}
    try:
        return call(process, args, world=world)
    except ProcessError as error:
        raise located(error, name, node) from error
    except Problem as problem:
        if problem.pointer is not None:
            raise
        message = f"node {name!r}, process {node.process!r}: {problem.message}"
        at = node.pointer + (
            f"/arguments/{parameter}" if (parameter := problem.facts.get("parameter")) in node.args else ""
        )
        raise Problem(problem.code, message, pointer=at, hint=problem.hint, facts=problem.facts) from problem
