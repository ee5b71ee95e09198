"""What is known to be wrong in the other engine: each fault says in which graphs it shows, and how."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from tests.differential.walk import calls, child

Graph = dict[str, Any]
Node = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """A fault of the other engine (openeo-processes-dask 2026.9.1, openeo-pg-parser-networkx 2026.3.3)."""

    reason: str
    """What is wrong there."""
    shows: Callable[[Graph], bool]
    """Does the graph have what the fault needs?"""
    sign: str
    """How the difference looks: a regular expression."""
    avoid: Callable[[Node], Node]
    """The node, at any depth, without what brings the fault out: then both engines have to agree."""


def has(*processes: str) -> Callable[[Graph], bool]:
    """Is one of these processes anywhere in the graph?"""
    return lambda graph: any(process in processes for process, _ in calls(graph))


def both(*conditions: Callable[[Graph], bool]) -> Callable[[Graph], bool]:
    """Do all of these hold?"""
    return lambda graph: all(condition(graph) for condition in conditions)


def swap(process: str, *gone: str) -> Callable[[Node], Node]:
    """Takes another process of the same arguments."""
    return lambda node: {**node, "process_id": process} if node["process_id"] in gone else node


def leave_out(*gone: str) -> Callable[[Node], Node]:
    """Takes a process that leaves the cube as it is."""

    def left_out(node: Node) -> Node:
        if node["process_id"] not in gone:
            return node
        body = child(("add", {"x": {"from_parameter": "x"}, "y": 0}))
        return {
            **node,
            "process_id": "apply",
            "arguments": {"data": node["arguments"]["data"], "process": body},
        }

    return left_out


def by_name(node: Node) -> Node:
    """Takes the bands that a filter of labels leaves by their names."""
    if node["process_id"] != "filter_labels":
        return node
    arguments = {"data": node["arguments"]["data"], "bands": node["description"].split(",")}
    return {**node, "process_id": "filter_bands", "arguments": arguments}


def three_dates(node: Node) -> Node:
    """Takes three dates instead of three intervals."""
    if node["process_id"] != "aggregate_temporal":
        return node
    arguments = {"data": node["arguments"]["data"], "extent": ["2021-11-01", "2022-01-01"]}
    return {**node, "process_id": "filter_temporal", "arguments": arguments}


def sum_for_choice(node: Node) -> Node:
    """Takes the sum of both ways of an `if`."""
    if node["process_id"] != "if":
        return node
    ways = node["arguments"]
    return {**node, "process_id": "add", "arguments": {"x": ways["accept"], "y": ways["reject"]}}


def rewritten(graph: Graph, change: Callable[[Node], Node]) -> Graph:
    """The graph with each node changed, those of child graphs as well."""

    def deeper(value: Any) -> Any:
        is_child = isinstance(value, dict) and "process_graph" in value
        return {"process_graph": rewritten(value["process_graph"], change)} if is_child else value

    within = {
        name: {**node, "arguments": {k: deeper(v) for k, v in node["arguments"].items()}}
        for name, node in graph.items()
    }
    return {name: change(node) for name, node in within.items()}


EXPLAINED = {
    "unlabelled": Fault(
        "apply_dimension compares labels with == where it means to assign them: they are lost, and what needs them fails",
        both(
            has("apply_dimension"),
            has(
                "filter_bbox",
                "filter_bands",
                "filter_temporal",
                "rename_labels",
                "ndvi",
                "aggregate_temporal_period",
                "aggregate_temporal",
                "array_element",
            ),
        ),
        "theirs fails: .*(cannot be interpreted as an integer|Only valid with DatetimeIndex|LabelNotAvailable"
        "|'isnat' is only defined|bands.* are not all available|KeyError: \"'common_name'"
        "|ArrayElementNotAvailable|None of the data falls within bins)",
        leave_out("apply_dimension"),
    ),
    "one verdict": Fault(
        "filter_labels keeps the condition's verdict on the first label for all labels, and then only the first label",
        has("filter_labels"),
        "sizes|values|labels|theirs fails: .*(out of bounds|not all available|LabelNotAvailable|'common_name')",
        by_name,
    ),
    "first group": Fault(
        "aggregate_temporal keeps what the reducer made of the first interval, for all intervals",
        has("aggregate_temporal"),
        "values",
        three_dates,
    ),
    "mask transposes": Fault(
        "mask without bands or dates transposes by fixed names of dimensions, and fails if there is another one",
        both(has("mask"), has("add_dimension")),
        "theirs fails: ValueError: .* must be a permuted list of",
        leave_out("add_dimension", "drop_dimension"),
    ),
    "null is true": Fault(
        "if takes no-data for true; by openEO it takes reject for null",
        has("if"),
        "values",
        sum_for_choice,
    ),
    "sum of nothing": Fault(
        "sum and product of no-data alone are 0 and 1 there (an empty array gives NaN, as here)",
        has("sum", "product"),
        "values",
        swap("mean", "sum", "product"),
    ),
    "integers": Fault(
        "running sums and the like of whole numbers fail where NaN is written into them",
        both(has("count"), has("cumsum", "cummin", "cummax", "cumproduct")),
        "theirs fails: ValueError: cannot convert float NaN to integer",
        swap("mean", "count"),
    ),
    "empty periods": Fault(
        "aggregate_temporal_period asks no reducer where no date falls in a period; the count of nothing is 0, not NaN",
        both(has("aggregate_temporal_period"), has("count")),
        "values",
        swap("mean", "count"),
    ),
    "whole kernel sums": Fault(
        "apply_kernel cuts its sums to whole numbers where the cube holds whole numbers, whatever the kernel",
        both(has("count"), has("apply_kernel")),
        "values",
        swap("mean", "count"),
    ),
    "one axis": Fault(
        "first and last take one axis only, so that reduce_spatial cannot use them",
        both(has("reduce_spatial"), has("first", "last")),
        "theirs fails: TypeError: 'tuple' object cannot be interpreted as an integer",
        swap("mean", "first", "last"),
    ),
}


def explanation(graph: Graph, difference: str, besides: Collection[str] = ()) -> str | None:
    """Name of the known fault that makes a graph's results differ like this, other than some that are avoided."""
    for name, fault in EXPLAINED.items():
        if name not in besides and fault.shows(graph) and re.match(fault.sign, difference, re.DOTALL):
            return name
    return None


def explanations(graph: Graph, difference: str, compare: Callable[[Graph], str]) -> tuple[list[str], str]:
    """The known faults without which both engines agree on a graph, and the difference that is left if they do not.

    Args:
        graph: The graph.
        difference: How the results differ.
        compare: Runs a graph in both engines and says how the results differ.
    """
    names: list[str] = []
    while difference and (name := explanation(graph, difference, names)):
        names.append(name)
        graph = rewritten(graph, EXPLAINED[name].avoid)
        difference = compare(graph)
    return names, difference
