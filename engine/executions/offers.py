"""Which processes can be executed by themselves, and which outputs they have.

A process of openEO is on offer where each argument that it needs can be given by a client: as a value of JSON, as a
link to one, or as a file, a collection or STAC metadata where it takes a cube. That leaves out what cannot do without
a child process graph, a model or a result with its description, and what gives a model. The signature decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from engine.errors import Problem
from engine.executions.model import CALL, ONE_FILE, RESULT, Offer, Outlet
from engine.executions.schemas import kinds_of_cube
from engine.graph.model import Graph, Node, Param
from engine.graph.parse import Definition, define
from engine.plan.rules.inline import inline
from engine.records import UserProcess
from engine.service import file_names
from engine.write import FORMATS, find_format
from processes import REGISTRY
from processes.describe import describe
from processes.registry import Process

CLOSED = frozenset({"process-graph", "metadata-filter", "ml-model", "stac"})
"""Kinds of values that exist within graphs alone."""


@cache
def predefined() -> dict[str, Offer]:
    """The predefined processes that can be executed by themselves, by identifier."""
    return {name: of_predefined(p) for name, p in REGISTRY.items() if stands_alone(p)}


def stands_alone(process: Process) -> bool:
    """Can all that a process needs be given by a client, and is its result no part of a graph?"""
    needed = (p.schema for p in process.signature.params if p.required)
    returns = process.signature.returns.schema
    return not any(map(is_closed, needed)) and subtypes(returns) != {"ml-model"}


def is_closed(schema: Any) -> bool:
    """Is there no way to write such a value as JSON, apart from null?"""
    return subtypes(schema) <= CLOSED and bool(subtypes(schema))


def subtypes(schema: Any) -> set[str]:
    """The subtypes of a schema's alternatives, `""` for those without; null does not count."""
    return {str(one.get("subtype", "")) for one in parts_of(schema) if one.get("type") != "null"}


def parts_of(schema: Any) -> list[Mapping[str, Any]]:
    """The alternatives of a schema; what is none is left out."""
    listed = schema if isinstance(schema, list) else [schema]
    return [one for one in listed if isinstance(one, Mapping)]


def of_predefined(process: Process) -> Offer:
    """A predefined process."""
    definition = Definition(
        process.id, called({"process_id": process.id}, [p.name for p in process.signature.params])
    )
    return Offer(process.id, describe(process), {"process_id": process.id}, outlets(definition.graph, {}, {}))


def of_user(process: UserProcess, definitions: Mapping[str, Definition], *, own: bool) -> Offer:
    """A process that a user stored, among the definitions there are.

    A process that others share is called by its namespace as well.
    """
    call: dict[str, Any] = {"process_id": process.id, "namespace": "user" if own else process.namespace}
    names = [str(p["name"]) for p in process.document.get("parameters") or ()]
    try:
        found = outlets(called(call, names), definitions, process.document.get("returns") or {})
    except Problem:  # whoever executes it is told what is wrong with it
        found = (Outlet(RESULT, {}),)
    id_ = process.id if own else f"{process.namespace}:{process.id}"
    return Offer(id_, process.document, call, found, mutable=own)


def called(call: Mapping[str, Any], names: list[str]) -> Graph:
    """A graph of one node that calls a process, with its parameters as they come."""
    node = Node(call["process_id"], {name: Param(name) for name in names}, "", call.get("namespace"))
    return Graph({CALL: node}, CALL)


def outlets(
    call: Graph, definitions: Mapping[str, Definition], declared: Mapping[str, Any]
) -> tuple[Outlet, ...]:
    """The outputs of a process: each result that it writes, or else its one result.

    Results that it writes are called as their nodes are, unless there is one only. An object whose schema tells its
    members has an output for each of them.
    """
    graph = inline(call, definitions, REGISTRY)
    writing = [name for name, node in graph.nodes.items() if node.process == "save_result"]
    if writing:
        names = (
            [RESULT] if len(writing) == 1 else [name_of(name.removeprefix(f"{CALL}.")) for name in writing]
        )
        stems = file_names(writing)
        return tuple(
            Outlet(name, {}, stem, formats=written_in(graph.nodes[node]), is_written=True)
            for name, node, stem in zip(names, writing, stems, strict=True)
        )
    last = REGISTRY.get(graph.nodes[graph.result].process)
    returns = last.signature.returns.schema if last is not None else {}
    schema = returns if is_telling(returns) else declared.get("schema", returns)
    members = schema.get("properties") if isinstance(schema, Mapping) and not schema.get("subtype") else None
    if isinstance(members, Mapping) and members:
        return tuple(Outlet(name_of(name), one, member=name) for name, one in members.items())
    return (Outlet(RESULT, schema, formats=formats_of(schema)),)


def name_of(name: str) -> str:
    """The name of an output: clients of the GeoDataCube API take what has `assets` for results of openEO."""
    return f"{name}_" if name == "assets" else name


def is_telling(schema: Any) -> bool:
    """Does a schema say what a value is?"""
    return bool(parts_of(schema)) and any(
        {"type", "subtype", "anyOf"} & one.keys() for one in parts_of(schema)
    )


def formats_of(schema: Any) -> tuple[str, ...]:
    """The formats that a cube can be had in; none for other values."""
    cubes = [one for one in parts_of(schema) if one.get("subtype") == "datacube"]
    kinds = {kind for cube in cubes for kind in kinds_of_cube(cube)}
    found = [name for name in ONE_FILE if kinds & set(FORMATS[name].gis_data_types)]
    return tuple(sorted(found, key=lambda name: name != "GeoJSON") if kinds == {"vector"} else found)


def written_in(node: Node) -> tuple[str, ...]:
    """The formats that a node may write: the one that it names, or any where that is a parameter."""
    named = node.args.get("format")
    try:
        return (find_format(named, None).name,) if isinstance(named, str) else ONE_FILE
    except Problem:  # whoever executes it is told that there is no such format
        return ONE_FILE


def definitions_of(documents: Mapping[str, Any]) -> dict[str, Definition]:
    """The definitions of stored processes, by the key that graphs find them under."""
    return {key: define(document) for key, document in documents.items()}
