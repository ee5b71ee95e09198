"""What the bands of a cube are: names, types, no-data and metadata, as files and STAC have them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from engine.write.axes import Axes, labels_of, unsuitable
from processes.cubes.axes import facts

COMMON_NAMES = frozenset(
    (
        "pan", "coastal", "blue", "green", "green05", "yellow", "red", "rededge", "rededge071", "rededge075",
        "rededge078", "nir", "nir08", "nir09", "cirrus", "swir16", "swir22", "lwir", "lwir11", "lwir12",
    )
)  # fmt: skip
"""The names that the STAC extension `eo` allows."""


@dataclass(frozen=True)
class Band:
    """One band of a cube."""

    name: str
    """Its label."""
    meta: Mapping[str, Any]
    """What the bands coordinate says of it: common_name, center_wavelength, scale, offset, unit..."""
    time: str | None = None
    """Its time, where a file has bands of several."""

    @property
    def title(self) -> str:
        """Its name, with its time where it has one."""
        return self.name if self.time is None else f"{self.name} {self.time}"

    def scaling(self, dtype: np.dtype[Any]) -> tuple[float, float] | None:
        """Scale and offset of the stored integers; None for physical values."""
        scale, offset = self.meta.get("scale"), self.meta.get("offset")
        if dtype.kind not in "iu" or (scale in (None, 1) and offset in (None, 0)):
            return None
        return float(1 if scale is None else scale), float(offset or 0)

    def stac(self, dtype: np.dtype[Any], nodata: float | None) -> dict[str, Any]:
        """As a member of the STAC `bands` list, without statistics."""
        out: dict[str, Any] = {"name": self.title, "data_type": dtype.name}
        if nodata is not None:
            out["nodata"] = "nan" if math.isnan(nodata) else nodata
        if unit := self.meta.get("unit"):
            out["unit"] = str(unit)
        if self.meta.get("common_name") in COMMON_NAMES:
            out["eo:common_name"] = self.meta["common_name"]
        if wavelength := self.meta.get("center_wavelength"):
            out["eo:center_wavelength"] = float(wavelength)
        if scaling := self.scaling(dtype):
            out["raster:scale"], out["raster:offset"] = scaling
        return out


def bands_of(cube: xr.DataArray, axes: Axes) -> tuple[Band, ...]:
    """The bands in order; without such a dimension one, called as the band that was chosen, or as the cube."""
    if axes.bands is not None:
        names = [str(label) for label in labels_of(cube, axes.bands)]
        return _with_metadata(names, facts(cube, axes.bands))
    chosen = [c for c in cube.coords.variables.values() if c.ndim == 0 and c.attrs.get("type") == "bands"]
    if chosen:
        return _with_metadata([str(chosen[0].values[()])], chosen[0].attrs)
    return (Band(str(cube.name or "data"), {}),)


def _with_metadata(names: list[str], told: Mapping[str, Any]) -> tuple[Band, ...]:
    listed = told.get("bands") or ()
    by_name = {entry["name"]: entry for entry in listed if isinstance(entry, Mapping) and "name" in entry}
    return tuple(Band(name, by_name.get(name, {})) for name in names)


def stored_type(cube: xr.DataArray, name: str) -> np.dtype[Any]:
    """The type that format `name` keeps the cube's cells in: the cube's own, but for bool and half floats."""
    if cube.dtype.kind == "b":
        return np.dtype("uint8")
    if cube.dtype == np.dtype("float16"):
        return np.dtype("float32")
    if cube.dtype.kind not in "iuf" or cube.dtype.itemsize > 8:
        raise unsuitable(name, cube, f"it takes numbers, and this holds {cube.dtype}")
    return cube.dtype.newbyteorder("=")


def is_logical(cube: xr.DataArray) -> bool:
    """Whether the cells are true, false or (255) no-data."""
    return cube.dtype.kind == "b" or bool(cube.attrs.get("logical"))


def nodata_of(cube: xr.DataArray) -> float | None:
    """The stored no-data value; None where there is none, also where the type cannot take the value."""
    if cube.dtype.kind == "f":
        return math.nan
    if is_logical(cube):
        return 255
    nodata = cube.attrs.get("nodata")
    if nodata is None or not math.isfinite(nodata) or int(nodata) != nodata:
        return None
    info = np.iinfo(cube.dtype)
    return int(nodata) if info.min <= int(nodata) <= info.max else None
