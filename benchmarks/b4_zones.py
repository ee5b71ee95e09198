"""B4: how long do means of many polygons take, of each date of a cube in memory?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import answers, cubes, graphs
from benchmarks.child import Work
from benchmarks.engines import ours as engine
from benchmarks.model import Case, Contender
from benchmarks.scale import Scale
from benchmarks.scenes import CRS, bounds


def ours(facts: Mapping[str, Any]) -> Work:
    """The graph over a cube that is given as a parameter."""
    cube = cubes.labelled(cubes.cells(facts["dates"], facts["edge"], gaps=False))
    made = engine.computed(facts, graphs.zones(facts["polygons"]), {"cube": cube})
    return Work(made.run, lambda result: answers.of_cells(getattr(result, "values", result)))


def polygons(count: int, edge: int, seed: int = 11) -> dict[str, Any]:
    """Uneven stars of 4 to 80 cells across, some of which overlap, in degrees."""
    from pyproj import Transformer

    rng = np.random.default_rng(seed)
    west, south, east, north = bounds(0, 0, edge, edge)
    degrees = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    features = []
    for _ in range(count):
        reach = rng.uniform(40, 20 * min(40, edge / 8))
        x, y = rng.uniform((west + reach, south + reach), (east - reach, north - reach))
        turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        radius = reach * rng.uniform(0.5, 1, 24)
        lon, lat = degrees.transform(x + radius * np.cos(turn), y + radius * np.sin(turn))
        ring = [[round(a, 9), round(b, 9)] for a, b in zip(lon, lat, strict=True)]
        features.append(
            {
                "type": "Feature",
                "properties": {},
                "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
            }
        )
    return {"type": "FeatureCollection", "features": features}


def cases(scale: Scale, _scenes: Path) -> Iterator[Case]:
    """Polygons that lie across each other; a cell belongs to all that hold its centre."""
    many = "benchmarks.engines.arrays:zones_xvec"
    yield Case(
        "B4 zones",
        {
            "dates": scale.recipe.dates,
            "edge": scale.stack,
            "polygons": polygons(scale.polygons, scale.stack),
        },
        (
            Contender("ours", "benchmarks.b4_zones:ours"),
            Contender("numba cell lists", "benchmarks.limits.memory:zones", "limit"),
            Contender("exactextract", "benchmarks.engines.arrays:zones_exactextract", "peer", "tools"),
            Contender("xvec, exact", many, "peer", "tools", facts={"method": "exactextract"}),
            Contender("xvec, rasterize", many, "peer", "tools", facts={"method": "rasterize"}),
            Contender("openeo-core", "benchmarks.engines.core:zones", "peer", "core"),
            Contender("OPD", "benchmarks.engines.opd:zones", "peer", "opd"),
        ),
        truth="numba cell lists",
        tolerance=5e-3,
    )
