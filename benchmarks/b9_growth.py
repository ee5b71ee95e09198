"""B9: what does a small task cost, and how do time and memory grow with area and with dates?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks import graphs
from benchmarks.child import Work
from benchmarks.engines import ours as engine
from benchmarks.model import Case, Contender
from benchmarks.scale import Scale


def ours(facts: Mapping[str, Any]) -> Work:
    """The median of clear NDVI, through the door."""
    return engine.saved(facts, graphs.reduced(facts))


CONTENDERS = (
    Contender("ours", "benchmarks.b9_growth:ours"),
    Contender("prototype", "benchmarks.limits.composite:prototype", "limit"),
    Contender("odc-stac + xarray", "benchmarks.engines.stack:composite", "peer"),
    Contender("openeo-core", "benchmarks.engines.core:composite", "peer", "core"),
    Contender("OPD", "benchmarks.engines.opd:composite", "peer", "opd"),
)


def cases(scale: Scale, scenes: Path) -> Iterator[Case]:
    """One small block; areas of 1, 4 and 16; spans of dates."""
    tasks = {"one block": scale.scenes(scenes, edge=64, dates=3)}
    tasks |= {f"area {4**i}": scale.scenes(scenes, edge=edge) for i, edge in enumerate(scale.areas)}
    tasks |= {f"{n} dates": scale.scenes(scenes, dates=n) for n in scale.spans}
    for name, facts in tasks.items():
        yield Case(f"B9 {name}", {**facts, "reducer": "median"}, CONTENDERS, truth="prototype")
