"""The sample collection on disk: twelve scenes rendered, written and catalogued."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from engine.demo.cogs import write_cog, write_thumbnail
from engine.demo.landscape import make_landscape
from engine.demo.render import Pixels, render
from engine.demo.sky import WEATHER, Weather
from engine.demo.stac import COLLECTION, make_item, write_catalog
from engine.demo.terrain import FULL
from engine.errors import Problem

LEAST, MOST = 64, 4000
"""Cells along an edge between which the landscape works out."""
SEEDS = 2**31


def make_scenes(
    folder: Path,
    *,
    seed: int = 2022,
    size: int = FULL,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write the sample collection into `folder` and give the path of its `catalog.json`.

    The same seed gives the same pixels. A smaller `size` (cells of 10 m along an edge, even) gives a smaller
    landscape from the same upper left corner. `progress` is told (scenes done, scenes in all).
    """
    _check(seed, size)
    landscape = make_landscape(seed, size)
    items = []
    for done, weather in enumerate(WEATHER, start=1):
        pixels = render(seed, landscape, weather)
        item = make_item(weather, pixels, size)
        _write(folder / COLLECTION / item.id, pixels, weather)
        items.append(item)
        if progress:
            progress(done, len(WEATHER))
    return write_catalog(folder, items, size)


def _write(folder: Path, pixels: Pixels, weather: Weather) -> None:
    """Write the files of one scene."""
    for band, numbers in pixels.bands.items():
        write_cog(folder / f"{band}.tif", numbers, cell=10, name=band, time=weather.time)
    write_cog(folder / "SCL.tif", pixels.classes, cell=20, name="SCL", time=weather.time)
    write_thumbnail(folder / "thumbnail.png", pixels.bands)


def _check(seed: int, size: int) -> None:
    if size % 2 or not LEAST <= size <= MOST:
        raise Problem(
            "ProcessParameterInvalid",
            f"The sample scenes cannot be {size} cells wide: an even number from {LEAST} to {MOST} is expected.",
            hint=f"Leave the size out for {FULL} cells (10 km).",
            facts={"size": size, "least": LEAST, "most": MOST},
        )
    if not 0 <= seed < SEEDS:
        raise Problem(
            "ProcessParameterInvalid",
            f"The seed {seed} is out of range: a whole number from 0 to {SEEDS - 1} is expected.",
            hint="Leave the seed out for the landscape of the documentation.",
            facts={"seed": seed},
        )
