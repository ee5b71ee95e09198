"""Opens NetCDF and Zarr lazily: each variable with rows and columns becomes a layer that is read when needed."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import dask.array as da
import numpy as np
import pystac
import xarray as xr
from dask.base import tokenize
from odc.geo.crs import CRS
from xarray.coders import CFDatetimeCoder
from xarray.conventions import decode_cf_variable

from engine.errors import Problem
from engine.load.cf import crs_of_variable, is_time, roles
from engine.load.described import bands_of, crs_of, href_of
from engine.load.files import is_local, local_path, shown
from engine.load.model import Band, Source

LIMIT = "32MiB"
"""Decoded size of a block, about; blocks are whole chunks of the file."""
FAILURES = (OSError, RuntimeError, ValueError, KeyError, AttributeError, TypeError)
"""What the libraries raise on files that are not what they seem."""


@dataclass(frozen=True)
class Layer:
    """One variable of one file."""

    source: Source
    """Where it comes from, its stored type and no-data value."""
    band: Band
    """What file and item tell of it."""
    dims: tuple[str, ...]
    """Names of its dimensions in the cube: `t`, `y`, `x`, and others as the file has them."""
    data: da.Array
    """Its lazy numbers."""
    coords: Mapping[str, xr.Variable]
    """The coordinate of each dimension, as in the file, and of a time without dimension."""
    crs: CRS
    """What x and y mean."""


class _Guarded:
    """A stored variable whose reading errors name the file."""

    def __init__(self, variable: xr.Variable, source: Source) -> None:
        self.variable, self.source = variable, source
        self.shape, self.dtype, self.ndim = variable.shape, variable.dtype, variable.ndim

    def __getitem__(self, key: Any) -> np.ndarray:
        try:
            return np.asarray(self.variable[key])
        except FAILURES as fault:
            parts = [part for part in (key if isinstance(key, tuple) else (key,)) if isinstance(part, slice)]
            where = ", ".join(f"{part.start}-{part.stop}" for part in parts)
            problem = _unreadable(self.source, f"at {where}: {fault}")
        raise problem  # without the library's error as context, which may not survive the way between processes


def layers_of(
    item: pystac.Item, key: str, asset: pystac.Asset, chunks: Mapping[str, int] | None
) -> Iterator[Layer]:
    """The layers of an asset: its numeric variables that have rows and columns."""
    source = Source(item.id, key, 0, href_of(item, key, asset))
    dataset = _open(source)
    found = roles(dataset)
    named = {role: dim for dim, role in found.items()}
    described = {band.name: band for band in bands_of(key, asset, item.properties)}
    # a Zarr store may have lost the order of its variables: that of the item's description counts
    for name in sorted(dataset.data_vars, key=lambda name: _place(name, list(described))):
        variable = dataset.variables[name]
        if variable.dtype.kind not in "iufcb" or not {named.get("x"), named.get("y")} <= set(variable.dims):
            continue
        crs = crs_of_variable(dataset, name, named["x"]) or crs_of(item, asset)
        if crs is None:
            raise _unreadable(source, f"variable {name!r} has no grid mapping, and the item no proj:code")
        yield _layer(dataset, name, found, source, described.get(str(name)), crs, chunks)


def _place(name: Hashable, described: list[str]) -> int:
    return described.index(str(name)) if name in described else len(described)


def _layer(
    dataset: xr.Dataset,
    name: Hashable,
    found: Mapping[Hashable, str],
    source: Source,
    described: Band | None,
    crs: CRS,
    chunks: Mapping[str, int] | None,
) -> Layer:
    variable = dataset.variables[name]
    dims = tuple(found.get(dim, str(dim)) for dim in variable.dims)
    coords = {}
    for dim, old in zip(dims, variable.dims, strict=True):
        if old in dataset.variables and dataset[old].dims == (old,):
            coords[dim] = xr.Variable((dim,), dataset[old].values, _words(dataset[old].attrs))
        elif dim in ("x", "y"):
            raise _unreadable(
                source, f"dimension {old!r} of variable {name!r} has no coordinate (a curvilinear grid?)"
            )
    if "t" not in dims:
        coords |= _lone_time(dataset)
    stored, void = _without_packing(name, variable)
    band = _band(str(name), stored, described)
    source = Source(
        source.item,
        source.asset,
        0,
        source.href,
        dtype=str(stored.dtype),
        nodata=band.nodata if void is None else void,
        radar=band.radar,
    )
    return Layer(source, band, dims, _lazy(stored, dims, source, str(name), chunks), coords, crs)


def _lone_time(dataset: xr.Dataset) -> dict[str, xr.Variable]:
    """The time of a file that has one only, without a dimension for it."""
    times = [v for n, v in dataset.variables.items() if v.ndim == 0 and n in ("time", "t") and is_time(v)]
    return {"t": xr.Variable(("t",), times[0].values.reshape(1), _words(times[0].attrs))} if times else {}


def _words(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """Of a coordinate's attributes those that stay true in a cube."""
    return {key: attrs[key] for key in ("standard_name", "long_name", "units", "positive") if key in attrs}


