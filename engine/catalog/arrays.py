"""A NetCDF file or Zarr folder as STAC sees it: its dimensions, variables, grid and times. No array is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from pyproj import CRS
from pyproj.exceptions import CRSError

from engine.catalog.fold import MAX_VALUES
from engine.catalog.model import Json
from engine.catalog.outline import Outline, outline, ring_outline
from engine.catalog.projection import crs_properties, epsg_of, grid_properties
from engine.catalog.rasters import FileFacts, json_number, unreadable

NETCDF, ZARR = (".nc", ".nc4"), ".zarr"
MEDIA = {"netcdf4": "application/x-netcdf", "zarr": "application/vnd+zarr"}
NAMES = {
    "x": ("x", "lon", "longitude", "easting", "projection_x_coordinate", "grid_longitude"),
    "y": ("y", "lat", "latitude", "northing", "projection_y_coordinate", "grid_latitude"),
    "z": ("z", "altitude", "height", "depth"),
}
UNITS = {
    "x": ("degrees_east", "degree_east", "degreese", "degree_e"),
    "y": ("degrees_north", "degree_north", "degreesn", "degree_n"),
}


def is_zarr(path: Path) -> bool:
    """Whether a folder is a Zarr store."""
    return path.is_dir() and any((path / name).exists() for name in (".zgroup", ".zmetadata", "zarr.json"))


def array_facts(path: Path) -> FileFacts:
    """Read what a NetCDF file or Zarr folder says of itself."""
    try:
        with _opened(path) as dataset:
            return _facts(dataset, "zarr" if path.is_dir() else "netcdf4")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, CRSError) as cause:
        raise unreadable(path, cause) from cause


def _opened(path: Path) -> xr.Dataset:
    options: dict[str, Any] = {"mask_and_scale": False, "chunks": None, "decode_coords": True}
    if not path.is_dir():
        return xr.open_dataset(path, engine="netcdf4", **options)
    return xr.open_dataset(path, engine="zarr", consolidated=_is_consolidated(path), **options)


def _is_consolidated(path: Path) -> bool:
    if (path / ".zmetadata").exists():
        return True
    root = path / "zarr.json"
    return root.exists() and bool(json.loads(root.read_text(encoding="utf-8")).get("consolidated_metadata"))


def _facts(dataset: xr.Dataset, engine: str) -> FileFacts:
    axes = {str(dim): _axis(str(dim), dataset) for dim in dataset.sizes}
    of = {axis: dim for dim, axis in axes.items() if axis}
    data = [n for n, v in dataset.data_vars.items() if {of.get("x"), of.get("y")} <= set(v.dims)] or [
        n for n, v in dataset.data_vars.items() if v.ndim
    ]
    crs = _crs(dataset, data, of)
    asset: Json = {"type": MEDIA[engine], "roles": ["data"], "bands": [_band(dataset[name]) for name in data]}
    extra = {
        "cube:dimensions": {
            dim: _dimension(dataset, dim, axis, crs)
            for dim, axis in axes.items()
            if _is_used(dataset, data, dim)
        },
        "cube:variables": {str(n): _variable(v, n in data) for n, v in dataset.data_vars.items()},
    }
    grid, where = _place(dataset, of, crs)
    return FileFacts(asset | grid, grid, where, _span(dataset, of.get("t")), extra)


def _axis(dim: str, dataset: xr.Dataset) -> str | None:
    """`x`, `y`, `z` or `t`: what a dimension stands for by its CF attributes, its unit or its name."""
    attrs = dataset[dim].attrs if dim in dataset.variables else {}
    if dim in dataset.variables and (_is_time(dataset[dim])):
        return "t"
    declared = str(attrs.get("axis", "")).lower()
    standard, unit = str(attrs.get("standard_name", "")).lower(), str(attrs.get("units", "")).lower()
    for axis in ("x", "y", "z"):
        if standard in NAMES[axis] or unit in UNITS.get(axis, ()) or dim.lower() in NAMES[axis]:
            return axis
    return declared if declared in ("x", "y", "z") else None


def _is_time(coordinate: xr.DataArray) -> bool:
    if np.issubdtype(coordinate.dtype, np.datetime64):
        return True
    return (
        coordinate.dtype == object and coordinate.size > 0 and hasattr(coordinate.values.flat[0], "calendar")
    )


def _is_used(dataset: xr.Dataset, data: list[Any], dim: str) -> bool:
    return any(dim in dataset[name].dims for name in data)


def _band(variable: xr.DataArray) -> Json:
    out: Json = {"name": str(variable.name), "data_type": str(variable.dtype)}
    fill = variable.attrs.get("_FillValue", variable.attrs.get("missing_value"))
    if fill is not None and np.size(fill) == 1 and np.issubdtype(np.asarray(fill).dtype, np.number):
        out["nodata"] = json_number(float(np.asarray(fill).item()))
    for name, attribute in (("raster:scale", "scale_factor"), ("raster:offset", "add_offset")):
        if attribute in variable.attrs:
            out[name] = float(variable.attrs[attribute])
    return out | _told(variable)


def _told(variable: xr.DataArray) -> Json:
    names = (("unit", "units"), ("description", "long_name"))
    return {name: str(variable.attrs[attribute]) for name, attribute in names if attribute in variable.attrs}


def _variable(variable: xr.DataArray, is_data: bool) -> Json:
    kind = "data" if is_data else "auxiliary"
    return {"dimensions": [str(d) for d in variable.dims], "type": kind, **_told(variable)}


def _dimension(dataset: xr.Dataset, dim: str, axis: str | None, crs: CRS | None) -> Json:
    """A dimension as the datacube extension has it."""
    if dim not in dataset.variables:
        return {"type": "other", "extent": [0, dataset.sizes[dim] - 1], "step": 1}
    coordinate = dataset[dim]
    if axis == "t":
        return _temporal(coordinate)
    if not np.issubdtype(coordinate.dtype, np.number):
        return {"type": "other", "values": [str(value) for value in coordinate.values[:MAX_VALUES]]}
    values = coordinate.values.astype(float)
    step = _step(values)
    out: Json = {"type": "spatial", "axis": axis} if axis else {"type": "other"}
    if axis in ("x", "y"):
        half = abs(step) / 2 if step else 0.0
        out["extent"] = [float(values.min()) - half, float(values.max()) + half]
        out["reference_system"] = _reference(crs)
    else:
        out["extent"] = [float(values.min()), float(values.max())]
    if step:
        out["step"] = abs(step)
    if len(values) <= MAX_VALUES and (axis not in ("x", "y") or not step):
        out["values"] = [json_number(value) for value in values]
    return {name: value for name, value in out.items() if value is not None}


def _reference(crs: CRS | None) -> int | str | None:
    return None if crs is None else epsg_of(crs) or str(crs.to_wkt("WKT2_2019"))


def _temporal(coordinate: xr.DataArray) -> Json:
    moments = sorted(_moment(value) for value in coordinate.values.ravel())
    out: Json = (
        {"type": "temporal", "extent": [_iso(moments[0]), _iso(moments[-1])]}
        if moments
        else {"type": "temporal", "extent": [None, None]}
    )
    if len(moments) <= MAX_VALUES:
        out["values"] = [_iso(moment) for moment in moments]
    return out


def _step(values: np.ndarray) -> float | None:
    """The distance of neighbours where all share it (to a thousandth, as 32-bit labels do)."""
    if len(values) < 2:
        return None
    step = float((values[-1] - values[0]) / (len(values) - 1))
    return step if step and np.allclose(np.diff(values), step, rtol=1e-3, atol=0) else None


def _span(dataset: xr.Dataset, dim: str | None) -> tuple[datetime, datetime] | None:
    """First and last instant along time, or of a time that the whole file has."""
    found = (
        [dataset[dim]]
        if dim
        else [
            c
            for c in dataset.coords.values()
            if c.ndim == 0 and c.attrs.get("standard_name") == "time" and _is_time(c)
        ]
    )
    moments = [_moment(value) for value in found[0].values.ravel()] if found else []
    return (min(moments), max(moments)) if moments else None


def _moment(value: Any) -> datetime:
    """A time label as a UTC date; a day that only a model's calendar has becomes the last of its month."""
    if isinstance(value, np.datetime64):
        stamp = pd.Timestamp(value)
        if stamp is pd.NaT:
            raise ValueError("its time coordinate has gaps")
        return datetime.fromisoformat(stamp.floor("us").isoformat()).replace(tzinfo=UTC)
    month = pd.Period(f"{value.year:04d}-{value.month:02d}", freq="M")
    day = min(value.day, month.days_in_month)
    return datetime(
        value.year, value.month, day, value.hour, value.minute, value.second, value.microsecond, UTC
    )


