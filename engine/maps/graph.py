"""The graph of a tile: the user's own, whose result is cut to the tile and put onto its cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.graph.model import Ref, referred
from engine.graph.parse import define
from engine.maps import grid
from engine.maps.model import Look, Place, Portrait
from processes.types import BBox

Json = dict[str, Any]
CELLS = "cells_of_the_tile"
"""The parameter that holds the cells of the tile."""


class Sketch:
    """A graph to which nodes are appended, one after the other."""

    def __init__(self, process: Mapping[str, Any], look: Look) -> None:
        given = define(process).graph
        self._parameters = list(process.get("parameters") or ())
        self.known = {p.name for p in given.parameters} | referred(given)
        """Parameters that the graph declares, or refers to."""
        self._nodes: Json = {name: dict(node) for name, node in process["process_graph"].items()}
        self._end = given.result
        self._nodes[self._end].pop("result", None)
        last = given.nodes[given.result]
        saved = last.args.get("data") if last.process == "save_result" else None
        if isinstance(saved, Ref) and not any(given.result in n.inputs for n in given.nodes.values()):
            del self._nodes[self._end]  # the picture is what is saved
            self._end = saved.node
        if look.bands:
            self.append("filter_bands", bands=list(look.bands))

    def append(self, process: str, **arguments: Any) -> None:
        """Add a process to the end."""
        name = process
        while name in self._nodes:
            name += "_"
        given = {"data": {"from_node": self._end}, **arguments}
        self._nodes[name], self._end = {"process_id": process, "arguments": given}, name

    def finished(self) -> Json:
        """The process, whose result is that of the node appended last."""
        nodes = {**self._nodes, self._end: {**self._nodes[self._end], "result": True}}
        return {"process_graph": nodes, "parameters": self._parameters}


def whole(process: Mapping[str, Any], look: Look) -> tuple[Json, Json]:
    """The graph of all of a map, and its parameters."""
    sketch = Sketch(process, look)
    everywhere, first = grid.box_of(Place(0, 0, 0)), Place(0, 0, 0)
    return sketch.finished(), filled(sketch, everywhere, first, look)


def cut(process: Mapping[str, Any], look: Look, portrait: Portrait, place: Place) -> Sketch:
    """The graph of what a tile is made of; the filter slips down to what is loaded."""
    sketch = Sketch(process, look)
    if not portrait.beyond:
        sketch.append("filter_bbox", extent=as_json(grid.around(place, look, portrait)))
    return sketch


def tile(process: Mapping[str, Any], look: Look, portrait: Portrait, place: Place) -> tuple[Json, Json]:
    """The graph of a tile, and its parameters."""
    sketch = cut(process, look, portrait, place)
    sketch.append("resample_cube_spatial", target={"from_parameter": CELLS}, method=look.resampling)
    parameters = filled(sketch, grid.around(place, look, portrait), place, look)
    return sketch.finished(), {**parameters, CELLS: grid.lattice(place, look)}


def filled(sketch: Sketch, box: BBox, place: Place, look: Look) -> Json:
    """Those parameters that are filled in for each tile and that the graph knows."""
    values = {
        "spatial_extent": as_json(box), "zoom": place.z, "resolution": grid.resolution(place, look)
    }  # fmt: skip
    return {name: value for name, value in values.items() if name in sketch.known}


def as_json(box: BBox) -> Json:
    """A box as graphs have it."""
    return {"west": box.west, "south": box.south, "east": box.east, "north": box.north, "crs": grid.CRS}
