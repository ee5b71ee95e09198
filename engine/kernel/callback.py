"""A child graph as a function over whole axes: compiled once, run on every block.

The function can be pickled: it travels to workers as its graph and is compiled there again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from engine.errors import Problem
from engine.graph.check import callback_parameters
from engine.graph.model import PLAIN, Child, Graph, Node, Param, Ref, needed_for, parts
from engine.graph.schema import accepted
from engine.kernel.lift import call
from processes import REGISTRY
from processes.errors import ProcessError, ProcessParameterInvalid
from processes.kinds import is_cells
from processes.values import Labeled, Masked

Env = Mapping[str, Any]
Single = frozenset[Ref | Param]
Step = Callable[[dict[str, Any], Env], Any]
SINGLE = frozenset({"x", "y", "value"})
"""Parameters of child graphs that are one value for each cell, however many cells there are."""


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
    around: Single = frozenset()
    """Those of `scope` that are one value for each cell."""

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
    def statistic(self) -> tuple[str, Mapping[str, Any]] | None:
        """The process and its other arguments, where the graph is one process on its data.

        Of one element of the array that a process gives, its place is the argument `element`.
        """
        node, one = self.graph[self.graph.result], {}
        if len(self.graph) == 2 and node.process == "array_element" and set(node.args) == {"data", "index"}:
            (name,) = (n for n in self.graph if n != self.graph.result)
            if node.args["data"] != Ref(name):
                return None
            node, one = self.graph[name], {"element": node.args["index"]}
        elif len(self.graph) != 1:
            return None
        if node.args.get("data") != Param("data"):
            return None
        rest = {**{k: v for k, v in node.args.items() if k != "data"}, **one}
        return None if any(map(is_open, rest.values())) else (node.process, rest)

    @cached_property
    def steps(self) -> tuple[tuple[str, Step], ...]:
        """The calls that the result needs, in order."""
        needed = needed_for(self.graph, [self.graph.result])
        own = {Param(name) for name in self.names}
        single = (self.around - own) | {p for p in own if p.name in SINGLE}
        found = []
        for name in self.graph:
            if name in needed:
                node = self.graph[name]
                found.append((name, compiled(name, node, self.world, single)))
                single |= {Ref(name)} if gives_one(node, single) else set()
        return tuple(found)

    def __getstate__(self) -> dict[str, Any]:
        return {f: getattr(self, f) for f in ("graph", "names", "scope", "world", "around")}

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


def compiled(name: str, node: Node, world: Any = None, single: Single = frozenset()) -> Step:
    """One node as a function of the values so far and of the parameters, of which some are one value a cell."""
    process = REGISTRY[node.process]
    fixed = {k: v for k, v in node.args.items() if not is_open(v)}
    open_ = {k: v for k, v in node.args.items() if is_open(v)}
    schemas = {p.name: p.schema for p in process.signature.params}
    arrays = [
        k for k, v in open_.items() if is_among(v, single) and accepted(schemas[k]) - {"null"} == {"array"}
    ]

    def step(values: dict[str, Any], env: Env) -> Any:
        args = {k: resolved(v, values, env, schemas[k], world, single) for k, v in open_.items()}
        handed = {} if world is None else {"world": world}
        with told(name, node):
            for parameter in arrays:
                refuse_cells(args[parameter], parameter)
            return call(process, {**fixed, **args}, **handed)

    return step


def gives_one(node: Node, single: Single) -> bool:
    """Is the result of a node one value for each cell, as all that it is made of?"""
    if "array" in accepted(REGISTRY[node.process].signature.returns.schema):
        return False
    inside = [p for p in parts(node.args) if isinstance(p, (Ref, Param))]
    return bool(inside) and single.issuperset(inside)


def refuse_cells(value: Any, parameter: str) -> None:
    """Refuse the cells of a block for an array: what is neighbours in a block depends on how the cube is cut."""
    if is_cells(value):
        raise ProcessParameterInvalid(
            f"{parameter} has to be an array; here it is the single value of each cell",
            hint="Use reduce_dimension, apply_dimension or apply_neighborhood for many values at once; "
            "an array of several single values is written [x, y].",
            parameter=parameter,
        )


def is_open(value: Any) -> bool:
    """Is there something inside that only the run knows?"""
    if isinstance(value, Mapping):
        return any(map(is_open, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(is_open, value))
    return isinstance(value, (Ref, Param, Child))


def is_among(value: Any, single: Single) -> bool:
    """Is this a reference or a parameter that stands for one value for each cell?"""
    return isinstance(value, (Ref, Param)) and value in single


def resolved(
    value: Any,
    values: Env,
    env: Env,
    schema: Any = None,
    world: Any = None,
    single: Single = frozenset(),
) -> Any:
    """An argument with references and parameters replaced by what they stand for.

    Args:
        value: The argument.
        values: Values of nodes.
        env: Values of parameters.
        schema: That of the process's parameter.
        world: What child graphs can reach of the outside.
        single: Nodes and parameters that are one value for each cell.
    """
    if type(value) in PLAIN:
        return value
    if isinstance(value, Ref):
        return values[value.node]
    if isinstance(value, Param):
        return env[value.name]
    if isinstance(value, Child):
        bound = {k: resolved(v, values, env, None, world, single) for k, v in value.bound.items()}
        around = {p for p in single if isinstance(p, Param) and p.name not in bound}
        around |= {Param(k) for k, v in value.bound.items() if is_among(v, single)}
        names = tuple(callback_parameters(schema))
        return Callback(value.graph, names, {**env, **bound}, world, frozenset(around))
    if isinstance(value, Mapping):
        return {k: resolved(v, values, env, schema, world, single) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [resolved(v, values, env, schema, world, single) for v in value]
    return value


@contextmanager
def told(name: str, node: Node, *through: type[Exception]) -> Iterator[None]:
    """Whatever goes wrong inside becomes a problem of this node, but for those that are let through."""
    try:
        yield
    except ProcessError as error:
        raise located(error, name, node) from error
    except Problem as problem:
        if problem.pointer is not None:  # it was told inside, with its cause
            raise
        raise placed(problem, name, node) from problem
    except MemoryError:  # more than this machine has, and no fault
        raise
    except through:
        raise
    except Exception as error:
        raise internal(error, name, node) from error


def located(error: ProcessError, name: str, node: Node) -> Problem:
    """The error of a process as a problem of the node it happened in."""
    message = f"node {name!r}, process {node.process!r}: {error}"
    return Problem(error.code, message, pointer=pointer(node, error.parameter), hint=error.hint)


def placed(problem: Problem, name: str, node: Node) -> Problem:
    """A problem that knows no place as one of the node it happened in."""
    at = pointer(node, problem.facts.get("parameter"))
    message = f"node {name!r}, process {node.process!r}: {problem.message}"
    return Problem(problem.code, message, pointer=at, hint=problem.hint, facts=problem.facts)


def internal(error: Exception, name: str, node: Node) -> Problem:
    """The problem of an error that no process means to raise: a fault of the engine."""
    return Problem(
        "Internal",
        f"node {name!r}, process {node.process!r}: {type(error).__name__}: {error}",
        pointer=node.pointer,
        hint="This is a fault of the engine and not of the graph; please report it with the graph that led to it.",
    )


def pointer(node: Node, parameter: str | None) -> str:
    """The JSON pointer of a node, or of its argument for a parameter, which it may call by an old name."""
    written = REGISTRY[node.process].renamed.get(parameter or "", parameter)
    return node.pointer + (f"/arguments/{written}" if written in node.args else "")
