"""B1: how fast do two bands of all dates get into memory, from this disk and from a slow server?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks import answers, graphs
from benchmarks.child import Work
from benchmarks.engines import ours as engine
from benchmarks.model import Case, Contender
from benchmarks.scale import Scale

BANDS = ("B04", "B08")


def near(facts: Mapping[str, Any]) -> Work:
    """A collection, through the door."""
    return engine.computed(facts, graphs.ended({"load": graphs.load(facts, BANDS)}))


def far(facts: Mapping[str, Any]) -> Work:
    """The same of a catalogue that is served; cataloguing it is not timed, for others have their items, too."""
    import engine as door

    graph = graphs.ended({"load": graphs.load(facts, BANDS)})
    kept: list[Any] = []

    def before(number: int) -> Any:
        while kept:
            kept.pop().close()
        kept.append(door.open(f"{facts['url']}/{number}/catalog.json"))
        return kept[0]

    return Work(lambda session: session.compute(session.run(graph)), answers.of_cells, before)


def cases(scale: Scale, scenes: Path) -> Iterator[Case]:
    """From the disk, and over HTTP with 40 ms to each answer."""
    facts = scale.scenes(scenes)
    window, stack = "benchmarks.limits.loading:rasterio_threads", "benchmarks.engines.stack:loaded"
    swift = "benchmarks.limits.loading:async_geotiff"
    yield Case(
        "B1 local",
        facts,
        (
            Contender("ours", "benchmarks.b1_load:near"),
            Contender("rasterio, 2 threads", window, "limit"),
            Contender("async-geotiff", swift, "peer", "tools"),
            Contender("odc-stac", stack, "peer"),
            Contender("odc-stac, dask 2048", stack, "peer", facts={"chunk": 2048}),
            Contender("odc-stac, dask 512", stack, "peer", facts={"chunk": 512}),
            Contender("stackstac", "benchmarks.engines.stack:stackstac", "peer", "tools"),
        ),
        truth="rasterio, 2 threads",
    )
    yield Case(
        "B1 remote",
        facts,
        (
            Contender("ours", "benchmarks.b1_load:far"),
            Contender("async-geotiff, 24 under way", swift, "peer", "tools"),
            Contender("rasterio, 24 threads", window, "limit", facts={"threads": 24}),
            Contender("rasterio, 8 threads", window, "limit", facts={"threads": 8}),
            Contender("odc-stac, 16 threads", stack, "peer", facts={"threads": 16}),
            Contender("odc-stac, 2 threads", stack, "peer"),
        ),
        truth="rasterio, 24 threads",
        serves=str(scenes),
    )
