"""What the dimensions of a cube are: by type, never by name."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from processes.errors import DimensionAmbiguous, DimensionMissing, DimensionNotAvailable

USUAL = {"t": "temporal", "time": "temporal", "bands": "bands", "band": "bands", "x": "spatial", "y": "spatial",
         "z": "spatial", "geometry": "geometry", "lon": "spatial", "lat": "spatial", "longitude": "spatial",
         "latitude": "spatial"}  # fmt: skip
USUAL_AXIS = {"lon": "x", "longitude": "x", "lat": "y", "latitude": "y"}


def kind(cube: xr.DataArray, dim: Hashable) -> str:
    """The type of a dimension: temporal, bands, spatial, geometry or other."""
    if given := facts(cube, dim).get("type"):
        return str(given)
    if dim in cube.coords and cube.coords.variables[dim].dtype.kind == "M":
        return "temporal"
    return USUAL.get(str(dim), "other")


def facts(cube: xr.DataArray, name: Hashable) -> Mapping[str, Any]:
    """What a coordinate says of itself; nothing where there is none.

    All nodes of a graph ask for it, and to make an array of a coordinate takes a hundred times as long.
    """
    found = cube.coords.variables.get(name)
    return {} if found is None else found.attrs


def stored(cube: xr.DataArray, dim: Hashable) -> np.ndarray:
    """The labels of a dimension as the cube holds them; numbers from 0 on where it has none."""
    found = cube.coords.variables.get(dim)
    return np.arange(cube.sizes[dim]) if found is None else found.values


def of_kind(cube: xr.DataArray, wanted: str) -> tuple[str, ...]:
    """The names of all dimensions of that type."""
    return tuple(str(d) for d in cube.dims if kind(cube, d) == wanted)


def require(cube: xr.DataArray, name: str, parameter: str = "dimension") -> str:
    """The name itself, where the cube has such a dimension."""
    if name in cube.dims:
        return name
    raise DimensionNotAvailable(
        f"there is no dimension {name!r}; the cube has {listing(cube)}", parameter=parameter
    )


def listing(cube: xr.DataArray) -> str:
    """The cube's dimensions in words."""
    return ", ".join(f"{d} ({kind(cube, d)}, {cube.sizes[d]})" for d in cube.dims) or "none"


def temporal(cube: xr.DataArray, name: str | None = None) -> tuple[str, ...]:
    """The temporal dimension of that name, or all of them."""
    if name is None:
        return of_kind(cube, "temporal")
    if kind(cube, require(cube, name)) != "temporal":
        raise DimensionNotAvailable(
            f"dimension {name!r} is not temporal; the cube has {listing(cube)}", parameter="dimension"
        )
    return (name,)


def bands(cube: xr.DataArray) -> str:
    """The one dimension of type bands."""
    found = of_kind(cube, "bands")
    if not found:
        raise DimensionMissing(f"no dimension of type bands; the cube has {listing(cube)}")
    if len(found) > 1:
        raise DimensionAmbiguous(f"there are {len(found)} dimensions of type bands: {', '.join(found)}")
    return found[0]


def axis(cube: xr.DataArray, wanted: str) -> str | None:
    """The spatial dimension along `x`, `y` or `z`."""
    for dim in of_kind(cube, "spatial"):
        if str(facts(cube, dim).get("axis") or USUAL_AXIS.get(dim, dim)).lower() == wanted:
            return dim
    return None


def nature(cube: xr.DataArray, dim: str) -> dict[str, str]:
    """What stays of a dimension whose labels become others: its type, and the axis of a spatial one."""
    found = [a for a in ("x", "y", "z") if axis(cube, a) == dim]
    return {"type": kind(cube, dim)} | ({"axis": found[0]} if found else {})


def plane(cube: xr.DataArray, parameter: str = "data") -> tuple[str, str]:
    """The names of the y and x dimensions."""
    y, x = axis(cube, "y"), axis(cube, "x")
    if y is None or x is None:
        raise DimensionMissing(
            f"a raster cube with spatial dimensions x and y is needed; the cube has {listing(cube)}",
            parameter=parameter,
        )
    return y, x


def band_metadata(cube: xr.DataArray) -> list[dict[str, Any]]:
    """One dict for each band: its name and whatever else is known of it."""
    dim = bands(cube)
    known = {b.get("name"): b for b in facts(cube, dim).get("bands", ())}
    return [{**known.get(label, {}), "name": label} for label in labels(cube, dim)]


def find_bands(cube: xr.DataArray, wanted: str) -> tuple[int, ...]:
    """Where the bands of that name are, or, where no band is called so, of that common name."""
    known = band_metadata(cube)
    by_name = tuple(i for i, b in enumerate(known) if b["name"] == wanted)
    return by_name or tuple(i for i, b in enumerate(known) if b.get("common_name") == wanted)


def select_bands(cube: xr.DataArray, places: Sequence[int]) -> xr.DataArray:
    """The bands at these places, in this order, with their metadata."""
    dim = bands(cube)
    if tuple(places) == tuple(range(cube.sizes[dim])):
        return cube
    metadata = band_metadata(cube)
    chosen = cube.isel({dim: list(places)})
    if "bands" in cube.coords[dim].attrs:
        chosen.coords[dim].attrs = {**cube.coords[dim].attrs, "bands": [metadata[i] for i in places]}
    return chosen


def labels(cube: xr.DataArray, dim: str) -> tuple[Any, ...]:
    """The labels of a dimension as graphs see them: numbers, texts, times as RFC 3339."""
    values = stored(cube, dim)
    if values.dtype.kind == "M":
        return tuple(rfc3339(v) for v in values)
    return tuple(v.isoformat() if hasattr(v, "isoformat") else v for v in values.tolist())


def rfc3339(time: Any) -> str:
    """A moment in UTC as text, with as many decimals of the second as it has."""
    moment = pd.Timestamp(time)
    if moment.tzinfo is not None:
        moment = moment.tz_convert(UTC).tz_localize(None)
    return moment.isoformat(timespec="auto" if moment.microsecond or moment.nanosecond else "seconds") + "Z"


def moment(label: Any) -> datetime | None:
    """A temporal label as a time in UTC; `None` where it is none (a season, a week number)."""
    if isinstance(label, (np.datetime64, datetime)):
        return pd.Timestamp(label).tz_localize(UTC).to_pydatetime(warn=False)
    if hasattr(label, "calendar"):  # a date of a CF calendar
        return datetime(label.year, label.month, min(label.day, 28), label.hour, label.minute, tzinfo=UTC)
    try:
        parsed = datetime.fromisoformat(str(label))
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