def _without_packing(name: Hashable, variable: xr.Variable) -> tuple[xr.Variable, float | None]:
    """The variable as numbers that mean what they say, and the no-data value of integers.

    Packing (`scale_factor`, `add_offset`) is a storage format of the file and always undone; plain integers stay.
    """
    packed = {"scale_factor", "add_offset", "_Unsigned", "dtype"} & set(variable.attrs)
    if packed or variable.dtype.kind in "fc":
        return decode_cf_variable(name, variable, decode_times=False), None
    void = variable.attrs.get("_FillValue", variable.attrs.get("missing_value"))
    return variable, None if void is None else float(np.ravel(void)[0])


def _band(name: str, stored: xr.Variable, described: Band | None) -> Band:
    unit = stored.attrs.get("units")
    told = described or Band(name)
    return replace(
        told, name=name, unit=told.unit or (str(unit) if unit else None), data_type=str(stored.dtype)
    )


def _lazy(
    variable: xr.Variable, dims: tuple[str, ...], source: Source, name: str, chunks: Mapping[str, int] | None
) -> da.Array:
    native = variable.encoding.get("chunks") or variable.encoding.get("chunksizes")
    wished = tuple((chunks or {}).get(dim, "auto") if dim in ("x", "y") else "auto" for dim in dims)
    cut = da.core.normalize_chunks(
        wished, shape=variable.shape, limit=LIMIT, dtype=variable.dtype, previous_chunks=native or None
    )
    token = tokenize(source.href, name, cut, str(variable.dtype), _stamp(source.href))
    return da.from_array(
        _Guarded(variable, source),
        chunks=cut,
        name=f"stored-{name}-{token}",
        asarray=False,
        meta=np.empty(0, variable.dtype),
    )


def _stamp(href: str) -> int:
    return Path(local_path(href)).stat().st_mtime_ns if is_local(href) else 0


def _open(source: Source) -> xr.Dataset:
    """The dataset as it is stored but for its times."""
    is_zarr = PurePosixPath(urlsplit(source.href).path.rstrip("/")).suffix.lower() not in (".nc", ".nc4")
    on_the_web = urlsplit(source.href).scheme.lower() in ("http", "https")  # fsspec has no guarded client
    if on_the_web or (not is_zarr and not is_local(source.href)):
        kind, way = ("Zarr store", "in an object store") if is_zarr else ("NetCDF file", "as Zarr or COG")
        raise Problem(
            "FileOperationUnsupported",
            f"asset {source.asset!r} of item {source.item!r} is a {kind} on the web, which is not read in place.",
            hint=f"Download it first, or publish it {way}.",
            facts={"item": source.item, "asset": source.asset, "href": shown(source.href)},
        )
    options: list[dict[str, Any]] = [{"engine": "netcdf4"}]
    if is_zarr:  # most stores have their metadata in one place
        options = [{"engine": "zarr", "consolidated": True}, {"engine": "zarr", "consolidated": False}]
    faults: list[Exception] = []
    for option in options:
        try:
            return xr.open_dataset(
                local_path(source.href),
                **option,
                cache=False,
                mask_and_scale=False,
                decode_times=CFDatetimeCoder(time_unit="ns"),
                decode_timedelta=False,
            )
        except FAILURES as fault:
            faults.append(fault)
    raise _unreadable(source, str(faults[-1])) from faults[-1]


def _unreadable(source: Source, why: str) -> Problem:
    missing = "no such file" in why.lower() or (is_local(source.href) and not _exists(source.href))
    return Problem(
        "FileNotFound" if missing else "FileContentInvalid",
        f"asset {source.asset!r} of item {source.item!r} cannot be read {why.replace(source.href, shown(source.href))}"
        f" [{shown(source.href)}].",
        hint="Was the file moved?" if missing else "Replace the file, or leave this item out.",
        facts={"item": source.item, "asset": source.asset, "href": shown(source.href)},
    )


def _exists(href: str) -> bool:
    return Path(local_path(href)).exists()
