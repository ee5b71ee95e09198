"""The STAC asset of a result that is one file or store of CF variables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import Problem
from engine.write.axes import axes_of
from engine.write.cf import Layout
from engine.write.grid import crs_of, grid_of
from engine.write.model import Asset, Task
from engine.write.stac_fields import projection, reference_system
from engine.write.tally import Tally


class CfTallies:
    """Statistics of each variable."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        """What is counted."""
        self.tallies = [Tally(layout.nodata) for _ in layout.variables]
        """One for each variable."""

    def add(self, number: int, cells: np.ndarray) -> None:
        """Count a block of variable `number` in."""
        self.tallies[number].add(cells)

    def bands(self) -> list[dict[str, Any]]:
        """The STAC `bands` list."""
        layout = self.layout
        return [
            {**variable.band.stac(layout.dtype, layout.nodata), "statistics": tally.stac()}
            for variable, tally in zip(layout.variables, self.tallies, strict=True)
        ]


def cf_asset(task: Task, layout: Layout, tallies: CfTallies, href: Path, media_type: str) -> Asset:
    """The asset, with the grid where there is an even one and else at least the CRS."""
    cube = task.value
    axes = axes_of(cube)
    try:
        place = projection(grid_of(cube, axes, "CF"))
    except Problem:
        place = reference_system(crs_of(cube, axes))
    fields = {"title": str(layout.attrs["title"]), **place, "bands": tallies.bands()}
    return Asset(href, media_type, ("data",), fields)
