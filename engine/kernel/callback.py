"""A child graph as a function over whole axes: compiled once, run on every block.

The function can be pickled: it travels to workers as its graph and is compiled there again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from engine.errors import Problem
from engine.graph.check import callback_parameters
from engine.graph.model import Child, Graph, Node, Param, Ref, needed_for
from engine.kernel.lift import call
from processes import REGISTRY
from processes.errors import ProcessError
from processes.values import Labeled, Masked

Env = Mapping[str, Any]
Step = Callable[[dict[str, Any], Env], Any]


@dataclass(frozen=True)
class Callback:
    """A child graph that can be called like the protocols in `processes.types`."""

    graph: Graph
    """The child graph."""
    names: tuple[str, ...]
    """The parameters it is called with, in order."""
    scope: Env = field(default_factory=dict)
    """Values of the parameters in sight where it stands."""
    world: Any = None
    """What its processes can reach of the outside; it travels to workers."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the graph for these values of its parameters."""
        given = {**dict(zip(self.names, args, strict=False)), **kwargs}
        lone = is_lone(given.get("data"))
        if lone:
            given["data"] = with_cell_axis(given["data"])
        env = {**self.scope, **given}
        values: dict[str, Any] = {}
        for name, step in self.steps:
            values[name] = step(values, env)
        result = values[self.graph.result]
        return without_cell_axis(result) if lone else result

    @cached_property
    def steps(self) -> tuple[tuple[str, Step], ...]:
        """The calls that the result needs, in order."""
        needed = needed_for(self.graph, [self.graph.result])
        return tuple(
            (name, compiled(name, self.graph[name], self.world)) for name in self.graph if name in needed
        )

    def __getstate__(self) -> dict[str, Any]:
        return {"graph": self.graph, "names": self.names, "scope": self.scope, "world": self.world}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, value)


def is_lone(data: Any) -> bool:
    """Are these cells with nulls along the only dimension of a cube, which look like an array of JSON?"""
    values = data.values if isinstance(data, Labeled) else data
    return isinstance(values, Masked) and np.ndim(values.data) == 1


def with_cell_axis(data: Any) -> Any:
    """The same array for a block of one cell."""
    if isinstance(data, Labeled):
        return Labeled(with_cell_axis(data.values), data.labels, (*data.dims, "cell") if data.dims else ())
    null = np.broadcast_to(data.null, np.shape(data.data))
    return Masked(data.data[:, None], null[:, None])


def without_cell_axis(result: Any) -> Any:
    """What was computed for that block, as for a single cell."""
    if isinstance(result, Labeled):
        values = result.values
        one = np.ndim(values.data if isinstance(values, Masked) else values) > 1
        return Labeled(without_cell_axis(values), result.labels) if one else result
    if isinstance(result, Masked):
        return Masked(without_cell_axis(result.data), without_cell_axis(result.null))
    if isinstance(result, list):
        return [without_cell_axis(e) for e in result]
    return result[..., 0] if isinstance(result, np.ndarray) and result.shape[-1:] == (1,) else result


def compiled(name: str, node: Node, world: Any = None) -> Step:
    """One node as a function of the values so far and of the parameters."""
    process = REGISTRY[node.process]
    fixed = {k: v for k, v in node.args.items() if not is_open(v)}
    open_ = {k: v for k, v in node.args.items() if is_open(v)}
    schemas = {p.name: p.schema for p in process.signature.params}

    def step(values: dict[str, Any], env: Env) -> Any:
        args = {k: resolved(v, values, env, schemas[k], world) for k, v in open_.items()}
        handed = {} if world is None else {"world": world}
        try:
            return call(process, {**fixed, **args}, **handed)
        except ProcessError as error:
            raise located(error, name, node) from error
        except Problem as problem:
            raise placed(problem, name, node) from problem

    return step


def is_open(value: Any) -> bool:
    """Is there something inside that only the run knows?"""
    if isinstance(value, Mapping):
        return any(map(is_open, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(is_open, value))
    return isinstance(value, (Ref, Param, Child))


def resolved(value: Any, values: Env, env: Env, schema: Any = None, world: Any = None) -> Any:
    """An argument with references and parameters replaced by what they stand for."""
    if isinstance(value, Ref):
        return values[value.node]
    if isinstance(value, Param):
        return env[value.name]
    if isinstance(value, Child):
        bound = {k: resolved(v, values, env, None, world) for k, v in value.bound.items()}
        return Callback(value.graph, tuple(callback_parameters(schema)), {**env, **bound}, world)
    if isinstance(value, Mapping):
        return {k: resolved(v, values, env, schema, world) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [resolved(v, values, env, schema, world) for v in value]
    return value


def located(error: ProcessError, name: str, node: Node) -> Problem:
    """The error of a process as a problem of the node it happened in."""
    at = node.pointer + (f"/arguments/{error.parameter}" if error.parameter in node.args else "")
    message = f"node {name!r}, process {node.process!r}: {error}"
    return Problem(error.code, message, pointer=at, hint=error.hint)


def placed(problem: Problem, name: str, node: Node) -> Problem:
    """A problem with the node it happened in; one that knows its place stays as it is."""
    if problem.pointer is not None:
        return problem
    parameter = problem.facts.get("parameter")
    at = node.pointer + (f"/arguments/{parameter}" if parameter in node.args else "")
    message = f"node {name!r}, process {node.process!r}: {problem.message}"
    return Problem(problem.code, message, pointer=at, hint=problem.hint, facts=problem.facts)
