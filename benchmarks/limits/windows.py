"""Reads windows of many files with a few threads, and writes a raster: the least that each task costs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window

from benchmarks.child import CORES
from benchmarks.scenes import BLOCK

Place = tuple[int, int, int, int]
"""Top, left, height and width of a window of cells."""


@dataclass
class Files:
    """Open files, one handle for each thread."""

    folders: list[str]
    """Folders of the scenes."""
    opened: threading.local = field(default_factory=threading.local)
    """Handles of this thread."""
    everything: list[Any] = field(default_factory=list)
    """All handles."""

    def read(self, date: int, band: str, place: Place) -> NDArray[Any]:
        """The cells of a window."""
        handles = self.opened.__dict__
        key = f"{date} {band}"
        if key not in handles:
            handles[key] = rasterio.open(f"{self.folders[date]}/{band}.tif", driver="GTiff")
            self.everything.append(handles[key])
        top, left, height, width = place
        cells: NDArray[Any] = handles[key].read(1, window=Window(left, top, width, height))
        return cells


@contextmanager
def opened(facts: Mapping[str, Any]) -> Iterator[Files]:
    """The scenes of a task; closed afterwards, so that no decoded block outlives a run."""
    files = Files(list(facts["folders"]))
    try:
        yield files
    finally:
        for handle in files.everything:
            handle.close()


def tiles(window: Place, edge: int = BLOCK) -> list[Place]:
    """A window cut along the blocks of the files."""
    top, left, height, width = window
    return [
        (y, x, min(edge - y % edge, top + height - y), min(edge - x % edge, left + width - x))
        for y in cuts(top, top + height, edge)
        for x in cuts(left, left + width, edge)
    ]


def cuts(start: int, stop: int, edge: int) -> list[int]:
    """Where an axis is cut: its start, and every multiple of `edge` after it."""
    return [start, *range((start // edge + 1) * edge, stop, edge)]


def each(places: list[Any], do: Callable[[Any], Any], threads: int = CORES) -> list[Any]:
    """Do something for each place, a few at a time."""
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(do, places))


def write_tiff(path: Path, cells: NDArray[Any], crs: str, transform: Any, **options: Any) -> Path:
    """A tiled GeoTIFF with the compression that costs least."""
    profile = {
        "driver": "GTiff", "count": 1, "height": cells.shape[0], "width": cells.shape[1], "dtype": cells.dtype,
        "crs": crs, "transform": transform, "nodata": float("nan"), "tiled": True, "blockxsize": BLOCK,
        "blockysize": BLOCK, "compress": "zstd", "zstd_level": 1, "predictor": 3, "num_threads": CORES,
    }  # fmt: skip
    with rasterio.open(path, "w", **profile | options) as file:
        file.write(cells, 1)
    return path
