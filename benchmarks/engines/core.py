"""openeo-core: its fluent cube, whose dimensions are time, bands, latitude and longitude."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import answers, cubes, graphs
from benchmarks.child import Work
from benchmarks.engines.items import items
from benchmarks.scenes import CLEAR

NAMES = ("time", "latitude", "longitude")


def composite(facts: Mapping[str, Any]) -> Work:
    """Load with the box and fair chunks, mask, NDVI, reduce, warp, write."""
    import numpy as np
    from openeo_core import DataCube
    from openeo_core.ops.raster import mask

    found, target = items(facts), Path(tempfile.mkdtemp()) / "result.tif"
    for item in found:
        for asset in item.assets.values():
            asset.extra_fields.pop("bands")  # the `bands` of STAC 1.1 get into the way of its dimension
    source = {"type": "FeatureCollection", "features": [item.to_dict() for item in found]}
    low, high = CLEAR

    def run(_: int) -> Path:
        cube = DataCube.load_stac(
            source, assets=["B04", "B08", "SCL"], bounds=facts["box"], resolution=20, chunksize=1024,
            fill_value=np.uint16(0), dtype="uint16", rescale=False,
        )  # fmt: skip
        classes = cube.data.sel(bands="SCL")
        colours = cube.data.sel(bands=["B04", "B08"])
        clear = mask(colours.where(colours != 0), (classes < low) | (classes > high))
        season = DataCube(clear).ndvi(nir="B08", red="B04")
        # Its own names do not skip no-data.
        season = season.reduce_dimension(f"numpy.nan{facts['reducer']}", dimension="time")
        if facts.get("projection"):
            season = season.resample_spatial(
                resolution=facts["resolution"], projection=facts["projection"], method="near"
            )
        place(season.data.squeeze(drop=True)).rio.to_raster(target)
        return target

    return Work(run, answers.of_raster)


def place(cube: Any) -> Any:
    """A cube whose plane rioxarray knows."""
    import rioxarray  # noqa: F401 (registers .rio)

    names = {d: s for d, s in (("longitude", "x"), ("latitude", "y")) if d in cube.dims}
    cube = cube.rename(names)
    return cube if cube.rio.crs is not None else cube.rio.write_crs(str(cube.coords["epsg"].item()))


def memory(facts: Mapping[str, Any], *, gaps: bool = True, plane: int = 1024) -> Any:
    """The cube of a task, in memory, in chunks of `plane` cells; -1 for the whole plane."""
    from openeo_core import DataCube

    cube = cubes.labelled(cubes.cells(facts["dates"], facts["edge"], gaps=gaps), NAMES)
    return DataCube(cube.chunk({"time": -1, "latitude": plane, "longitude": plane}))


def months(facts: Mapping[str, Any]) -> Work:
    """Monthly means."""
    cube = memory(facts)
    return Work(
        lambda _: cube.aggregate_temporal(period="month", reducer="mean", dimension="time").data.compute(),
        answers.of_cells,
    )


def zones(facts: Mapping[str, Any]) -> Work:
    """Means of polygons."""
    cube, file = memory(facts, gaps=False), Path(tempfile.mkdtemp()) / "zones.geojson"
    file.write_text(json.dumps(facts["polygons"]), encoding="utf-8")

    def run(_: int) -> Any:
        return cube.aggregate_spatial(str(file), reducer="mean").data["cells"].to_numpy()

    return Work(run, answers.of_cells)


def kernel(facts: Mapping[str, Any]) -> Work:
    """A 5 x 5 kernel."""
    cube = memory(facts, gaps=False, plane=-1)
    return Work(lambda _: cube.apply_kernel(kernel=graphs.KERNEL).data.compute(), answers.of_cells)


def warp(facts: Mapping[str, Any]) -> Work:
    """Another projection."""
    cube = memory({"dates": 1, **facts}, gaps=False)

    def run(_: int) -> Any:
        there = cube.resample_spatial(
            resolution=facts["resolution"], projection=facts["projection"], method="bilinear"
        )
        return there.data.compute()

    return Work(run, answers.of_cells)
