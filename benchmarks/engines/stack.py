"""odc-stac, stackstac and xarray, as one would write it by hand."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import answers
from benchmarks.child import Work
from benchmarks.engines.items import items
from benchmarks.scenes import CLEAR, CRS


def opened(found: list[Any], facts: Mapping[str, Any], bands: list[str], **options: Any) -> Any:
    """A dataset of the box of a task."""
    import odc.stac

    west, south, east, north = facts["box"]
    return odc.stac.load(
        found, bands=bands, crs=CRS, resolution=20, x=(west, east), y=(south, north), **options
    )


def composite(facts: Mapping[str, Any]) -> Work:
    """Masked NDVI, reduced over time; in chunks, lazily, with dask."""
    import rioxarray  # noqa: F401 (registers .rio)

    found, target = items(facts), Path(tempfile.mkdtemp()) / "result.tif"
    low, high = CLEAR

    def run(_: int) -> Path:
        loaded = opened(found, facts, ["B04", "B08", "SCL"], chunks={"x": 1024, "y": 1024})
        clear = loaded.SCL.clip(low, high) == loaded.SCL
        red, nir = (b.astype("float32").where(clear & (b != 0)) for b in (loaded.B04, loaded.B08))
        ndvi = ((nir - red) / (nir + red)).chunk(time=-1)
        # The attributes still say that 0 is no-data, which it is not for NDVI.
        season = getattr(ndvi, facts["reducer"])("time").drop_attrs().rio.write_crs(CRS)
        if facts.get("projection"):
            season = season.compute().rio.reproject(facts["projection"], resolution=facts["resolution"])
        season.rio.to_raster(target)
        return target

    return Work(run, answers.of_raster)


def loaded(facts: Mapping[str, Any]) -> Work:
    """Two bands in memory, by odc-stac: at once with a few threads, or in chunks with dask."""
    import odc.stac

    chunk, threads = facts.get("chunk"), facts.get("threads", 2)
    found = items(facts)
    odc.stac.configure_rio(cloud_defaults=True)

    def before(number: int) -> list[Any]:
        return items(facts, f"{facts['url']}/{number}") if "url" in facts else found

    def run(found: list[Any]) -> Any:
        if chunk is None:
            return opened(found, facts, ["B04", "B08"], pool=threads)
        return opened(found, facts, ["B04", "B08"], chunks={"x": chunk, "y": chunk}).compute()

    return Work(run, lambda data: answers.of_cells(data.to_dataarray().values), before)


def stackstac(facts: Mapping[str, Any]) -> Work:
    """Two bands in memory, by stackstac."""
    import numpy as np
    import stackstac

    found = items(facts)

    def run(_: int) -> Any:
        stack = stackstac.stack(
            found, assets=["B04", "B08"], bounds=facts["box"], resolution=20, epsg=facts["crs"], chunksize=1024,
            dtype="uint16", fill_value=np.uint16(0), rescale=False,
        )  # fmt: skip
        return stack.compute()

    return Work(run, lambda data: answers.of_cells(data.values))
