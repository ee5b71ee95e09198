"""Labels of dimensions: as graphs see them, as cubes store them, and how some of them are kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import shapely
import xarray as xr
from shapely.errors import ShapelyError

from processes.cubes import axes, places
from processes.cubes.shapes import MAX_DEPTH, column
from processes.errors import ProcessParameterInvalid
from processes.values import within_64_bits

MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?", re.ASCII | re.IGNORECASE
)
"""Dates and times; not years, months, weeks or seasons, which are labels of periods."""
WKT = re.compile(
    r"\s*(MULTI)?(POINT|LINESTRING|POLYGON)\s*(Z|M|ZM)?\s*(\(|EMPTY)|\s*GEOMETRYCOLLECTION\s*(Z|M|ZM)?\s*(\(|EMPTY)",
    re.IGNORECASE,
)
"""How a geometry begins as text."""


def seen(cube: xr.DataArray, dim: str) -> tuple[Any, ...]:
    """The labels as graphs see them: numbers, texts, times as RFC 3339, geometries as WKT."""
    return tuple(
        shapely.to_wkt(label, rounding_precision=-1) if isinstance(label, shapely.Geometry) else label
        for label in axes.labels(cube, dim)
    )


def stored(given: Sequence[Any], kind: str, parameter: str) -> np.ndarray:
    """Labels of a graph as the coordinate of a dimension of that type.

    Along time, dates and times become moments in UTC where all labels are some; along geometries, WKT becomes
    geometries, and other texts stay as identifiers.
    """
    if kind == "temporal" and given and all(isinstance(v, str) and MOMENT.fullmatch(v) for v in given):
        return np.array([moment(v, parameter) for v in given], dtype="datetime64[ns]")
    if kind == "geometry":
        return column(from_wkt(v, parameter) if isinstance(v, str) and WKT.match(v) else v for v in given)
    if given and all(isinstance(v, str) for v in given):
        return np.array(given, dtype=np.str_)
    if all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in given):
        whole = all(isinstance(v, int) and abs(v) < 2**63 for v in given) and kind != "spatial"
        numbers = [within_64_bits(v) if isinstance(v, int) else v for v in given]
        return np.array(numbers, dtype=np.int64 if whole else np.float64)
    return column(given)


def moment(text: str, parameter: str) -> np.datetime64:
    """A date or time as a moment in UTC."""
    try:
        time = pd.Timestamp(text.upper())
        return (time.tz_convert(None) if time.tzinfo else time).as_unit("ns").to_datetime64()
    except ValueError as error:
        raise ProcessParameterInvalid(
            f"{text!r} is no moment of a calendar that can be kept: {error}", parameter=parameter
        ) from None


def from_wkt(text: str, parameter: str) -> Any:
    """A geometry from text; the parser itself would not survive thousands of nested collections."""
    depth = deepest = 0
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH + 3:
        raise ProcessParameterInvalid(
            f"the geometry is nested {deepest} deep, at most {MAX_DEPTH + 3} will do", parameter=parameter
        )
    try:
        return shapely.from_wkt(text)
    except (ShapelyError, ValueError) as error:
        raise ProcessParameterInvalid(
            f"{text[:80]!r} is no geometry in WKT: {error}", parameter=parameter
        ) from None


def key(label: Any, kind: str) -> tuple[str, Any]:
    """Equal for labels that name the same: a number is no text, and along time a date is its first moment."""
    if not isinstance(label, str):
        return "number", label
    if kind == "temporal" and MOMENT.fullmatch(label):
        return "moment", moment(label, "source")
    if kind == "geometry" and WKT.match(label):
        return "geometry", shapely.to_wkb(from_wkt(label, "source"))
    return "text", label


def relabeled(cube: xr.DataArray, dim: str, values: np.ndarray, kind: str) -> xr.DataArray:
    """The cube with other labels, as many as there were; what is known of the dimension and its bands stays."""
    attrs = {**(cube.coords[dim].attrs if dim in cube.coords else {}), "type": kind}
    if "bands" in attrs:
        old = axes.labels(cube, dim)
        known = {b.get("name"): b for b in attrs["bands"]}
        attrs["bands"] = [
            {**known.get(before, {}), "name": after}
            for before, after in zip(old, values.tolist(), strict=True)
        ]
    bare = cube.drop_vars(dim) if dim in cube.coords else cube
    return bare.assign_coords({dim: (dim, values, attrs)})


def kept(cube: xr.DataArray, dim: str, keep: np.ndarray) -> xr.DataArray:
    """The labels marked true, with what is known of them."""
    chosen = cube.isel({dim: places.whole_or(keep)})
    if dim in cube.coords and "bands" in cube.coords[dim].attrs:
        left = set(axes.labels(chosen, dim))
        attrs = cube.coords[dim].attrs
        chosen.coords[dim].attrs = {**attrs, "bands": [b for b in attrs["bands"] if b.get("name") in left]}
    return chosen
