"""Which dimension of a cube plays which part, and what a writer says of a value that it cannot hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import odc.geo.xr  # noqa: F401  (gives arrays their .odc)
import shapely
import xarray as xr

from engine.errors import Problem


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
    """Read the parts off the coordinates' `type`; an untyped one counts as what it evidently holds."""
    found: dict[str, str] = {}
    others = []
    spatial = cube.odc.spatial_dims or ()
    for dim in map(str, cube.dims):
        part = _part(cube.coords.get(dim), dim, tuple(map(str, spatial)))
        if part is None or part in found:
            others.append(dim)
        else:
            found[part] = dim
    parts = (found.get(part) for part in ("temporal", "bands", "y", "x", "geometry"))
    return Axes(*parts, others=tuple(others))


def _part(coord: xr.DataArray | None, dim: str, spatial: tuple[str, ...]) -> str | None:
    attrs = {} if coord is None else coord.attrs
    match attrs.get("type"):
        case "spatial":
            axis = str(attrs.get("axis", "")).lower()
            return axis if axis in ("x", "y") else None
        case "temporal" | "bands" | "geometry" as kind:
            return str(kind)
        case None if coord is not None:
            if coord.dtype.kind == "M":
                return "temporal"
            if coord.dtype == object and coord.size and isinstance(coord.values[0], shapely.Geometry):
                return "geometry"
            if dim in spatial:
                return ("y", "x")[spatial.index(dim)]
    return None


def labels_of(cube: xr.DataArray, dim: str) -> np.ndarray:
    """The labels along a dimension; 0, 1, 2... where it has none."""
    return np.asarray(cube[dim].values)


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
    fits = ("netCDF", "Zarr")
    if axes_of(value).geometry:
        fits = ("GeoJSON", "CSV", *fits)
    elif value.dtype.kind not in "biuf":
        fits = ("JSON",)
    return " or ".join(f for f in fits if f != name)
