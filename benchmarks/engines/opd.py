"""openeo-processes-dask with openeo-pg-parser-networkx: a graph becomes a callable, which gives a lazy cube."""

from __future__ import annotations

import importlib
import inspect
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks import answers, cubes, graphs
from benchmarks.child import Work
from benchmarks.engines.items import items
from benchmarks.scenes import CRS


def registry(**more: Callable[..., Any]) -> Any:
    """All its processes by openEO name, and those that a back-end has to bring along."""
    from openeo_pg_parser_networkx.process_registry import Process, ProcessRegistry
    from openeo_processes_dask.process_implementations.core import process

    made = ProcessRegistry(wrap_funcs=[process])
    room = importlib.import_module("openeo_processes_dask.process_implementations")
    for name, function in (*inspect.getmembers(room, inspect.isfunction), *more.items()):
        made[name] = Process(spec={}, implementation=function)
    return made


def called(graph: Mapping[str, Any], processes: Any, parameters: Mapping[str, Any] | None = None) -> Any:
    """The result of a graph."""
    from openeo_pg_parser_networkx.graph import OpenEOProcessGraph

    read = OpenEOProcessGraph(pg_data={"process_graph": graph})
    return read.to_callable(processes)(named_parameters=dict(parameters or {}))


def composite(facts: Mapping[str, Any]) -> Work:
    """The graph of a season, with loading as back-ends have it: odc-stac, here with a box and fair chunks.

    With the fact `whole` it loads as its own `load_stac` does: all of each scene, cut to the box afterwards.
    """
    import odc.stac

    found, target = items(facts), Path(tempfile.mkdtemp()) / "result.tif"
    west, south, east, north = facts["box"]

    def load_collection(bands: list[str], **_: Any) -> Any:
        if facts.get("whole"):
            data = odc.stac.load(found, bands=bands, chunks={}, nodata=0).to_dataarray(dim="bands")
            data = data.sel(x=slice(west, east), y=slice(north, south))
        else:
            data = odc.stac.load(
                found, bands=bands, crs=CRS, resolution=20, x=(west, east), y=(south, north), nodata=0,
                chunks={"x": 1024, "y": 1024},
            ).to_dataarray(dim="bands")  # fmt: skip
        return data.rename(time="t")

    processes, graph = registry(load_collection=load_collection), graphs.reduced(facts)

    def run(_: int) -> Path:
        called(graph, processes).rio.to_raster(target)
        return target

    return Work(run, answers.of_raster)


def computed(
    graph: Mapping[str, Any], cube: Any, answer: Callable[[Any], Mapping[str, float]] = answers.of_cells
) -> Work:
    """A graph over a cube in memory, in chunks as dask makes them."""
    processes = registry()
    lazy = cube.chunk(dict.fromkeys(cube.dims[:-2], -1) | dict.fromkeys(cube.dims[-2:], 1024))

    def run(_: int) -> Any:
        result = called(graph, processes, {"cube": lazy})
        return result.compute() if hasattr(result, "compute") else result

    return Work(run, answer)


def months(facts: Mapping[str, Any]) -> Work:
    """Monthly means."""
    return computed(graphs.months(), cubes.labelled(cubes.cells(facts["dates"], facts["edge"])))


def zones(facts: Mapping[str, Any]) -> Work:
    """Means of polygons."""
    cube = cubes.labelled(cubes.cells(facts["dates"], facts["edge"], gaps=False))
    return computed(graphs.zones(facts["polygons"]), cube, lambda result: answers.of_cells(result.values))


def kernel(facts: Mapping[str, Any]) -> Work:
    """A 5 x 5 kernel."""
    cube = cubes.labelled(cubes.cells(facts["dates"], facts["edge"], gaps=False))
    return computed(graphs.kernel(), cube)


def warp(facts: Mapping[str, Any]) -> Work:
    """Another projection."""
    cube = cubes.labelled(cubes.cells(1, facts["edge"], gaps=False)[0])
    return computed(graphs.warp(facts), cube)
