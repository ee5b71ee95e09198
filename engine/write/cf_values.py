"""Labels and properties as CF stores them: times as exact integers, text as text, geometries as WKT."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cftime  # type: ignore[import-untyped]
import numpy as np
import shapely

Attrs = dict[str, Any]

UNITS = (
    ("days", 86_400_000_000_000), ("hours", 3_600_000_000_000), ("minutes", 60_000_000_000),
    ("seconds", 1_000_000_000), ("milliseconds", 1_000_000), ("microseconds", 1_000), ("nanoseconds", 1),
)  # fmt: skip
"""Units of time with their nanoseconds, the coarsest first."""

GREGORIAN = np.datetime64("1582-10-15", "s")
"""Before this day the standard calendar of CF is Julian."""

MISSING_TIME = np.iinfo("int64").min
"""What stands for a missing time; also numpy's NaT."""

RESERVED = frozenset(
    (
        "_FillValue", "missing_value", "scale_factor", "add_offset", "units", "calendar", "dtype", "coordinates",
        "grid_mapping", "axis", "reference_system", "bands", "crs", "nodata", "logical", "standard_name",
        "resolution", "bounds", "climatology", "cell_measures", "ancillary_variables", "formula_terms",
    )
)  # fmt: skip
"""Attributes that are written from what is known, never copied; some would name variables that are not here."""


def encoded(values: np.ndarray) -> tuple[np.ndarray, Attrs]:
    """Values of a coordinate in a type that netCDF and Zarr have, with the attributes that say what it is."""
    kind = values.dtype.kind
    if kind == "M":
        return _times(values)
    if kind == "b":
        return values.astype("int8"), {"dtype": "bool"}
    if kind in "iu":
        return values, {}
    if kind == "f":
        return (values.astype("float32") if values.dtype.itemsize == 2 else values), {}
    if kind in "US":
        return values.astype(str).astype(object), {}
    return _objects(values)


def plain_attrs(attrs: Mapping[Any, Any]) -> Attrs:
    """The attributes that are text or numbers, but for those that are written anyway."""
    out: Attrs = {}
    for name, value in attrs.items():
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, bool) or str(name) in RESERVED or str(name).startswith("_"):
            continue
        if isinstance(value, str | int) or (isinstance(value, float) and np.isfinite(value)):
            out[str(name)] = value
    return out


def _objects(values: np.ndarray) -> tuple[np.ndarray, Attrs]:
    """Values of a property or label that numpy has no type for."""
    flat = list(values.ravel())
    known = [v for v in flat if not _missing(v)]
    if known and all(isinstance(v, shapely.Geometry) for v in known):
        texts = ["" if v is None else shapely.to_wkt(v, rounding_precision=-1) for v in flat]
        return _texts(texts, values.shape)
    if known and all(isinstance(v, cftime.datetime) for v in known) and len(known) == len(flat):
        return _calendar_times(values)
    if known and all(isinstance(v, bool | int | float | np.number | np.bool_) for v in known):
        numbers = [np.nan if _missing(v) else v for v in flat]
        return encoded(np.array(numbers).reshape(values.shape))
    return _texts(["" if _missing(v) else str(v) for v in flat], values.shape)


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value))


def _texts(texts: list[str], shape: tuple[int, ...]) -> tuple[np.ndarray, Attrs]:
    """Text; an empty one stands for a missing one, and the attributes say so."""
    out = np.empty(len(texts), dtype=object)
    out[:] = texts
    return out.reshape(shape), {"missing_value": ""} if "" in texts else {}


def _times(values: np.ndarray) -> tuple[np.ndarray, Attrs]:
    """Times as whole numbers of the coarsest unit that is exact; in nanoseconds years end at 1677 and 2262."""
    fine = values.dtype == np.dtype("datetime64[ns]")
    stamps = values.astype("datetime64[ns]" if fine else "datetime64[us]").astype("int64")
    known = stamps[stamps != MISSING_TIME]
    units = UNITS if fine else tuple((name, size // 1000) for name, size in UNITS[:-1])
    unit, length = next((name, size) for name, size in units if not (known % size).any())
    numbers = np.where(stamps == MISSING_TIME, MISSING_TIME, stamps // length)
    old = (values.astype("datetime64[s]") < GREGORIAN).any()
    attrs: Attrs = {
        "units": f"{unit} since 1970-01-01",
        "calendar": "proleptic_gregorian" if old else "standard",
    }
    if known.size < stamps.size:
        attrs["_FillValue"] = MISSING_TIME
    return numbers, attrs


def _calendar_times(values: np.ndarray) -> tuple[np.ndarray, Attrs]:
    """Times of a CF calendar as whole microseconds, or as a coarser unit that is exact."""
    calendar = values.ravel()[0].calendar
    micros = np.asarray(cftime.date2num(values, "microseconds since 1970-01-01", calendar), dtype="int64")
    unit, length = next((n, size // 1000) for n, size in UNITS[:6] if not (micros % (size // 1000)).any())
    return micros // length, {"units": f"{unit} since 1970-01-01", "calendar": calendar}
