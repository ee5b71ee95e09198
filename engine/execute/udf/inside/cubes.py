"""Cubes as messages: dimensions, labels and metadata in the head, cells as raw arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from .frames import DTYPE, BadFrame

RAW = "biufM"


def told(cube: xr.DataArray) -> tuple[dict[str, Any], list[np.ndarray]]:
    """A cube as a JSON object and the arrays that it refers to."""
    arrays = [sendable(cube.values)]
    coords = []
    for name, coord in cube.coords.items():
        entry: dict[str, Any] = {
            "name": str(name),
            "dims": list(map(str, coord.dims)),
            "attrs": plain(coord.attrs),
        }
        if coord.dtype.kind in RAW and coord.ndim:
            entry["array"] = len(arrays)
            arrays.append(sendable(coord.values))
        else:
            entry |= listed(coord.values)
        coords.append(entry)
    name = None if cube.name is None else str(cube.name)
    return {
        "dims": list(map(str, cube.dims)),
        "name": name,
        "attrs": plain(cube.attrs),
        "coords": coords,
    }, arrays


def sendable(values: np.ndarray) -> np.ndarray:
    """An array of a type that may travel."""
    if values.dtype.kind == "M":
        values = values.astype("M8[ns]")
    if not DTYPE.fullmatch(values.dtype.newbyteorder("<").str):
        raise TypeError(f"values of type {values.dtype} do not travel; numbers, booleans and times do")
    return values


def listed(values: np.ndarray) -> dict[str, Any]:
    """Labels that are no numbers: texts, geometries, anything else as text."""
    flat = values.ravel().tolist()
    if flat and all(hasattr(v, "geom_type") for v in flat):
        return {"wkb": [v.wkb_hex for v in flat]}
    return {"values": [v if v is None or isinstance(v, (bool, int, float, str)) else str(v) for v in flat]}


def plain(value: Any) -> Any:
    """Metadata as JSON; what is none of it is left out."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items() if is_plain(v)}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value if is_plain(v)]
    return value.item() if isinstance(value, np.generic) else value


def is_plain(value: Any) -> bool:
    """Can this be told in JSON?"""
    if isinstance(value, (np.ndarray, np.generic)):
        return bool(value.dtype.kind in "biufU")
    return value is None or isinstance(value, (bool, int, float, str, list, tuple, Mapping))


def heard(told: Mapping[str, Any], arrays: Sequence[np.ndarray], *, geometries: bool) -> xr.DataArray:
    """A cube from its JSON object and arrays.

    Args:
        told: What `told` gave.
        arrays: The arrays of the message.
        geometries: May geometries be read? Only of a message from someone who is trusted: deeply nested ones end
            a process.
    """
    dims = told.get("dims") if isinstance(told, Mapping) else None
    if not isinstance(dims, list) or not all(isinstance(d, str) for d in dims) or len({*dims}) < len(dims):
        raise BadFrame("the names of the dimensions are no texts, or not all different")
    try:
        coords = {
            c["name"]: _coord(c, arrays, geometries) for c in told["coords"] if geometries or "wkb" not in c
        }
        return xr.DataArray(arrays[0], dims=dims, coords=coords, attrs=told["attrs"], name=told["name"])
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise BadFrame(f"the cube does not fit together: {error}") from None


def _coord(entry: Mapping[str, Any], arrays: Sequence[np.ndarray], geometries: bool) -> xr.Variable:
    dims = entry["dims"]
    if "array" in entry:
        return xr.Variable(dims, arrays[entry["array"]], entry["attrs"])
    if "wkb" in entry and geometries:
        import shapely

        return xr.Variable(dims, shapely.from_wkb(np.array(entry["wkb"], dtype=object)), entry["attrs"])
    values = entry["values"]
    if not all(v is None or isinstance(v, (bool, int, float, str)) for v in values):
        raise BadFrame("labels have to be texts, numbers or booleans")
    if not dims:
        return xr.Variable((), values[0], entry["attrs"])
    return xr.Variable(
        dims, np.array(values if values else [], dtype=None if values else object), entry["attrs"]
    )
