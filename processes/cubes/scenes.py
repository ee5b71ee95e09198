"""How a scene was taken: the reflectance of its bands, the angles of sun and sensor, and options that tell of them.

Angles are in degrees. They are looked for as an option (`sun_elevation`: one number, or one for each time), as a
coordinate of the cube (`view:sun_elevation`, as STAC calls it, along any dimension but the bands) and as an attribute
of that name, in this order. Loaded scenes have such coordinates along time, NaN where their items do not tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import dask.array as da
import numpy as np
import xarray as xr

from processes.cubes import axes, filters
from processes.cubes.cells import Coding, blockwise, onto, rebuilt
from processes.errors import ProcessParameterInvalid
from processes.types import Schema
from processes.values import split

Options = Annotated[Mapping[str, Any], Schema({"type": "object", "additionalProperties": False})]
ANGLES = {
    "sun_elevation": (0.0, 90.0),
    "sun_azimuth": (-360.0, 360.0),
    "azimuth": (-360.0, 360.0),
    "incidence_angle": (0.0, 90.0),
}
"""Angles that a scene may tell, without STAC's `view:`, and the range that each one is in."""
SCALING = ("scale", "offset")
"""Options that say what reflectance the cells stand for."""


def only(options: Mapping[str, Any], known: Sequence[str], parameter: str = "options") -> None:
    """Refuse options that there are none of."""
    if unknown := [name for name in options if name not in known]:
        raise ProcessParameterInvalid(
            f"there is no option {unknown[0]!r}; there are {', '.join(known)}", parameter=parameter
        )


def real(value: Any, name: str, parameter: str = "options") -> float:
    """A finite number that an option or the metadata give."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)):
        raise ProcessParameterInvalid(f"{name} has to be a number, it is {value!r}", parameter=parameter)
    if not np.isfinite(value):
        raise ProcessParameterInvalid(f"{name} has to be finite, it is {value!r}", parameter=parameter)
    return float(value)


# ---------------------------------------------------------------------------------------------- angles
def angle(
    data: xr.DataArray, name: str, options: Mapping[str, Any], parameter: str = "options"
) -> xr.DataArray | None:
    """An angle of the scene in degrees, along some of the cube's dimensions; `None` where nothing tells it."""
    told = f"view:{name}"
    if name in options:
        return checked(of_option(data, name, options[name], parameter), name, parameter)
    if told in data.coords:
        coord = data.coords[told]
        if set(coord.dims) & set(axes.of_kind(data, "bands")):
            raise ProcessParameterInvalid(f"the coordinate {told!r} is along the bands", parameter="data")
        return checked(coord.drop_vars(list(coord.coords)).astype(np.float64), name, "data")
    if told in data.attrs:
        return checked(xr.DataArray(real(data.attrs[told], told, "data")), name, "data")
    return None


def of_option(data: xr.DataArray, name: str, value: Any, parameter: str) -> xr.DataArray:
    """An angle that an option tells: a number, or one for each time."""
    if not isinstance(value, (list, tuple)):
        return xr.DataArray(real(value, name, parameter))
    times = axes.of_kind(data, "temporal")
    if len(times) != 1 or len(value) != data.sizes[times[0]]:
        raise ProcessParameterInvalid(
            f"{name} has {len(value)} numbers, one for each time is needed; the cube has {axes.listing(data)}",
            parameter=parameter,
        )
    return xr.DataArray(np.array([real(v, name, parameter) for v in value]), dims=times)


def checked(found: xr.DataArray, name: str, parameter: str) -> xr.DataArray:
    """The angle itself, where it can be one; angles that are lazy are believed."""
    low, high = ANGLES[name]
    if not isinstance(found.data, da.Array) and bool(((found < low) | (found > high)).any()):
        worst = float(found.where((found < low) | (found > high)).max())
        raise ProcessParameterInvalid(
            f"{name} has to be from {low:g} to {high:g} degrees, it is {worst:g}", parameter=parameter
        )
    return found


def gaps(found: xr.DataArray) -> int:
    """How many values of an angle are not known; angles that are lazy are believed."""
    return 0 if isinstance(found.data, da.Array) else int(np.isnan(found).sum())


def needed(
    found: xr.DataArray | None, name: str, why: str, hint: str | None = None, parameter: str = "data"
) -> xr.DataArray:
    """An angle that the method cannot do without, at any time."""
    if found is not None and not gaps(found):
        return found
    lacks = f"there is no option {name!r}, and no coordinate or attribute 'view:{name}'"
    if found is not None:
        lacks = f"{gaps(found)} of the {found.size} values of 'view:{name}' are not known"
    raise ProcessParameterInvalid(
        f"{why} needs the {name.replace('_', ' ')}, and nothing tells it: {lacks}",
        hint=hint or f'Give it in degrees, for example options={{"{name}": 45}}.',
        parameter=parameter,
    )


