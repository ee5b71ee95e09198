"""B3: how long do monthly means of a cube in memory take?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks import cubes, graphs
from benchmarks.child import Work
from benchmarks.engines import ours as engine
from benchmarks.model import Case, Contender
from benchmarks.scale import Scale


def ours(facts: Mapping[str, Any]) -> Work:
    """The graph over a cube that is given as a parameter."""
    cube = cubes.labelled(cubes.cells(facts["dates"], facts["edge"]))
    return engine.computed(facts, graphs.months(), {"cube": cube})


def cases(scale: Scale, _scenes: Path) -> Iterator[Case]:
    """Two dates a month."""
    yield Case(
        "B3 months",
        {"dates": scale.recipe.dates, "edge": scale.stack},
        (
            Contender("ours", "benchmarks.b3_months:ours"),
            Contender("numba segments", "benchmarks.limits.memory:months", "limit"),
            Contender("memory read", "benchmarks.limits.memory:touched", "limit", whole=False),
            Contender("xarray", "benchmarks.engines.arrays:months_xarray", "peer"),
            Contender("flox", "benchmarks.engines.arrays:months_flox", "peer", "tools"),
            Contender("openeo-core", "benchmarks.engines.core:months", "peer", "core"),
            Contender("OPD", "benchmarks.engines.opd:months", "peer", "opd"),
        ),
        truth="numba segments",
    )