def _iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _crs(dataset: xr.Dataset, data: list[Any], of: Mapping[str, str]) -> CRS | None:
    """By the grid mapping that CF names; longitude and latitude need none."""
    named = [dataset[n].attrs.get("grid_mapping") or dataset[n].encoding.get("grid_mapping") for n in data]
    for name in [*dict.fromkeys(str(n) for n in named if n), "spatial_ref", "crs"]:
        if name in dataset.variables:
            attrs = dataset[name].attrs
            wkt = attrs.get("crs_wkt") or attrs.get("spatial_ref")
            if wkt or "grid_mapping_name" in attrs:
                return CRS.from_wkt(wkt) if wkt else CRS.from_cf(attrs)
    if {"x", "y"} <= of.keys() and all(_is_degrees(dataset, of[axis], axis) for axis in ("x", "y")):
        return CRS.from_epsg(4326)
    return None


def _is_degrees(dataset: xr.Dataset, dim: str, axis: str) -> bool:
    attrs = dataset[dim].attrs if dim in dataset.variables else {}
    word = {"x": "lon", "y": "lat"}[axis]
    is_rotated = str(attrs.get("standard_name", "")).startswith("grid_")
    return not is_rotated and (
        str(attrs.get("units", "")).lower() in UNITS[axis] or dim.lower().startswith(word)
    )


