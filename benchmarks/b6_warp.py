"""B6: how long does it take to put a picture into another projection?"""

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
    """`resample_spatial` over a cube that is given as a parameter."""
    cube = cubes.labelled(cubes.cells(1, facts["edge"], gaps=False)[0])
    return engine.computed(facts, graphs.warp(facts), {"cube": cube})


def cases(scale: Scale, _scenes: Path) -> Iterator[Case]:
    """From UTM to Web Mercator at 20 m, bilinear."""
    odc = "benchmarks.engines.arrays:warp_odc"
    yield Case(
        "B6 warp",
        {"edge": scale.warp, "projection": 3857, "resolution": 20},
        (
            Contender("ours", "benchmarks.b6_warp:ours"),
            Contender("numba, coordinate grid", "benchmarks.limits.memory:warp", "limit"),
            Contender("rasterio, 2 threads", "benchmarks.limits.memory:warp_gdal", "limit"),
            Contender("odc-geo", odc, "peer"),
            Contender("odc-geo, dask", odc, "peer", facts={"chunk": 1024}),
            Contender("rioxarray", "benchmarks.engines.arrays:warp_rioxarray", "peer"),
            Contender("openeo-core", "benchmarks.engines.core:warp", "peer", "core"),
            Contender("OPD", "benchmarks.engines.opd:warp", "peer", "opd"),
        ),
        truth="numba, coordinate grid",
        tolerance=5e-3,
    )
