"""Gives an array the coordinates and attributes that make it a cube."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import xarray as xr
from odc.geo.geobox import GeoBox

from engine.load.model import Band
from processes.cubes.assembly import Labels, labels_along
from processes.cubes.places import grid_labels

DIMS = ("t", "bands", "y", "x")


def make_cube(
    data: Any, times: Sequence[datetime], bands: Sequence[Band], grid: GeoBox, nodata: float | None
) -> xr.DataArray:
    """A cube (t, bands, y, x) of an array of that shape."""
    moments = labels_along("t", np.array(times, dtype="datetime64[ns]"), {"type": "temporal"})
    labels = moments | bands_labels(bands) | grid_labels(grid)
    cube = labels.cube(data, DIMS, {} if nodata is None else {"nodata": nodata})
    cube.encoding["grid_mapping"] = "spatial_ref"
    return cube


def bands_labels(bands: Sequence[Band]) -> Labels:
    """The band labels, with what is known of each band."""
    names = np.array([band.name for band in bands])
    return labels_along("bands", names, {"type": "bands", "bands": [band.json() for band in bands]})
