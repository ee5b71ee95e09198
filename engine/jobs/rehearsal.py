"""A rehearsal: a small run by which a process that waits gets into its memory what runs touch.

A forked process shares its memory with the one that it was forked off until either writes to it, and Python writes
wherever it looks. The copies of its first run take longer than the run itself.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import from_origin

from engine.catalog import Catalog
from engine.jobs.belongings import Belongings
from engine.jobs.runner import catalog_at, perform
from engine.jobs.task import Task
from engine.settings import Settings

EDGE, CELL = 256, 20
GRAPH = {
    "load": {
        "process_id": "load_collection",
        "arguments": {"id": "scenes", "spatial_extent": None, "temporal_extent": None},
    },
    "coarser": {
        "process_id": "resample_spatial",
        "arguments": {"data": {"from_node": "load"}, "resolution": 4 * CELL, "method": "average"},
    },
    "save": {
        "process_id": "save_result",
        "arguments": {"data": {"from_node": "coarser"}, "format": "PNG"},
        "result": True,
    },
}


def rehearse() -> None:
    """Make a scene, and draw it from afar."""
    with tempfile.TemporaryDirectory(prefix="gdc-") as name:
        home = Path(name)
        settings = Settings(home=home, catalog=str(home / "catalog.sqlite"), cluster="threads")
        make_scene(home / "scenes" / "scene_20220105.tif")
        catalog = Catalog(settings.catalog_place)
        catalog.add(home / "scenes", collection="scenes")
        catalog.close()
        perform(Task("run", GRAPH, settings, Belongings({}), home / "out", lasting=False), lambda _: None)
        catalog_at.cache_clear()


def make_scene(place: Path) -> None:
    """A gradient with an overview, as a GeoTIFF."""
    place.parent.mkdir()
    shape = {"width": EDGE, "height": EDGE, "count": 1, "dtype": "uint16", "nodata": 0}
    where = {"crs": "EPSG:32632", "transform": from_origin(600_000, 5_200_020, CELL, CELL)}
    tiles = {"tiled": True, "blockxsize": 128, "blockysize": 128, "compress": "deflate"}
    with rasterio.open(place, "w", driver="GTiff", **shape, **where, **tiles) as file:
        file.write(np.arange(1, EDGE * EDGE + 1, dtype="uint16").reshape(1, EDGE, EDGE))
        file.build_overviews([2])
