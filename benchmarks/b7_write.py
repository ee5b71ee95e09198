"""B7: how long does it take to get an array into a file that others can read?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks import cubes, graphs
from benchmarks.child import Work
from benchmarks.engines import ours as engine
from benchmarks.limits.writing import ANSWERS, picture
from benchmarks.model import Case, Contender
from benchmarks.scale import Scale

ROOM = "benchmarks.limits.writing"


def ours(facts: Mapping[str, Any]) -> Work:
    """`save_result` of a cube that is given as a parameter: read back, with statistics and a STAC item."""
    cube = cubes.labelled(picture(facts["edge"]))
    return engine.saved(
        {}, graphs.saved(facts["format"]), suffix=facts["suffix"], parameters={"cube": cube},
        answer=ANSWERS[facts["suffix"]], **facts.get("ours", {}),
    )  # fmt: skip


def cases(scale: Scale, _scenes: Path) -> Iterator[Case]:
    """GeoTIFF, NetCDF, Zarr and PNG of float32."""
    own = Contender("ours", "benchmarks.b7_write:ours")
    deflate = {"options": {"compress": "deflate", "zlevel": 6, "zstd_level": None}}
    yield Case(
        "B7 GTiff",
        {"edge": scale.recipe.edge, "format": "GTiff", "suffix": ".tif"},
        (
            own,
            Contender("rasterio, zstd-1", f"{ROOM}:tiff", "limit"),
            Contender("rasterio, deflate-6", f"{ROOM}:tiff", "limit", facts=deflate),
            Contender("GDAL COG", f"{ROOM}:cog", "limit"),
            Contender("to_raster", f"{ROOM}:to_raster", "peer"),
        ),
        truth="rasterio, zstd-1",
    )
    for format_, suffix, limit, peer in (
        ("NetCDF", ".nc", "netcdf", "to_netcdf"),
        ("Zarr", ".zarr", "zarr", "to_zarr"),
    ):
        yield Case(
            f"B7 {format_}",
            {"edge": scale.recipe.edge, "format": format_, "suffix": suffix},
            (own, Contender(limit, f"{ROOM}:{limit}", "limit"), Contender(peer, f"{ROOM}:{peer}", "peer")),
            truth=limit,
        )
    yield Case(
        "B7 PNG",
        {"edge": scale.recipe.edge, "format": "PNG", "suffix": ".png", "ours": {"min": 0, "max": 1}},
        (own, Contender("rasterio, zlevel 1", f"{ROOM}:png", "limit")),
        truth="rasterio, zlevel 1",
        tolerance=1e-2,
    )
