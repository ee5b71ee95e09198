"""Values as JSON has them: no NaN, no infinity, no-data as null, times as text, geometries as GeoJSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely
import xarray as xr

from engine.errors import Problem
from engine.write.axes import describe
from engine.write.bands import is_logical, nodata_of
from engine.write.dates import rfc3339
from engine.write.model import Stream
from engine.write.pour import whole

LARGEST = 10_000_000
"""Cells that text formats take: as text they are ten times as long, and are held at once."""


def plain(value: Any) -> Any:
    """A value as JSON, in depth."""
    if isinstance(value, np.ndarray):
        value = value.tolist() if value.dtype.kind not in "mM" else list(value)
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in value]
    return scalar(value)


def scalar(value: Any) -> Any:
    """One value as JSON."""
    if isinstance(value, np.generic) and not isinstance(value, np.datetime64 | np.timedelta64):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, shapely.Geometry):
        return json.loads(shapely.to_geojson(value))
    moment = rfc3339(value)
    return str(value) if moment is None and not _is_nat(value) else moment


def holds_non_finite(value: Any) -> bool:
    """Whether somewhere in it there is a number that JSON does not have."""
    if isinstance(value, Mapping):
        return any(map(holds_non_finite, value.values()))
    if isinstance(value, np.ndarray):
        return value.dtype.kind == "f" and not np.isfinite(value).all()
    if isinstance(value, list | tuple | set | frozenset):
        return any(map(holds_non_finite, value))
    return isinstance(value, float | np.floating) and not math.isfinite(value)


def cells_of(cube: xr.DataArray, stream: Stream, name: str) -> np.ndarray:
    """All cells of a cube that is small enough for text, in its own type."""
    if cube.size > LARGEST:
        raise Problem(
            "FormatUnsuitable",
            f"{name} takes up to {LARGEST:,} cells, and this is {describe(cube)}: {cube.size:,} cells.",
            hint="Use netCDF or Zarr, or aggregate the cube first.",
            facts={"format": name, "cells": int(cube.size), "limit": LARGEST},
        )
    if cube.dtype.kind == "c":
        raise Problem(
            "FormatUnsuitable",
            f"{name} has no complex numbers, and this cube holds {cube.dtype}.",
            hint="Take the absolute value, or another real part, first.",
        )
    return whole(stream, cube)


def listed(cells: np.ndarray, cube: xr.DataArray) -> list[Any]:
    """Cells in one dimension as JSON values: no-data and what is not finite are null, logical are booleans."""
    if cells.dtype.kind in "OUSmM":
        return [scalar(value) for value in cells]
    nodata = nodata_of(cube)
    values: list[Any] = (cells == 1).tolist() if is_logical(cube) else cells.tolist()
    missing = ~np.isfinite(cells) if cells.dtype.kind == "f" else cells == nodata
    for place in np.flatnonzero(missing) if nodata is not None else ():
        values[place] = None
    return values


def _is_nat(value: Any) -> bool:
    return isinstance(value, np.datetime64 | np.timedelta64) and bool(np.isnat(value))
