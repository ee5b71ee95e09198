"""B5: how long does a 5 x 5 kernel take, asked for as a kernel and in neighbourhoods?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks import cubes, graphs
from benchmarks.child import Work
from benchmarks.engines import ours as engine
from benchmarks.model import Case, Contender
from benchmarks.scale import Scale

DATES = 4


def kernel(facts: Mapping[str, Any]) -> Work:
    """`apply_kernel` over a cube that is given as a parameter."""
    return over_cube(facts, graphs.kernel())


def neighborhood(facts: Mapping[str, Any]) -> Work:
    """`apply_neighborhood`, whose child graph has the same kernel."""
    return over_cube(facts, graphs.neighborhood())


def over_cube(facts: Mapping[str, Any], graph: Mapping[str, Any]) -> Work:
    """A graph over a cube without gaps."""
    cube = cubes.labelled(cubes.cells(facts["dates"], facts["edge"], gaps=False))
    return engine.computed(facts, graph, {"cube": cube})


def cases(scale: Scale, _scenes: Path) -> Iterator[Case]:
    """The same answer, asked for in two ways."""
    facts = {"dates": DATES, "edge": scale.stack}
    limit = Contender("numba, weights baked in", "benchmarks.limits.memory:kernel", "limit")
    peers = (
        Contender("OpenCV", "benchmarks.engines.arrays:kernel_opencv", "peer", "tools"),
        Contender("scipy", "benchmarks.engines.arrays:kernel_scipy", "peer", "tools"),
        Contender("openeo-core", "benchmarks.engines.core:kernel", "peer", "core"),
        Contender("OPD", "benchmarks.engines.opd:kernel", "peer", "opd"),
    )
    for name in ("kernel", "neighborhood"):
        ours = Contender("ours", f"benchmarks.b5_windows:{name}")
        yield Case(f"B5 {name}", facts, (ours, limit, *peers), truth=limit.name)