def _place(dataset: xr.Dataset, of: Mapping[str, str], crs: CRS | None) -> tuple[Json, Outline | None]:
    """Projection fields and outline: by regular axes in a CRS, else by two-dimensional lat and lon."""
    if crs is not None and {"x", "y"} <= of.keys() and {of["x"], of["y"]} <= dataset.variables.keys():
        x, y = (_metres(dataset[of[axis]]) for axis in ("x", "y"))
        dx, dy = _step(x), _step(y)
        if dx and dy:
            transform = (dx, 0.0, x[0] - dx / 2, 0.0, dy, y[0] - dy / 2)
            return grid_properties(crs, transform, (len(y), len(x))), outline(
                crs, transform, (len(y), len(x))
            )
        west, south = x.min(), y.min()
        frame = (x.max() - west, 0.0, west, 0.0, y.max() - south, south)
        return crs_properties(crs), outline(crs, frame, (1, 1))
    return {}, _curvilinear(dataset)


def _metres(coordinate: xr.DataArray) -> np.ndarray:
    kilo = str(coordinate.attrs.get("units", "")).lower() in ("km", "kilometre", "kilometer", "kilometers")
    return np.asarray(coordinate.values, dtype=float) * (1000 if kilo else 1)


def _curvilinear(dataset: xr.Dataset) -> Outline | None:
    found: dict[str, np.ndarray] = {}
    for name, variable in dataset.variables.items():
        for axis in ("x", "y"):
            if (
                variable.ndim == 2
                and str(variable.attrs.get("units", "")).lower() in UNITS[axis]
                and "bnds" not in str(name)
            ):
                found.setdefault(axis, np.asarray(dataset[name].values, dtype=float))
    if len(found) < 2 or found["x"].shape != found["y"].shape or 0 in found["x"].shape:
        return None
    lon, lat = (
        np.concatenate([a[0], a[:, -1], a[-1, ::-1], a[::-1, 0], a[:1, 0]]) for a in (found["x"], found["y"])
    )
    if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
        return None
    return ring_outline(lon, lat, north=bool(np.median(found["y"]) >= 0))
