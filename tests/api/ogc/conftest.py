"""A server over coverages whose cells are known, for clients that others wrote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from api.auth.passwords import hashed
from engine import Backend, Settings, User
from engine.catalog import Catalog
from tests.api.conftest import Served, serving

RASTERS = {
    "degrees": ("EPSG:4326", (5.0, 50.0), 0.01, (300, 400), 0.0),
    "metres": ("EPSG:32632", (500000.0, 5200000.0), 20.0, (600, 700), -9999.0),
    "small": ("EPSG:4326", (10.0, 48.0), 1.0, (3, 4), -1.0),
    "whole": ("EPSG:4326", (-180.0, 90.0), 10.0, (18, 36), -1.0),
}
"""Collections: reference system, upper left corner, width of a cell, rows and columns, what stands for no-data."""


GRIDS = {1: 10.0, 2: 20.0}
"""Days of the collection `grids`, and the widths of its cells on each."""


def on_two_grids(folder: Path) -> Path:
    """Two days of one place, on cells of different widths; all cells of a day hold its number."""
    folder.mkdir()
    for day, width in GRIDS.items():
        count = int(400 / width)
        with rasterio.open(
            folder / f"g_2022-06-0{day}.tif", "w", driver="GTiff", height=count, width=count, count=1, dtype="uint8",
            crs="EPSG:32632", transform=from_origin(500000.0, 5000000.0, width, width),
        ) as file:  # fmt: skip
            file.write(np.full((1, count, count), day, "uint8"))
    return folder


def written(folder: Path, name: str) -> Path:
    """A raster of two bands of float32 that differ in each cell, with overviews and a hole."""
    crs, corner, width, shape, nodata = RASTERS[name]
    rows, columns = np.indices(shape)
    cells = np.stack([np.sin(rows / 7.0) + columns / 3.0, rows - columns / 9.0]).astype("float32") + 500
    cells[:, shape[0] // 2, : shape[1] // 4] = nodata
    folder.mkdir()
    path = folder / f"{name}_2022-06-01.tif"
    with rasterio.open(
        path, "w", driver="GTiff", height=shape[0], width=shape[1], count=2, dtype="float32", nodata=nodata, crs=crs,
        transform=from_origin(*corner, width, width), tiled=True, blockxsize=128, blockysize=128,
    ) as file:  # fmt: skip
        file.write(cells)
        file.descriptions = ("warm", "wet")
    with rasterio.open(path, "r+") as file:
        file.build_overviews([2, 4], rasterio.enums.Resampling.average)
    return path


@pytest.fixture(scope="session")
def rasters(tmp_path_factory) -> dict[str, Path]:
    """The rasters, by the collections that they make."""
    folder = tmp_path_factory.mktemp("rasters")
    return {name: written(folder / name, name) for name in RASTERS}


@pytest.fixture(scope="session")
def published(rasters, tmp_path_factory, answers_checked) -> Iterator[Served]:
    """A server over these collections, with the user ada."""
    home = tmp_path_factory.mktemp("published")
    catalog = Catalog(home / "catalog.sqlite")
    for name, path in rasters.items():
        catalog.add(path.parent, collection=name)
    catalog.add(on_two_grids(home / "grids"), collection="grids")
    catalog.close()
    backend = Backend(Settings(home=home / "home", catalog=home / "catalog.sqlite", job_slots=0))
    backend.store.users.put(User("ada"), hashed("ada"))
    with serving(backend, answers_checked) as served:
        yield served
