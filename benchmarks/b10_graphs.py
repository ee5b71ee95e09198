"""B10: how long until a graph is understood: read, checked and planned, and from a cold start?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks import graphs
from benchmarks.child import Work
from benchmarks.model import Case, Contender
from benchmarks.scale import Scale

HERE = "benchmarks.b10_graphs"
SHAPES: Mapping[str, Callable[[int], dict[str, Any]]] = {
    "chain": graphs.chain,
    "diamonds": graphs.diamonds,
    "wide": graphs.wide,
}
FEW = 14
"""Diamonds that can be walked in all ways: about sixteen thousand."""
PATIENCE = 20.0
"""Seconds for one run: what walks all ways through diamonds does not end."""


def graph_of(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The graph of a task, over one parameter."""
    return SHAPES[facts["shape"]](facts["nodes"])


def prepared(facts: Mapping[str, Any]) -> Work:
    """Read, checked and planned, through the door; what it gives is computed for the answer."""
    import engine

    session, graph = engine.open(), graph_of(facts)
    return Work(lambda _: session.prepare(graph, {"a": 0}), lambda _: {"value": session.run(graph, {"a": 0})})


def read(facts: Mapping[str, Any]) -> Work:
    """Read and put in order, through the door: what a notebook does that takes a graph up, JSON and all."""
    import engine

    session, graph = engine.open(), graph_of(facts)
    return Work(lambda _: session.cube(graph), lambda cube: {"value": session.run(cube.to_graph(), {"a": 0})})


def ordered(facts: Mapping[str, Any]) -> Work:
    """The nodes of a graph that was read are put in an order in which they can be run."""
    from engine.graph.model import in_order
    from engine.graph.parse import parse

    nodes = dict(reversed(parse(graph_of(facts)).nodes.items()))
    return Work(lambda _: in_order({name: node.inputs for name, node in nodes.items()}))


def order(facts: Mapping[str, Any]) -> Work:
    """A loop over the nodes that puts each after what it reads; its answer runs them."""
    graph = graph_of(facts)

    def references(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            yield from [value["from_node"]] if "from_node" in value else ()
        elif isinstance(value, list):
            for one in value:
                yield from references(one)

    def run(_: int) -> list[str]:
        inputs = {
            name: {r for v in node["arguments"].values() for r in references(v)}
            for name, node in graph.items()
        }
        readers: dict[str, list[str]] = {name: [] for name in graph}
        for name, read in inputs.items():
            for source in read:
                readers[source].append(name)
        waiting = [name for name, read in inputs.items() if not read]
        for name in waiting:  # it grows as it is walked
            for reader in readers[name]:
                inputs[reader].discard(name)
                if not inputs[reader]:
                    waiting.append(reader)
        return waiting

    return Work(run, lambda ordered: {"value": evaluated(graph, ordered)})


def evaluated(graph: Mapping[str, Any], ordered: list[str]) -> float:
    """The result of nodes that add and compare, run in this order."""
    values: dict[str, float] = {}

    def value(given: Any) -> float:
        return values[given["from_node"]] if isinstance(given, dict) and "from_node" in given else given

    for name in ordered:
        node = graph[name]["arguments"]
        if "data" in node:
            values[name] = max(map(value, node["data"]))
        else:
            x = 0 if node["x"] == {"from_parameter": "a"} else value(node["x"])
            values[name] = x + node["y"]
    return values[next(name for name, node in graph.items() if node.get("result"))]


def pg_parser(facts: Mapping[str, Any]) -> Work:
    """Read and made a callable by openeo-pg-parser-networkx, over the processes of openeo-processes-dask."""
    from openeo_pg_parser_networkx.graph import OpenEOProcessGraph

    from benchmarks.engines.opd import registry

    graph, processes = graph_of(facts), registry()

    def run(_: int) -> Any:
        return OpenEOProcessGraph(pg_data={"process_graph": graph}).to_callable(processes)

    return Work(run, lambda call: {"value": call(named_parameters={"a": 0})})


# ------------------------------------------------------------------------------------------- starts
def started(command: list[str], environment: Mapping[str, str]) -> None:
    """Run a command to its end; what it says is not shown."""
    subprocess.run(
        command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True
    )  # fmt: skip


def gdc_explain(facts: Mapping[str, Any]) -> Work:
    """The command from start to end; with the fact `empty`, over caches that hold nothing."""
    folder = Path(tempfile.mkdtemp())
    graph = folder / "graph.json"
    graph.write_text(json.dumps(graphs.reduced(facts)), encoding="utf-8")
    gdc = str(Path(sys.executable).parent / "gdc")

    def before(_: int) -> dict[str, str]:
        if not facts.get("empty"):
            return {}
        place = tempfile.mkdtemp()
        return {"XDG_CACHE_HOME": place, "XDG_DATA_HOME": place, "NUMBA_CACHE_DIR": place}

    def run(environment: dict[str, str]) -> None:
        started([gdc, "explain", str(graph), "--catalog", facts["catalog"]], environment)

    return Work(run, before=before)


def imports(facts: Mapping[str, Any]) -> Work:
    """A Python that imports what the facts name, and ends."""
    return Work(lambda _: started([sys.executable, "-c", f"import {facts['modules']}"], {}))


def cases(scale: Scale, scenes: Path) -> Iterator[Case]:
    """Graphs of three shapes and of growing size, and the command line."""
    for shape in SHAPES:
        for size in ((FEW,) if shape == "diamonds" else ()) + scale.nodes:
            yield Case(
                f"B10 {shape}, {size:,} nodes",
                {"shape": shape, "nodes": size},
                (
                    Contender("ours", f"{HERE}:prepared"),
                    Contender("ours, read only", f"{HERE}:read"),
                    Contender("ours, order only", f"{HERE}:ordered", whole=False),
                    Contender("topological loop", f"{HERE}:order", "limit"),
                    Contender("pg-parser", f"{HERE}:pg_parser", "peer", "opd"),
                ),
                truth="topological loop",
                seconds=PATIENCE,
            )
    opd = "openeo_processes_dask.process_implementations, openeo_pg_parser_networkx, odc.stac"
    yield Case(
        "B10 start",
        {**scale.scenes(scenes), "reducer": "median"},
        (
            Contender("ours", f"{HERE}:gdc_explain", whole=False),
            Contender("ours, cold", f"{HERE}:gdc_explain", whole=False, facts={"empty": True}),
            Contender(
                "import rasterio", f"{HERE}:imports", "limit", whole=False, facts={"modules": "rasterio"}
            ),
            Contender("import OPD", f"{HERE}:imports", "peer", "opd", whole=False, facts={"modules": opd}),
        ),
        truth="import rasterio",
    )
