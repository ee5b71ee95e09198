"""How large the tasks are: as they are meant, or short for a first look and for CI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.scenes import BLOCK, CRS, Recipe, bounds, moment, scene_name


@dataclass(frozen=True)
class Scale:
    """Sizes of all tasks."""

    recipe: Recipe
    """The scenes."""
    window: int
    """Edge of the window that most tasks look at, in cells; a multiple of the files' blocks."""
    dates: int
    """Dates that most tasks look at."""
    stack: int
    """Edge of the cubes that are given in memory."""
    warp: int
    """Edge of the picture that is warped."""
    areas: tuple[int, ...]
    """Edges of windows, each twice the one before."""
    spans: tuple[int, ...]
    """Numbers of dates to grow by."""
    polygons: int
    """Polygons to tell of."""
    nodes: tuple[int, ...]
    """Sizes of graphs."""
    items: int
    """Items of a catalogue."""

    def scenes(self, place: Path, edge: int = 0, dates: int = 0) -> Mapping[str, Any]:
        """What engines and scripts are told of the scenes: the middle of the tile, as a window and as a box."""
        edge, dates = edge or self.window, dates or self.dates
        start = max(0, (self.recipe.edge - edge) // 2 // BLOCK * BLOCK)
        return {
            "catalog": str(place / "catalog.json"),
            "folders": [str(place / "S2" / scene_name(i)) for i in range(dates)],
            "window": [start, start, edge, edge],
            "box": bounds(start, start, edge, edge),
            "crs": int(CRS.removeprefix("EPSG:")),
            "time": [f"{moment(0):%Y-%m-%d}", f"{moment(dates):%Y-%m-%d}"],
        }


FULL = Scale(
    Recipe(), window=2048, dates=12, stack=2048, warp=4096, areas=(1372, 2744, 5488), spans=(6, 12, 24),
    polygons=500, nodes=(100, 1_000, 5_000, 20_000), items=100_000,
)  # fmt: skip
SHORT = Scale(
    Recipe(1100, 6), window=512, dates=6, stack=256, warp=512, areas=(256, 512), spans=(3,),
    polygons=50, nodes=(100, 1_000), items=10_000,
)  # fmt: skip
