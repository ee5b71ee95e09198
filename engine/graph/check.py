"""Checks a graph against the signatures of its processes; reports all faults at once, each with its JSON pointer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine.errors import Problem
from engine.graph.model import LEAVES, Child, Graph, Node, Param, Ref, parts
from engine.graph.near import nearest_of
from engine.graph.parse import escaped
from engine.graph.schema import accepted, compatible, fault, words
from processes.registry import Process
from processes.signature import Param as Parameter
from processes.signature import Signature
from processes.types import UNSET

Registry = Mapping[str, Process]


UNKNOWN = Param("?")
"""The value of a parameter that is known only when the graph runs."""


def check(graph: Graph, registry: Registry, parameters: Mapping[str, Any]) -> list[Problem]:
    """Everything that can be seen to be wrong before a graph runs; an empty list where nothing is.

    Args:
        graph: The graph, without user-defined processes (they have been inlined).
        registry: The processes there are.
        parameters: Values of the graph's parameters; `UNKNOWN` for those not known yet.
    """
    problems: list[Problem] = []
    waiting = [(graph, dict(parameters))]
    for current, scope in waiting:  # grows while it is walked
        for name, node in current.nodes.items():
            problems += check_node(name, node, current, registry, scope)
            waiting += children(node, registry, scope)
    return problems


def children(
    node: Node, registry: Registry, scope: Mapping[str, Any]
) -> Iterable[tuple[Graph, dict[str, Any]]]:
    """The child graphs of a node, each with the parameters in its sight.

    Those over a literal empty array are left out: they are never run, so nothing they lack can matter.
    """
    if node.args.get("data") == []:
        return
    process = registry.get(node.process)
    for name, value in node.args.items():
        if type(value) in LEAVES:
            continue
        for part in parts(value):
            if isinstance(part, Child):
                param = process.signature.param(name) if process else None
                own = callback_parameters(param.schema if param else {})
                yield part.graph, {**scope, **part.bound, **dict.fromkeys(own, UNKNOWN)}


def callback_parameters(schema: Any) -> list[str]:
    """Names of the parameters that a process gives to its child graph."""
    found: list[str] = []
    waiting = [schema]
    for s in waiting:
        if isinstance(s, list):
            waiting += s
        elif isinstance(s, Mapping):
            if s.get("subtype") == "process-graph":
                found += [p["name"] for p in s.get("parameters", ())]
            elif "additionalProperties" in s:
                waiting.append(s["additionalProperties"])
    return found


def check_node(
    name: str, node: Node, graph: Graph, registry: Registry, scope: Mapping[str, Any]
) -> list[Problem]:
    """What is wrong with one node."""
    process = registry.get(node.process)
    if process is None or node.namespace not in (None, "backend"):
        where = node.namespace or "backend"
        return [
            Problem(
                "ProcessUnsupported",
                f"node {name!r}: there is no process {node.process!r} in namespace {where!r}",
                pointer=node.pointer,
                hint=nearest_of(node.process, registry) or "`gdc processes` lists all there are.",
            )
        ]
    problems = list(unknown_arguments(name, node, process.signature))
    for param in process.signature.params:
        if param.name not in node.args:
            if param.required:
                problems.append(
                    Problem(
                        "ProcessParameterRequired",
                        f"node {name!r}: process {node.process!r} needs the parameter {param.name!r}",
                        pointer=f"{node.pointer}/arguments",
                    )
                )
            continue
        value = node.args[param.name]
        problems += unknown_parameters(name, node, param.name, value, scope)
        if wrong := mismatch(value, param, graph, registry, scope):
            problems.append(invalid(name, node, param.name, wrong))
    return problems


def invalid(name: str, node: Node, parameter: str, wrong: str) -> Problem:
    """An argument that does not fit."""
    return Problem(
        "ProcessParameterInvalid",
        f"node {name!r}, process {node.process!r}: parameter {parameter!r} {wrong}",
        pointer=f"{node.pointer}/arguments/{escaped(parameter)}",
    )


def unknown_arguments(name: str, node: Node, signature: Signature) -> Iterable[Problem]:
    """Arguments that the process has no parameter for."""
    known = [p.name for p in signature.params]
    for given in node.args:
        if given not in known:
            yield Problem(
                "ProcessParameterUnsupported",
                f"node {name!r}: process {node.process!r} has no parameter {given!r}; "
                f"it has {', '.join(known) or 'none'}",
                pointer=f"{node.pointer}/arguments/{escaped(given)}",
                hint=nearest_of(given, known),
            )


def unknown_parameters(
    name: str, node: Node, argument: str, value: Any, scope: Mapping[str, Any]
) -> Iterable[Problem]:
    """References to parameters that nobody gives a value to."""
    for part in parts(value):
        if isinstance(part, Param) and part.name not in scope:
            yield Problem(
                "ProcessGraphInvalid",
                f"node {name!r}, process {node.process!r}: {argument!r} refers to the parameter {part.name!r}, "
                f"which is not given; in sight are {', '.join(scope) or 'none'}",
                pointer=f"{node.pointer}/arguments/{escaped(argument)}",
                hint=nearest_of(part.name, scope),
            )


def mismatch(
    value: Any, param: Parameter, graph: Graph, registry: Registry, scope: Mapping[str, Any]
) -> str | None:
    """What is wrong with an argument; references are judged by what they will give."""
    if isinstance(value, Param):
        value = scope.get(value.name, UNKNOWN)
    if value is None and not param.required and param.default in (None, UNSET):
        return None
    if not isinstance(value, Ref):
        return fault(value, param.takes)
    source = registry.get(graph.nodes[value.node].process)
    gives = accepted(source.signature.returns.schema) if source else frozenset({"any"})
    wanted = accepted(param.takes)
    if source is None or compatible(gives, wanted):
        return None
    return f"has to be {words(wanted)}, node {value.node!r} ({source.id}) gives {words(gives)}"
