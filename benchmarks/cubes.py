"""Cubes in memory, the same numbers in every process: smooth, with noise, and with gaps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.scenes import CELL, CRS, STEP, bounds, moment

SEED = 7


def cells(dates: int, edge: int, *, gaps: bool = True) -> NDArray[np.float32]:
    """Numbers from about 0 to 1, (t, y, x); NaN in about a fifth of them, in patches."""
    rng = np.random.default_rng(SEED)
    y, x = np.ogrid[:edge, :edge]
    wave = (0.45 + 0.2 * np.sin(x / 37) * np.cos(y / 53)).astype(np.float32)
    out = np.empty((dates, edge, edge), np.float32)
    for i in range(dates):
        np.multiply(wave, np.float32(0.7 + 0.3 * np.sin(i / 3)), out=out[i])
        out[i] += rng.random((edge, edge), dtype=np.float32) * np.float32(0.1)
        if gaps:
            out[i][np.sin(x / 61 + 1.7 * i) * np.sin(y / 47 - i) > 0.45] = np.nan
    return out


def labelled(values: NDArray[Any], names: tuple[str, ...] = ("t", "y", "x")) -> Any:
    """An array as a cube of xarray, on the grid of the scenes."""
    import pandas as pd
    import rioxarray  # noqa: F401 (registers .rio)
    import xarray as xr

    *_, height, width = values.shape
    west, south, east, north = bounds(0, 0, width, height)
    t, y, x = names
    coords: dict[str, Any] = {
        y: np.arange(north - CELL / 2, south, -CELL, dtype=np.float64),
        x: np.arange(west + CELL / 2, east, CELL, dtype=np.float64),
    }
    if values.ndim == 3:
        times = pd.date_range(moment(0).replace(tzinfo=None), periods=len(values), freq=STEP)
        coords[t] = times.astype("datetime64[ns]")
    cube = xr.DataArray(values, dims=names[-values.ndim :], coords=coords, name="cells")
    cube = cube.rio.write_crs(CRS).rio.set_spatial_dims(x, y)
    place = {"type": "spatial", "reference_system": int(CRS.removeprefix("EPSG:"))}
    cube[x].attrs, cube[y].attrs = {**place, "axis": "x"}, {**place, "axis": "y"}
    return cube
