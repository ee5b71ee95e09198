"""The process graph of a coverage."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.coverages.cut import Cut
from engine.coverages.faults import wrong
from engine.coverages.moments import is_moment
from engine.coverages.places import GLOBE, Range
from engine.coverages.source import Source
from engine.coverages.target import Target
from engine.domain.model import Axis, Domain, Field
from engine.domain.reference import Reference

Json = dict[str, Any]
Span = list[Any]
"""Two moments, the second one of them not included any more, or open."""


class Sketch:
    """A graph to which nodes are appended, each after the one before it."""

    def __init__(self, source: Mapping[str, Any]) -> None:
        self._nodes: Json = {"load": dict(source)}
        self.end = "load"
        """The node appended last."""

    def append(self, process: str, **arguments: Any) -> None:
        """Add a process to the end."""
        self.add(process, {"data": {"from_node": self.end}, **arguments})

    def add(self, process: str, arguments: Json) -> None:
        """Add a process with all its arguments."""
        name = f"{process}_{len(self._nodes)}"
        self._nodes[name] = {"process_id": process, "arguments": arguments}
        self.end = name

    def finished(self) -> Json:
        """The process, whose result is that of the node appended last."""
        nodes = {**self._nodes, self.end: {**self._nodes[self.end], "result": True}}
        return {"process_graph": nodes}


@dataclass(frozen=True, slots=True)
class Draft:
    """All that a graph is made of."""

    source: Source
    domain: Domain
    """What there is."""
    cut: Cut
    """What is left of it."""
    target: Target | None
    """The grid that is wanted; none where there is no ground."""
    fields: Sequence[Field]
    """The fields that are wanted, in order."""
    dropped: Sequence[str]
    """Dimensions of one place that are given up."""
    format: str
    options: Mapping[str, Any]
    narrow: bool = False
    """Is no more loaded than what is wanted, as far as items tell where and when they are?"""


def whole(source: Source) -> Json:
    """The graph of all of a coverage."""
    return Sketch(source.node).finished()


def loading(source: Source, box: Json | None, span: Span | None, bands: list[str] | None) -> Json:
    """The first node; filters behind it slip into what it loads where that gives the same."""
    limits = {"spatial_extent": box, "temporal_extent": span, "bands": bands}
    arguments = source.node["arguments"] | {k: v for k, v in limits.items() if v is not None}
    return {**source.node, "arguments": arguments}


def graph(draft: Draft) -> Json:
    """The process that gives a coverage as a file."""
    domain, cut, target = draft.domain, draft.cut, draft.target
    box, turned = ground_box(domain, cut, target)
    is_derived = draft.source.is_derived
    if is_derived and turned:
        raise wrong(
            "bbox", "a coverage that is made of another one cannot go on beyond the end of its axis",
            "Ask for both parts, one after the other.",
        )  # fmt: skip
    narrow = draft.narrow and not is_derived
    at_once = turned or narrow
    span, bands = (span_of(draft), bands_of(draft)) if narrow else (None, None)
    sketch = Sketch(loading(draft.source, box if at_once else None, span, bands))
    if box is not None and not at_once:
        sketch.append("filter_bbox", extent=box)
    for axis in domain.axes:
        cells = cut.of(axis)
        if axis.role in ("x", "y") or (cells.start, cells.stop) == (0, axis.count):
            continue
        labels = list(axis.labels)
        if axis.role == "time":
            if span is None:
                sketch.append("filter_temporal", extent=interval(axis, cells), dimension=axis.dim)
        else:
            sketch.append(
                "filter_labels", dimension=axis.dim, condition=among(labels[cells.start : cells.stop])
            )
    fields_and_grid(sketch, draft, chosen=bands is not None)
    if target is not None and target.is_cropped:
        sketch.append(
            "filter_bbox", extent=inner_box(target.x, target.y, target.projection or domain.reference)
        )
    for dim in draft.dropped:
        sketch.append("drop_dimension", name=dim)
    sketch.append("save_result", format=draft.format, options=dict(draft.options))
    return sketch.finished()


def interval(axis: Axis, cells: Range) -> Span:
    """From the first of these moments to the first one after them."""
    return [axis.labels[cells.start], axis.labels[cells.stop] if cells.stop < axis.count else None]


def span_of(draft: Draft) -> Span | None:
    """The interval of what is loaded; none where all is, or where moments are none of the usual calendar."""
    times = [axis for axis in draft.domain.axes if axis.role == "time"]
    if len(times) != 1:
        return None
    cells = draft.cut.of(times[0])
    if (cells.start, cells.stop) == (0, times[0].count):
        return None
    span = interval(times[0], cells)
    return span if all(end is None or is_moment(str(end)) for end in span) else None


def bands_of(draft: Draft) -> list[str] | None:
    """The fields that are loaded; none where all are, or where some alone would be of another type."""
    all_fields = draft.domain.bands is None or tuple(draft.fields) == draft.domain.fields
    if all_fields or not all(field.is_alike for field in draft.fields):
        return None
    return [field.name for field in draft.fields]


def ground_box(domain: Domain, cut: Cut, target: Target | None) -> tuple[Json | None, bool]:
    """The box around the centres of the cells, and whether it goes on beyond the end of the axis."""
    x, y = domain.axis("x"), domain.axis("y")
    ranges = target.ranges if target is not None else cut.ranges
    limited = [
        axis for axis in (x, y)
        if axis is not None and axis.dim in ranges and (ranges[axis.dim].start, ranges[axis.dim].stop) != (0, axis.count)
    ]  # fmt: skip
    if not limited or x is None or y is None:
        return None, False
    parts = [axis.part(r.start, r.stop) for axis in (x, y) for r in [ranges[axis.dim]]]
    return inner_box(parts[0], parts[1], domain.reference), ranges[x.dim].stop > x.count


def inner_box(x: Axis, y: Axis, reference: Reference | None) -> Json:
    """A box that has the centres of these cells inside, and those of no others."""
    (west, east), (south, north) = inside(x), inside(y)
    if reference is not None and reference.is_globe:
        turn = GLOBE * math.floor((west + GLOBE / 2) / GLOBE)
        west, east = west - turn, east - turn
        east = east - GLOBE if east > GLOBE / 2 else east
    crs = 4326 if reference is None else reference.graph_crs
    return {"west": west, "south": south, "east": east, "north": north, "crs": crs}


def inside(axis: Axis) -> tuple[float, float]:
    """From a quarter of the first cell to three quarters of the last; the labels themselves where they are not even."""
    low, high = map(float, axis.bounds())
    hair = abs(axis.step) / 4 if axis.is_even else 0.0
    return low + hair, high - hair


def among(labels: Sequence[Any]) -> Json:
    """The condition that a label is one of these."""
    contains = {"data": list(labels), "value": {"from_parameter": "value"}}
    return {
        "process_graph": {"among": {"process_id": "array_contains", "arguments": contains, "result": True}}
    }


# ------------------------------------------------------------------------------------- fields and cells
def fields_and_grid(sketch: Sketch, draft: Draft, *, chosen: bool) -> None:
    """Choose the fields and resample them: classes by the nearest cell, all others by their mean or in between.

    Where they are `chosen`, no others were loaded.
    """
    domain, fields, target = draft.domain, draft.fields, draft.target
    names = [field.name for field in fields]
    is_all = chosen or domain.bands is None or tuple(fields) == domain.fields
    if target is None or target.resolution is None:
        if not is_all:
            sketch.append("filter_bands", bands=names)
        return
    classes = [field.name for field in fields if field.classified]
    if not classes or len(classes) == len(fields):
        if not is_all:
            sketch.append("filter_bands", bands=names)
        resampled(sketch, target, is_classes=bool(classes))
        return
    before = sketch.end
    parts = []
    for some, is_classes in ((classes, True), ([n for n in names if n not in classes], False)):
        sketch.end = before
        sketch.append("filter_bands", bands=some)
        resampled(sketch, target, is_classes=is_classes)
        parts.append({"from_node": sketch.end})
    sketch.add("merge_cubes", {"cube1": parts[0], "cube2": parts[1]})
    sketch.append("filter_bands", bands=names)


def resampled(sketch: Sketch, target: Target, *, is_classes: bool) -> None:
    """Put cells onto the grid: the mean of many, or between few; of very many, those of cells of overviews."""
    assert target.resolution is not None
    projection = {} if target.projection is None else {"projection": target.projection.graph_crs}
    if target.coarse is not None:  # the nearest cells are what is read of overviews
        sketch.append("resample_spatial", resolution=list(target.coarse), method="near")
    method = "near" if is_classes else "average" if target.is_coarser else "bilinear"
    sketch.append("resample_spatial", resolution=list(target.resolution), method=method, **projection)
