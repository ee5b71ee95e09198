"""Coverages of small catalogues."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from coverage_of import Coverage, opened
from engine import Settings
from engine.catalog import Catalog
from engine.demo import make_scenes
from engine.service import Engine


def stepped(folder: Path) -> None:
    """A raster of 256 x 256 cells of 2, whose overviews are of 1: what is read can be told."""
    folder.mkdir()
    with rasterio.open(
        folder / "a_2022-06-01.tif", "w", driver="GTiff", width=256, height=256, count=1, dtype="uint8",
        crs="EPSG:32632", transform=from_origin(500000, 5000000, 10, 10), tiled=True, blockxsize=16, blockysize=16,
    ) as file:  # fmt: skip
        file.write(np.ones((1, 256, 256), "uint8"))
    with rasterio.open(folder / "a_2022-06-01.tif", "r+") as file:
        file.build_overviews([2, 4, 8, 16])
    with rasterio.open(folder / "a_2022-06-01.tif", "r+") as file:
        file.write(np.full((1, 256, 256), 2, "uint8"))


@pytest.fixture(scope="session")
def engine(tmp_path_factory) -> Iterator[Engine]:
    """An engine over scenes in metres, and a map of the world in cells of 10 degrees."""
    folder = tmp_path_factory.mktemp("coverages")
    (folder / "world").mkdir()
    cells = np.arange(1, 18 * 36 + 1, dtype="uint16").reshape(18, 36)
    for day in (1, 2):
        with rasterio.open(
            folder / "world" / f"world_2022-06-0{day}.tif", "w", driver="GTiff", width=36, height=18, count=1,
            dtype="uint16", crs="EPSG:4326", transform=from_origin(-180, 90, 10, 10), nodata=0,
        ) as file:  # fmt: skip
            file.write(cells * day, 1)
    stepped(folder / "stepped")
    catalog = Catalog(folder / "catalog.sqlite")
    catalog.add(folder / "stepped", collection="stepped")
    catalog.add(make_scenes(folder / "scenes", size=64))
    catalog.add(folder / "world", collection="world")
    catalog.close()
    with Engine(Settings(home=folder / "home", catalog=folder / "catalog.sqlite")) as engine:
        yield engine


@pytest.fixture(scope="session")
def scenes(engine) -> Coverage:
    """Scenes of 64 x 64 cells of 10 m."""
    return opened(engine, "S2")


@pytest.fixture(scope="session")
def steps(engine) -> Coverage:
    """Cells whose overviews hold other numbers."""
    return opened(engine, "stepped")


@pytest.fixture(scope="session")
def world(engine) -> Coverage:
    """The world, twice."""
    return opened(engine, "world")
