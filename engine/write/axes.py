"""Which dimension of a cube plays which part, and what a writer says of a value that it cannot hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
import xarray as xr

from engine.errors import Problem
from processes.cubes.axes import stored

CF_NAMES = {
    "projection_x_coordinate": "x",
    "longitude": "x",
    "projection_y_coordinate": "y",
    "latitude": "y",
}
"""Standard names of CF for the spatial axes."""


@dataclass(frozen=True)
class Axes:
    """The dimensions of a cube by their part; None where it has none of that kind."""

    time: str | None
    """The first temporal dimension."""
    bands: str | None
    """The dimension of bands."""
    y: str | None
    """Rows."""
    x: str | None
    """Columns."""
    geometry: str | None
    """The dimension of a vector cube that holds shapely geometries."""
    others: tuple[str, ...]
    """All that is none of these."""


def axes_of(cube: xr.DataArray) -> Axes:
    """Read the parts off the coordinates' `type`; an untyped one counts as what it evidently holds.

    Evident are times, geometries, and what CF attributes call x or y; never a name.
    """
    found: dict[str, str] = {}
    others = []
    for dim in map(str, cube.dims):
        part = _part(cube.coords.variables[dim]) if dim in cube.coords else None
        if part is None or part in found:
            others.append(dim)
        else:
            found[part] = dim
    get = found.get
    return Axes(get("temporal"), get("bands"), get("y"), get("x"), get("geometry"), tuple(others))


def _part(coord: xr.Variable) -> str | None:
    axis = str(coord.attrs.get("axis", "")).lower()
    spatial = axis if axis in ("x", "y") else None
    match coord.attrs.get("type"):
        case "spatial":
            return spatial
        case "temporal" | "bands" | "geometry" as kind:
            return str(kind)
        case None:
            if coord.dtype.kind == "M":
                return "temporal"
            if coord.dtype == object and isinstance(coord.values[0], shapely.Geometry):
                return "geometry"
            return spatial or CF_NAMES.get(str(coord.attrs.get("standard_name")))
    return None


def labels_of(cube: xr.DataArray, dim: str) -> np.ndarray:
    """The labels along a dimension; 0, 1, 2... where it has none."""
    return stored(cube, dim)


def describe(value: Any) -> str:
    """A value in words, for messages: `a cube of t=3, y=20, x=30`."""
    if isinstance(value, xr.DataArray):
        sizes = ", ".join(f"{dim}={size}" for dim, size in value.sizes.items())
        return f"a cube of {sizes}" if sizes else "a cube without dimensions"
    return "null" if value is None else f"a value of type {type(value).__name__}"


def unsuitable(name: str, value: Any, reason: str) -> Problem:
    """The refusal of format `name`; `reason` says what it takes."""
    return Problem(
        "FormatUnsuitable",
        f"{name} cannot hold {describe(value)}: {reason}.",
        hint=f"{_would_do(value, name)} would do.",
        facts={"format": name, "dimensions": _sizes(value)},
    )


def _sizes(value: Any) -> dict[str, int]:
    return {str(d): n for d, n in value.sizes.items()} if isinstance(value, xr.DataArray) else {}


def _would_do(value: Any, name: str) -> str:
    if not isinstance(value, xr.DataArray) or value.ndim == 0:
        return "JSON"
    fits: tuple[str, ...] = ("netCDF", "Zarr")
    if axes_of(value).geometry:
        fits = ("GeoJSON", "CSV", *fits)
    elif value.dtype.kind not in "biuf":
        fits = ("JSON",)
    return " or ".join(f for f in fits if f != name)


def refuse_empty(value: Any) -> None:
    """Refuse a cube without cells."""
    if isinstance(value, xr.DataArray) and 0 in value.shape:
        raise Problem(
            "DataCubeEmpty",
            f"There is nothing to write: {describe(value)}.",
            hint="Widen the extents or filters that left no data.",
        )
