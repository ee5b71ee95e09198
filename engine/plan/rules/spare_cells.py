"""Rule: cells that nobody reads are not loaded, where all readers look at a box, or at geometries, alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pyproj
import shapely
from odc.geo.geobox import GeoBox

from engine.graph.model import Graph, Node, Param, Ref, parts, replaced
from engine.plan.rules.around import Around
from engine.plan.rules.origins import CLOSED, Known, loads_of, look
from processes.cubes import shapes
from processes.cubes.filters import read_bbox
from processes.errors import ProcessError

PLANE = frozenset({"x", "y"})
MOST = 8
"""Areas that a node may be read in; where there are more, all of it counts."""
MARGIN = 1
"""Cells around an area: the one that is closest to a point may lie beside it."""
WORTH = 0.9
"""Part of the cells that may be left, so that it is worth asking for less."""


@dataclass(frozen=True, slots=True)
class Area:
    """A part of the plane that is read."""

    node: str
    """Name of the node that says which."""
    rows: int = 0
    """Rows around it that are read as well."""
    columns: int = 0
    """Columns around it."""


Need = frozenset[Area] | None
"""Where a node is read; `None`: everywhere."""


def spare_cells(graph: Graph, around: Around) -> Graph:
    """The graph with loads of no more cells than are read."""
    loads = loads_of(graph, around.registry)
    if not loads or not any(looks_at(node, around) for node in graph.nodes.values()):
        return graph
    needs = needed(graph, look(graph, around.registry), around)
    less = {name: within(graph[name], needs[name], graph, around) for name in loads}
    if all(less[name] is graph[name] for name in loads):
        return graph
    return graph.with_nodes({name: less.get(name, node) for name, node in graph.nodes.items()})


def looks_at(node: Node, around: Around) -> bool:
    """Does a node look at a part of the plane alone, and is it known beforehand which?"""
    process = around.registry.get(node.process)
    if process is None or not process.mixes.area:
        return False
    return not any(isinstance(part, Ref) for part in parts(node.args.get(process.mixes.area)))


def needed(graph: Graph, known: Mapping[str, Known], around: Around) -> dict[str, Need]:
    """For each node where it is read, found from the result down."""
    needs: dict[str, Need] = {name: frozenset() for name in graph}
    needs[graph.result] = None
    for name in reversed(list(graph)):
        node, here = graph[name], known.get(name)
        passed = None if here is None else read(name, node, here, needs[name], around)
        for parameter, value in node.args.items():
            if type(value) in CLOSED:
                continue
            there = passed if here is not None and parameter in here.cubes else None
            for part in parts(value):
                if isinstance(part, Ref):
                    before = needs[part.node]
                    both = None if before is None or there is None else before | there
                    needs[part.node] = None if both is None or len(both) > MOST else both
    return needs


def read(name: str, node: Node, here: Known, need: Need, around: Around) -> Need:
    """Where a node reads its cubes, given where it is read itself."""
    if here.mixes.area:
        return frozenset({Area(name)}) if looks_at(node, around) else None
    if need is None or not here.mixed & PLANE:
        return need
    reach = here.mixes.reach(node.args)
    if reach is None:
        return None
    rows, columns = reach.get("y", 0), reach.get("x", 0)
    return frozenset(replace(a, rows=a.rows + rows, columns=a.columns + columns) for a in need)


def within(load: Node, need: Need, graph: Graph, around: Around) -> Node:
    """The load of these areas alone; itself where that is not sure to be the same, or hardly less."""
    grid = around.grid(load) if need else None
    if not need or grid is None:
        return load
    known = {Param(name): value for name, value in around.parameters.items()}
    found = [window(graph[a.node], a, grid, known, around) for a in need]
    windows = [w for w in found if w is not None]
    if len(windows) < len(found):
        return load
    top, left = min(w[0] for w in windows), min(w[1] for w in windows)
    bottom, right = max(w[2] for w in windows), max(w[3] for w in windows)
    if (bottom - top) * (right - left) > WORTH * math.prod(grid.shape):
        return load
    assert grid.crs is not None
    box = grid[top:bottom, left:right].boundingbox
    extent = {"west": box.left, "south": box.bottom, "east": box.right, "north": box.top,
              "crs": grid.crs.epsg or grid.crs.to_wkt()}  # fmt: skip
    less = replace(load, args={**load.args, "spatial_extent": extent})
    return less if around.twin(load, [Node("filter_bbox", {"extent": extent})], less) is not None else load


def window(
    node: Node, area: Area, grid: GeoBox, known: Mapping[Any, Any], around: Around
) -> tuple[int, int, int, int] | None:
    """The first row and column of an area in a grid, and those after the last; `None` where that is not known."""
    parameter = around.registry[node.process].mixes.area
    bounds = bounds_of(replaced(node.args.get(parameter), known), parameter, grid)
    if bounds is None:
        return None
    (x0, y0), (x1, y1) = (~grid.transform * corner for corner in (bounds[:2], bounds[2:]))
    height, width = grid.shape
    rows, columns = area.rows + MARGIN, area.columns + MARGIN
    top, bottom = max(0, math.floor(min(y0, y1)) - rows), min(height, math.ceil(max(y0, y1)) + rows)
    left, right = max(0, math.floor(min(x0, x1)) - columns), min(width, math.ceil(max(x0, x1)) + columns)
    return (top, left, bottom, right) if top < bottom and left < right else None


def bounds_of(given: Any, parameter: str, grid: GeoBox) -> tuple[float, float, float, float] | None:
    """West, south, east and north of a box or of geometries, in the CRS of a grid."""
    try:
        if isinstance(given, Mapping) and "west" in given:
            box = read_bbox(given, parameter)
            crs, bounds = pyproj.CRS.from_user_input(box.crs), (box.west, box.south, box.east, box.north)
        else:
            read = shapes.read(given, parameter)
            crs, bounds = read.crs, tuple(shapely.total_bounds(read.coord))
        if not all(map(math.isfinite, bounds)) or bounds[0] > bounds[2]:
            return None
        turned = pyproj.Transformer.from_crs(crs, str(grid.crs), always_xy=True)
        moved: tuple[float, float, float, float] = turned.transform_bounds(*bounds, densify_pts=21)
    except (ProcessError, pyproj.exceptions.ProjError):
        return None  # the run tells what is wrong
    return moved if all(map(math.isfinite, moved)) and moved[0] <= moved[2] else None
