"""The domain of a lazy cube; no cell is read."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from engine.domain.model import Axis, Domain, Field, Role, names_of
from engine.domain.reference import Reference
from engine.errors import Problem
from processes.cubes import axes as dims
from processes.cubes import places

EVEN = 0.01
"""How far, in cells, a coordinate may be from an even spacing."""
KINDS: dict[str, Role] = {"temporal": "time"}
SPATIAL: tuple[Role, ...] = ("x", "y", "z")


def domain_of(cube: Any) -> Domain:
    """Axes and fields of a cube.

    Raises:
        Problem: It is no cube of cells.
    """
    if not isinstance(cube, xr.DataArray) or dims.of_kind(cube, "geometry"):
        raise Problem("FormatUnsuitable", "this is no coverage: it has no cells", hint="Ask for its items.")
    crs = places.crs_text_of(cube)
    reference = None if crs is None else Reference(crs)
    found = dims.of_kind(cube, "bands")
    bands = found[0] if found else None
    axes = tuple(axis_of(cube, str(dim), reference) for dim in cube.dims if dim != bands)
    nodata = cube.attrs.get("nodata")
    dtype = np.dtype("uint8") if cube.dtype.kind == "b" else cube.dtype
    return Domain(reference, axes, fields_of(cube, bands), bands, dtype.name, nodata)


def fields_of(cube: xr.DataArray, bands: str | None) -> tuple[Field, ...]:
    """The bands of a cube; without such a dimension one."""
    if bands is None:
        return (Field(str(cube.name or "data")),)
    return tuple(
        Field(
            str(band["name"]),
            str(band.get("unit") or ""),
            str(band.get("common_name") or ""),
            band.get("scale"),
            band.get("offset"),
            (band.get("data_type"), band.get("nodata")) == (cube.dtype.name, cube.attrs.get("nodata")),
        )
        for band in dims.band_metadata(cube)
    )


def axis_of(cube: xr.DataArray, dim: str, reference: Reference | None) -> Axis:
    """One dimension as an axis."""
    kind = dims.kind(cube, dim)
    role: Role = KINDS.get(kind, "other")
    for name in SPATIAL:
        if dims.axis(cube, name) == dim:
            role = name
    count = cube.sizes[dim]
    east, north = names_of(reference)
    label = {"x": east, "y": north, "z": "h", "time": "time"}.get(role, dim)
    if role in ("x", "y"):
        unit = "degree" if reference is None or reference.is_geographic else reference.unit
        even = even_spacing(dims.stored(cube, dim).astype(float), cube, dim)
        if even is not None:
            return Axis(dim, label, role, count, even[0], even[1], unit=unit)
        return Axis(dim, label, role, count, labels=dims.labels(cube, dim), unit=unit)
    told = dims.facts(cube, dim)
    unit = "ISO8601" if role == "time" else str(told.get("units") or told.get("unit") or "1")
    return Axis(dim, label, role, count, labels=dims.labels(cube, dim), unit=unit)


def even_spacing(values: np.ndarray, cube: xr.DataArray, dim: str) -> tuple[float, float] | None:
    """The first centre and the step; none where cells are not evenly spaced, or nobody knows how wide one is."""
    if len(values) < 2:
        known = dims.facts(cube, dim).get("resolution")
        return (float(values[0]), float(known)) if known and len(values) else None
    step = float(values[-1] - values[0]) / (len(values) - 1)
    even = values[0] + step * np.arange(len(values))
    if step and np.abs(values - even).max() <= EVEN * abs(step):
        return float(values[0]), step
    return None
