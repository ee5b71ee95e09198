"""Rule: bands that nobody reads are not loaded, where the source gives the others just the same without them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine.graph.model import Child, Graph, Node, Param, Ref, parts, replaced
from engine.plan.rules.around import Around
from engine.plan.rules.origins import CLOSED, Known, loads_of, look


@dataclass(frozen=True, slots=True)
class Band:
    """A band that is read."""

    name: str
    """How it is called."""
    label: bool
    """Is that its label and nothing else, or may it be a common name?"""


Need = frozenset[Band] | None
"""The bands of a node that others read; `None`: all of them."""


def spare_bands(graph: Graph, around: Around) -> Graph:
    """The graph with loads of no more bands than are read."""
    loads = loads_of(graph, around.registry)
    if not loads or not any(names_bands(node, around) for node in graph.nodes.values()):
        return graph
    needs = needed(graph, look(graph, around.registry), around)
    less = {name: with_bands(graph[name], needs[name], around) for name in loads}
    if all(less[name] is graph[name] for name in loads):
        return graph
    return graph.with_nodes({name: less.get(name, node) for name, node in graph.nodes.items()})


def names_bands(node: Node, around: Around) -> bool:
    """May a node tell which bands it reads, so that it is worth a closer look?"""
    process = around.registry.get(node.process)
    return process is not None and (
        bool(process.mixes.bands) or process.mixes.gone or "bands" in process.mixes.kinds
    )


def with_bands(load: Node, need: Need, around: Around) -> Node:
    """The load of these bands alone; itself where that is not sure to be the same."""
    if not need:
        return load
    known = {Param(name): value for name, value in around.parameters.items()}
    mine = replaced(load.args.get("bands"), known)
    wanted = {band.name for band in need}
    if mine is None:
        names = sorted(wanted)
    elif isinstance(mine, list) and wanted < set(mine):
        names = [name for name in mine if name in wanted]
    else:
        return load
    less = replace(load, args={**load.args, "bands": names})
    found = around.twin(load, [Node("filter_bands", {"bands": names})], less)
    if found is None or len(found) != len(names):
        return load  # a name stands for several bands or for none, and the error tells of all bands
    return less if all(band.name in found for band in need if band.label) else load


def needed(graph: Graph, known: Mapping[str, Known], around: Around) -> dict[str, Need]:
    """For each node the bands that are read of it, found from the result down."""
    needs: dict[str, Need] = {name: frozenset() for name in graph}
    needs[graph.result] = None
    for name in reversed(list(graph)):
        node, here = graph[name], known.get(name)
        for parameter, value in node.args.items():
            if type(value) in CLOSED:
                continue
            passed = None
            if here is not None and parameter in here.cubes:
                passed = read(node, here, known, needs[name], around)
            for part in parts(value):
                if isinstance(part, Ref):
                    before = needs[part.node]
                    needs[part.node] = None if before is None or passed is None else before | passed
    return needs


def read(node: Node, here: Known, known: Mapping[str, Known], need: Need, around: Around) -> Need:
    """The bands that a node reads of its cubes, given those that are read of itself."""
    if "bands" in here.mixed:
        return bands_of(node, here, around)
    if len(here.cubes) == 1:
        return need
    origins = {known[cube].labels.get("bands") for cube in here.cubes.values()} - {None}
    return need if len(origins) <= 1 else None


def bands_of(node: Node, here: Known, around: Around) -> Need:
    """The bands that a process along bands reads, where it names them."""
    if here.filter is not None:
        return named(node.args.get("bands")) if not node.args.get("wavelengths") else None
    mixes, process = here.mixes, around.registry[node.process]
    if mixes.bands:
        if mixes.keeps and node.args.get(mixes.keeps) is not None:
            return None
        defaults = {p.name: p.default for p in process.signature.params}
        return named([node.args.get(p, defaults.get(p)) for p in mixes.bands])
    children = [v for v in node.args.values() if isinstance(v, Child)]
    if mixes.gone and here.mixed == {"bands"} and len(children) == 1:
        return elements(children[0].graph)
    return None


def named(names: Any) -> Need:
    """Bands by name or common name."""
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        return None
    return frozenset(Band(n, label=False) for n in names)


def elements(graph: Graph) -> Need:
    """The elements of its array that a reducer takes by their label; all where it does anything else with it."""
    found = set()
    for node in graph.nodes.values():
        for parameter, value in node.args.items():
            if not any(reads_array(part) for part in parts(value)):
                continue
            label = node.args.get("label")
            if node.process != "array_element" or parameter != "data" or not isinstance(label, str):
                return None
            found.add(Band(label, label=True))
    return frozenset(found) or None


def reads_array(part: Any) -> bool:
    """Is this the array of a reducer, or may it be somewhere in here?"""
    if isinstance(part, Child):
        return any(reads_array(p) for node in part.graph.nodes.values() for p in parts(node.args))
    return isinstance(part, Param) and part.name == "data"
