"""titiler-openeo: its processes and its loader, with a catalogue that gives the scenes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from benchmarks import answers, graphs
from benchmarks.child import Work
from benchmarks.engines.items import items


def composite(facts: Mapping[str, Any]) -> Work:
    """The graph of a season, to a GeoTIFF in memory, as its server renders it."""
    os.environ["TITILER_OPENEO_PROCESSING_MAX_PIXELS"] = str(10**10)  # by default a tenth of a gigapixel
    from openeo_pg_parser_networkx import OpenEOProcessGraph
    from openeo_pg_parser_networkx.process_registry import Process
    from titiler.openeo.processes import PROCESS_SPECIFICATIONS, process_registry
    from titiler.openeo.stacapi import LoadCollection

    found = items(facts)

    class Scenes:
        """What the loader needs of a STAC API."""

        def get_items(self, **_: Any) -> list[Any]:
            return found

    loader = LoadCollection(Scenes())
    process_registry["load_collection"] = Process(
        spec=PROCESS_SPECIFICATIONS["load_collection"], implementation=loader.load_collection
    )
    nodes = graphs.ended(season(facts))

    def run(_: int) -> bytes:
        graph = OpenEOProcessGraph(pg_data={"process_graph": nodes})
        result = graph.to_callable(process_registry=process_registry)(named_parameters={})
        return bytes(result.data)

    return Work(run, of_bytes)


def of_bytes(content: bytes) -> Mapping[str, float]:
    """The numbers of a GeoTIFF in memory."""
    from rasterio.io import MemoryFile

    with MemoryFile(content) as memory:
        return answers.of_raster(memory.name)


def season(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The graph in the processes that it has: it cannot filter bands, so that the classes are loaded apart."""
    _, _, width, height = facts["window"]
    nodes = graphs.clear_ndvi(facts)
    for name, bands in (("classes", ("SCL",)), ("colours", ("B04", "B08"))):
        nodes[name] = graphs.load(facts, bands)
        nodes[name]["arguments"] |= {"width": width, "height": height}
    del nodes["load"]
    element = nodes["unclear"]["arguments"]["reducer"]["process_graph"]["scl"]["arguments"]
    element["index"] = 0
    del element["label"]
    # Bands by their place: it names them after asset and band, where a catalogue tells of both.
    nodes["ndvi"] = graphs.node("ndvi", data=graphs.of("clear"), nir=2, red=1)
    nodes |= graphs.after_ndvi(facts)
    last = next(reversed(nodes))
    return nodes | {"save": graphs.node("save_result", data=graphs.of(last), format="GTiff")}
