"""What the variables of a NetCDF or Zarr dataset mean: which dimensions are time, x and y, and in which CRS."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pyproj
import xarray as xr
from odc.geo.crs import CRS
from pyproj.exceptions import CRSError

USUAL_NAMES = {
    "t": ("t", "time", "times", "date", "datetime", "valid_time"),
    "x": ("x", "lon", "long", "longitude", "easting", "rlon", "xc"),
    "y": ("y", "lat", "latitude", "northing", "rlat", "yc"),
}
STANDARD_NAMES = {
    "t": ("time",),
    "x": ("longitude", "projection_x_coordinate", "grid_longitude"),
    "y": ("latitude", "projection_y_coordinate", "grid_latitude"),
}
EAST = ("degrees_east", "degree_east", "degrees_e", "degree_e")
NORTH = ("degrees_north", "degree_north", "degrees_n", "degree_n")


def roles(dataset: xr.Dataset) -> dict[Hashable, str]:
    """`t`, `x`, `y` or `z` for the dimensions that are these; attributes go before names."""
    found: dict[Hashable, str] = {}
    for judge in (_by_attributes, _by_name):
        for dim in dataset.sizes:
            role = None if dim in found else judge(dataset, dim)
            if role is not None and role not in found.values():
                found[dim] = role
    return found


def _by_attributes(dataset: xr.Dataset, dim: Hashable) -> str | None:
    if dim not in dataset.variables or dataset[dim].dims != (dim,):
        return None
    variable = dataset[dim].variable
    told = {key: str(value).lower() for key, value in variable.attrs.items()}
    if is_time(variable):
        return "t"
    for role, names in STANDARD_NAMES.items():
        if told.get("standard_name") in names and role != "t":
            return role
    if told.get("units") in EAST:
        return "x"
    if told.get("units") in NORTH:
        return "y"
    if told.get("axis") in ("x", "y"):
        return told["axis"]
    return "z" if told.get("positive") in ("up", "down") else None


def is_time(variable: xr.Variable) -> bool:
    """Whether the values are dates, of any calendar."""
    if np.issubdtype(variable.dtype, np.datetime64):
        return True
    return variable.dtype == object and variable.size > 0 and hasattr(variable.values.flat[0], "calendar")


def _by_name(_: xr.Dataset, dim: Hashable) -> str | None:
    return next((role for role, names in USUAL_NAMES.items() if str(dim).lower() in names), None)


def crs_of_variable(dataset: xr.Dataset, name: Hashable, x: Hashable) -> CRS | None:
    """The CRS of a variable: its grid mapping, else the only one there is, else longitudes mean EPSG:4326."""
    variable = dataset[name].variable
    mapping = variable.attrs.get("grid_mapping") or variable.encoding.get("grid_mapping")
    if isinstance(mapping, str):
        mapping = mapping.split(":")[0].strip()  # "crs: x y" names the coordinates too
    for candidate in (mapping, "spatial_ref", "crs"):
        if candidate in dataset.variables and (crs := _from_mapping(dataset[candidate].attrs)) is not None:
            return crs
    return CRS("EPSG:4326") if _is_longitude(dataset, x) else None


def _from_mapping(told: Mapping[str, Any]) -> CRS | None:
    for key in ("crs_wkt", "spatial_ref"):
        if told.get(key):
            return _known(pyproj.CRS.from_user_input(str(told[key])))
    if "grid_mapping_name" not in told:
        return None
    try:
        return _known(pyproj.CRS.from_cf(dict(told)))
    except (CRSError, KeyError):
        return None


def _known(crs: pyproj.CRS) -> CRS:
    """The CRS under its EPSG code if it surely has one."""
    code = crs.to_epsg(min_confidence=90)
    return CRS(f"EPSG:{code}" if code is not None else crs.to_wkt())


def _is_longitude(dataset: xr.Dataset, x: Hashable) -> bool:
    if x not in dataset.variables:
        return False
    told = dataset[x].attrs
    if (
        str(told.get("units", "")).lower() in EAST
        or str(told.get("standard_name", "")).lower() == "longitude"
    ):
        return True
    return str(x).lower() in ("lon", "long", "longitude")
