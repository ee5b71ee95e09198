"""Two bands of all dates into one array: rasterio with threads, and an asynchronous reader."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import rasterio

from benchmarks import answers
from benchmarks.child import CORES, Work
from benchmarks.limits.windows import Files, Place, each, opened, tiles

BANDS = ("B04", "B08")
FAR = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_HTTP_MULTIRANGE": "YES",
    "GDAL_INGESTED_BYTES_AT_OPEN": "32768",
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".tif",
}
"""Without these GDAL asks for files that are not there, and for each block by itself."""


def addressed(facts: Mapping[str, Any], number: int) -> dict[str, Any]:
    """The facts with addresses of the server, under a name that belongs to the run."""
    base = Path(facts["catalog"]).parent
    return {
        **facts,
        "folders": [f"{facts['url']}/{number}/{Path(f).relative_to(base)}" for f in facts["folders"]],
    }


def rasterio_threads(facts: Mapping[str, Any]) -> Work:
    """Windows along the blocks of the files, read by a few threads."""
    top, left, height, width = window = tuple(facts["window"])
    dates, threads = len(facts["folders"]), facts.get("threads", CORES)
    far = "url" in facts
    # Nearby a task is a block; far away it is a whole window, so that its blocks come in few requests.
    places: list[Place] = [window] if far else tiles(window)

    def fill(out: Any, files: Files, task: tuple[int, int, Place]) -> None:
        date, band, place = task
        y, x = place[0] - top, place[1] - left
        with rasterio.Env(**(FAR if far else {})):
            out[date, band, y : y + place[2], x : x + place[3]] = files.read(date, BANDS[band], place)

    def run(given: dict[str, Any]) -> Any:
        out = np.empty((dates, len(BANDS), height, width), np.uint16)
        tasks = [(d, b, p) for d in range(dates) for b in range(len(BANDS)) for p in places]
        with opened(given) as files:
            each(tasks, lambda task: fill(out, files, task), threads)
        return out

    return Work(run, answers.of_cells, lambda number: addressed(facts, number) if far else dict(facts))


def async_geotiff(facts: Mapping[str, Any]) -> Work:
    """All files at once, but no more than 24 under way."""
    from async_geotiff import GeoTIFF, Window
    from obstore.store import HTTPStore, LocalStore

    top, left, height, width = facts["window"]
    base = Path(facts["catalog"]).parent
    paths = [f"{Path(f).relative_to(base)}/{band}.tif" for f in facts["folders"] for band in BANDS]

    def store(number: int) -> Any:
        if "url" in facts:
            return HTTPStore.from_url(f"{facts['url']}/{number}", client_options={"allow_http": True})
        return LocalStore(str(base))

    async def gather(place: Any) -> Any:
        out, gate = np.empty((len(paths), height, width), np.uint16), asyncio.Semaphore(24)

        async def read(i: int) -> None:
            async with gate:
                file = await GeoTIFF.open(paths[i], store=place)
                cells = await file.read(window=Window(left, top, width, height))
                out[i] = cells.data[0]

        await asyncio.gather(*map(read, range(len(paths))))
        return out

    return Work(lambda place: asyncio.run(gather(place)), answers.of_cells, store)
