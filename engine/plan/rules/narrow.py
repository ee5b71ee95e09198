"""Rule: a load takes over the filters right behind it, where its source gives the same for less."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from engine.graph.model import Graph, Node, Param, Ref, replaced
from engine.plan.rules.around import Around
from engine.plan.rules.origins import Filter, as_filter, loads_of
from processes.cubes.filters import read_moment
from processes.errors import ProcessError
from processes.registry import Process

Limit = Callable[[Any, Any], Any]
"""What a load has already and what a filter wants -> both at once; `None` where a load cannot say that."""


def narrow(graph: Graph, around: Around) -> Graph:
    """The graph with loads of less in place of filters.

    What a load gives may depend on how much is asked of it: the grid and the dates are those of the items found, the
    type is that of the bands. So the source is asked first whether it gives just what the filters leave.
    """
    loads = loads_of(graph, around.registry)
    if not loads:
        return graph
    readers = readers_of(graph)
    nodes = dict(graph.nodes)
    stands_for: dict[Ref, Ref] = {}
    for name in loads:
        behind = filters_behind(name, graph, readers, around.registry)
        nodes[name], taken = taken_over(graph[name], behind, around)
        for step in behind:
            if step in taken:
                source = nodes.pop(step.name).args["data"]
                stands_for[Ref(step.name)] = stands_for.get(source, source)
    if not stands_for:
        return graph
    moved = {n: replace(node, args=replaced(node.args, stands_for)) for n, node in nodes.items()}
    return graph.with_nodes(moved, stands_for.get(Ref(graph.result), Ref(graph.result)).node)


def readers_of(graph: Graph) -> dict[str, list[str]]:
    """For each node the nodes that read it; the graph itself reads its result, under an empty name."""
    readers: dict[str, list[str]] = {name: [] for name in graph}
    readers[graph.result].append("")
    for name, node in graph.nodes.items():
        for source in node.inputs:
            readers[source].append(name)
    return readers


def filters_behind(
    name: str, graph: Graph, readers: Mapping[str, list[str]], registry: Mapping[str, Process]
) -> list[Filter]:
    """The filters that all goes through that is read of a node, in order."""
    behind: list[Filter] = []
    while len(readers[name]) == 1 and (reader := readers[name][0]):
        step = as_filter(reader, graph[reader], registry.get(graph[reader].process), len(behind))
        if step is None:
            break
        behind.append(step)
        name = reader
    return behind


def taken_over(load: Node, behind: Sequence[Filter], around: Around) -> tuple[Node, list[Filter]]:
    """A load that does the work of as many of these filters as it can, and those filters."""
    able: list[Filter] = []
    fixed: set[str] = set()
    all_at_once = load
    for step in behind:
        trial = None if step.dims & fixed else limited(all_at_once, step.node, around.parameters)
        if trial is None:
            fixed |= step.dims
        else:
            all_at_once, able = trial, [*able, step]
    if not able or around.twin(load, [f.node for f in able], all_at_once) is not None:
        return all_at_once, able
    return one_by_one(load, able, around) if len(able) > 1 else (load, [])


def one_by_one(load: Node, able: Sequence[Filter], around: Around) -> tuple[Node, list[Filter]]:
    """The same, where the load cannot do the work of all of them together."""
    less, taken = load, list[Filter]()
    fixed: set[str] = set()
    for step in able:
        trial = None if step.dims & fixed else limited(less, step.node, around.parameters)
        nodes = [f.node for f in (*taken, step)]
        if trial is not None and around.twin(load, nodes, trial) is not None:
            less, taken = trial, [*taken, step]
        else:
            fixed |= step.dims
    return less, taken


def limited(load: Node, step: Node, parameters: Mapping[str, Any]) -> Node | None:
    """The load with the limit of a filter as its own; `None` where it cannot have that."""
    if step.process not in LIMITS:
        return None
    theirs, ours, both = LIMITS[step.process]
    values = {Param(name): value for name, value in parameters.items()}
    wanted = replaced(dict(step.args), values)
    if any(wanted.get(other) for other in ALONE.get(step.process, ())):
        return None
    limit = both(replaced(load.args.get(ours), values), wanted.get(theirs))
    return None if limit is None else replace(load, args={**load.args, ours: limit})


# --------------------------------------------------------------------------------------------- both at once
def both_boxes(mine: Any, wanted: Any) -> Any:
    """The box that lies in both, where they are of one CRS."""
    if not is_flat_box(wanted):
        return None
    if mine is None:
        return dict(wanted)
    if not is_flat_box(mine) or mine.get("crs", 4326) != wanted.get("crs", 4326):
        return None
    if mine["west"] > mine["east"] or wanted["west"] > wanted["east"]:
        return None  # across the antimeridian
    low = {side: max(mine[side], wanted[side]) for side in ("west", "south")}
    high = {side: min(mine[side], wanted[side]) for side in ("east", "north")}
    if low["west"] > high["east"] or low["south"] > high["north"]:
        return None
    return {**wanted, **low, **high}


def is_flat_box(value: Any) -> bool:
    """Is this a bounding box that says nothing of heights?"""
    return (
        isinstance(value, Mapping)
        and all(isinstance(value.get(side), (int, float)) for side in ("west", "south", "east", "north"))
        and value.get("base") is None
        and value.get("height") is None
    )


def both_intervals(mine: Any, wanted: Any) -> Any:
    """The later start and the earlier end."""
    if not is_interval(wanted):
        return None
    if mine is None:
        return list(wanted)
    if not is_interval(mine):
        return None
    try:
        starts = [(read_moment(m, "extent"), m) for m in (mine[0], wanted[0]) if m is not None]
        ends = [(read_moment(m, "extent"), m) for m in (mine[1], wanted[1]) if m is not None]
    except ProcessError:
        return None  # the run tells what is wrong with it
    start, end = max(starts, default=(None, None)), min(ends, default=(None, None))
    if start[0] is not None and end[0] is not None and start[0] >= end[0]:
        return None
    return [start[1], end[1]]


def is_interval(value: Any) -> bool:
    """Is this a start and an end?"""
    return (
        isinstance(value, Sequence)
        and len(value) == 2
        and all(isinstance(m, str | None) for m in value)
        and any(m is not None for m in value)
    )


def both_bands(mine: Any, wanted: Any) -> Any:
    """The bands of the filter; the source tells whether they are among those of the load."""
    if not isinstance(wanted, Sequence) or not wanted or not all(isinstance(b, str) for b in wanted):
        return None
    return list(wanted) if mine is None or isinstance(mine, Sequence) else None


LIMITS: Mapping[str, tuple[str, str, Limit]] = {
    "filter_bbox": ("extent", "spatial_extent", both_boxes),
    "filter_temporal": ("extent", "temporal_extent", both_intervals),
    "filter_bands": ("bands", "bands", both_bands),
}
"""Filters that a load can do: the argument of the filter, that of the load, and how they are put together."""
ALONE: Mapping[str, tuple[str, ...]] = {"filter_bands": ("wavelengths",)}
"""Arguments of filters that no load has."""
