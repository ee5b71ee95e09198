"""B2: how long does a season without clouds take? Masked NDVI, one value of all dates, to a GeoTIFF."""

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
    """The graph, through the door."""
    return engine.saved(facts, graphs.reduced(facts))


HERE = "benchmarks.b2_composite"
LIMITS = (
    Contender("prototype", "benchmarks.limits.composite:prototype", "limit"),
    Contender("read only", "benchmarks.limits.composite:read", "limit", whole=False),
)
PEERS = (
    Contender("odc-stac + xarray", "benchmarks.engines.stack:composite", "peer"),
    Contender("openeo-core", "benchmarks.engines.core:composite", "peer", "core"),
    Contender("OPD", "benchmarks.engines.opd:composite", "peer", "opd"),
    Contender(
        "OPD, as its load_stac", "benchmarks.engines.opd:composite", "peer", "opd", facts={"whole": True}
    ),
    Contender("titiler-openeo", "benchmarks.engines.titiler:composite", "peer", "titiler"),
)
STARTS = (
    Contender("ours, fresh process", f"{HERE}:ours", start="fresh"),
    Contender("ours, cold", f"{HERE}:ours", start="cold"),
)


def cases(scale: Scale, scenes: Path) -> Iterator[Case]:
    """Median, mean and maximum in another projection, and the median on the grid of the scenes."""
    for reducer in ("median", "mean", "max"):
        facts = {**scale.scenes(scenes), "reducer": reducer, "projection": 3857, "resolution": 20}
        starts = STARTS if reducer == "median" else ()
        yield Case(
            f"B2 {reducer}", facts, (Contender("ours", f"{HERE}:ours"), *LIMITS, *PEERS, *starts),
            "prototype", tolerance=5e-3,
        )  # fmt: skip
    facts = {**scale.scenes(scenes), "reducer": "median"}
    yield Case(
        "B2 median, own grid", facts, (Contender("ours", f"{HERE}:ours"), *LIMITS, *PEERS), "prototype"
    )
