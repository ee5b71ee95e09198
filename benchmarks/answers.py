"""A result in a few numbers, so that contenders can be compared: how many cells, their mean, their spread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def of_cells(cells: Any) -> Mapping[str, float]:
    """The numbers of an array; NaN is no cell."""
    import numpy as np

    values = np.asarray(cells)
    values = values[np.isfinite(values)].astype(np.float64)
    if not values.size:
        return {"cells": 0.0}
    return {"cells": values.size, "mean": values.mean(), "spread": values.std()}


def of_raster(path: Any) -> Mapping[str, float]:
    """The numbers of a raster file's first band."""
    import numpy as np
    import rasterio

    with rasterio.open(path) as file:
        return of_cells(file.read(1, masked=True).astype(np.float64).filled(np.nan))


def of_picture(png: bytes) -> Mapping[str, float]:
    """The numbers of a picture: its first channel where it is opaque."""
    import numpy as np
    from rasterio.io import MemoryFile

    with MemoryFile(png) as memory, memory.open(driver="PNG") as file:
        levels = file.read(1).astype(np.float64)
        opaque = file.read(file.count) > 0 if file.count in (2, 4) else True
    return of_cells(np.where(opaque, levels, np.nan))