# ----------------------------------------------------------------------------------------- reflectance
@dataclass(frozen=True)
class Scaling:
    """What physical values the cells of a cube stand for."""

    coding: Coding
    scale: tuple[float, ...]
    """Factor of each band."""
    offset: tuple[float, ...]
    """Summand of each band, after the factor."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the physical values."""
        return np.dtype(np.float64 if self.coding.dtype.itemsize > 4 else np.float32)

    def __call__(self, block: np.ndarray, axis: int) -> np.ndarray:
        """Physical values of stored ones with NaN for no-data; the bands are along `axis`."""
        values, null = split(self.coding.decode(block))
        shape = tuple(-1 if i == axis else 1 for i in range(block.ndim))
        scale, offset = (np.array(n, dtype=self.dtype).reshape(shape) for n in (self.scale, self.offset))
        physical = np.asarray(values, dtype=self.dtype) * scale + offset
        return np.where(null, self.dtype.type("nan"), physical)


def reflectance(data: xr.DataArray, options: Mapping[str, Any]) -> Scaling:
    """How cells become reflectance: as the options say, else as the metadata of the bands say.

    Floats of which nothing is said are reflectance already; integers of which nothing is said cannot be.
    """
    known = axes.band_metadata(data)
    silent = [b["name"] for b in known if b.get("scale") is None]
    if silent and data.dtype.kind != "f" and "scale" not in options:
        raise ProcessParameterInvalid(
            f"the bands {', '.join(silent)} hold {data.dtype}, and nothing says what reflectance that stands for",
            hint='Give it, for example options={"scale": 0.0001, "offset": 0}.',
            parameter="data",
        )
    scale, offset = (
        tuple(real(options.get(n, b.get(n, start)), n) for b in known)
        for n, start in (("scale", 1.0), ("offset", 0.0))
    )
    return Scaling(Coding.of(data), scale, offset)


def one_of(data: xr.DataArray, names: Sequence[str], why: str | None) -> int | None:
    """Where the band of one of these common names (or names) is; without a reason `why` it may be missing."""
    for name in names:
        found = axes.find_bands(data, name)
        if len(found) == 1:
            return found[0]
        if len(found) > 1:
            raise ProcessParameterInvalid(
                f"{len(found)} bands are called {name!r}; {filters.known_bands(data)}",
                hint="Keep one of them with filter_bands.",
                parameter="data",
            )
    if why is None:
        return None
    raise ProcessParameterInvalid(
        f"{why} needs a band {' or '.join(map(repr, names))}, and there is none; {filters.known_bands(data)}",
        hint="Load it too, or give the bands common names.",
        parameter="data",
    )


# ----------------------------------------------------------------------------------------- computation
@dataclass(frozen=True)
class Named:
    """A function of arrays by name, as a function of stored blocks."""

    fn: Callable[..., np.ndarray]
    names: tuple[str, ...]
    dims: tuple[tuple[str, ...], ...]
    out_dims: tuple[str, ...]

    def __call__(self, *blocks: np.ndarray) -> np.ndarray:
        placed = (onto(b, d, self.out_dims) for b, d in zip(blocks, self.dims, strict=True))
        with np.errstate(all="ignore"):
            return self.fn(**dict(zip(self.names, placed, strict=True)))


def by_name(
    fn: Callable[..., np.ndarray],
    out_dims: Sequence[str],
    dtype: Any,
    sizes: Mapping[str, int] | None = None,
    **cubes: xr.DataArray | None,
) -> Any:
    """Run `fn` on blocks of cubes that it gets by name, all with the axes `out_dims` (of length 1 where lacking).

    Along dimensions that `sizes` names, cubes come whole and may be of different lengths.
    """
    given = {n: c for n, c in cubes.items() if c is not None}
    dims = tuple(tuple(map(str, c.dims)) for c in given.values())
    run = Named(fn, tuple(given), dims, tuple(out_dims))
    apart = [
        c.drop_vars(list(c.coords)).rename({d: f"{d} of {n}" for d in c.dims if d in (sizes or {})})
        for n, c in given.items()
    ]
    return blockwise(run, out_dims, *apart, dtype=dtype, sizes=sizes)


def with_bands(data: xr.DataArray, array: Any, names: Sequence[str]) -> xr.DataArray:
    """A cube of floats like `data`, with other bands, of which nothing but the names is known."""
    dim = axes.bands(data)
    attrs = {**data.coords[dim].attrs, "type": "bands", "bands": [{"name": n} for n in names]}
    dims = tuple(map(str, data.dims))
    return rebuilt(data, array, dims, Coding(array.dtype), **{dim: (dim, list(names), attrs)})


def same_bands(data: xr.DataArray, array: Any, **about: Any) -> xr.DataArray:
    """A cube of floats like `data`, whose bands keep what is known of them but for how they were stored."""
    dim = axes.bands(data)
    gone = ("scale", "offset", "nodata", "data_type", "sar:calibration", "sar:noise", *about)
    kept = [
        {k: v for k, v in b.items() if k not in gone} | {"data_type": str(array.dtype)} | about
        for b in axes.band_metadata(data)
    ]
    coord = (dim, data.coords[dim].values, {**data.coords[dim].attrs, "bands": kept})
    return rebuilt(data, array, tuple(map(str, data.dims)), Coding(array.dtype), **{dim: coord})
