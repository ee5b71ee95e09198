"""Gives an array the coordinates and attributes that make it a cube."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import xarray as xr
from odc.geo.geobox import GeoBox

from engine.load.model import Band
from processes.cubes.places import coordinates

DIMS = ("t", "bands", "y", "x")


def make_cube(
    data: Any, times: Sequence[datetime], bands: Sequence[Band], grid: GeoBox, nodata: float | None
) -> xr.DataArray:
    """A cube (t, bands, y, x) of an array of that shape."""
    coords: dict[Any, Any] = {
        "t": time_coordinate(np.array(times, dtype="datetime64[ns]")),
        "bands": bands_coordinate(bands),
        **coordinates(grid),
    }
    attrs: dict[str, Any] = {} if nodata is None else {"nodata": nodata}
    cube = xr.DataArray(data, dims=DIMS, coords=coords, attrs=attrs)
    cube.name = None
    cube.encoding["grid_mapping"] = "spatial_ref"
    return cube


def time_coordinate(times: np.ndarray) -> xr.Variable:
    """The time labels."""
    return xr.Variable(("t",), times, attrs={"type": "temporal"})


def bands_coordinate(bands: Sequence[Band]) -> xr.Variable:
    """The band labels, with what is known of each band."""
    names = np.array([band.name for band in bands])
    return xr.Variable(("bands",), names, attrs={"type": "bands", "bands": [band.json() for band in bands]})
