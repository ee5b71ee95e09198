"""A cube as CF variables: one per band, coordinates, grid mapping; netCDF and Zarr store the same ones."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import pairwise, product
from typing import Any

import numpy as np
import xarray as xr
from rasterio import Affine

from engine.errors import Problem
from engine.write.axes import Axes, axes_of, unsuitable
from engine.write.bands import Band, bands_of, is_logical, nodata_of, stored_type
from engine.write.cf_values import Attrs, encoded, plain_attrs
from engine.write.grid import crs_of, grid_of
from engine.write.model import Index, Stream
from engine.write.pour import labels

GRID_MAPPING = "spatial_ref"
"""Name of the variable that holds the CRS."""


@dataclass(frozen=True)
class Coordinate:
    """A variable that is written at once."""

    name: str
    """Its name."""
    dims: tuple[str, ...]
    """Its dimensions, by their stored names."""
    values: np.ndarray
    """Its values, as stored; dtype object for text."""
    attrs: Attrs
    """Its CF attributes."""


@dataclass(frozen=True)
class Variable:
    """A variable that is filled block by block."""

    name: str
    """Its name."""
    band: Band
    """The band of the cube that it holds."""
    attrs: Attrs
    """Its CF attributes."""


@dataclass(frozen=True)
class Layout:
    """Everything that is stored of a cube."""

    dims: dict[str, int]
    """Lengths of the dimensions of the variables, in order, by their stored names."""
    chunks: tuple[int, ...]
    """Shape of the stored chunks."""
    dtype: np.dtype[Any]
    """Stored type of the variables."""
    nodata: float | None
    """Stored no-data value."""
    coordinates: tuple[Coordinate, ...]
    """Written first."""
    variables: tuple[Variable, ...]
    """One for each band."""
    band_axis: int | None
    """Where the cube has its bands."""
    attrs: Attrs
    """Attributes of the whole."""

    def parts(self, index: Index, block: np.ndarray) -> Iterator[tuple[int, Index, np.ndarray]]:
        """A block of the cube as parts of stored chunks: of which variable, where, what."""
        first, where, planes = 0, index, block[np.newaxis]
        if self.band_axis is not None:
            first, planes = index[self.band_axis].start, np.moveaxis(block, self.band_axis, 0)
            where = index[: self.band_axis] + index[self.band_axis + 1 :]
        for number, cells in enumerate(planes, first):
            for part in _by_chunk(where, self.chunks):
                inside = tuple(
                    slice(p.start - w.start, p.stop - w.start) for p, w in zip(part, where, strict=True)
                )
                yield number, part, cells[(*inside, ...)].astype(self.dtype, copy=False)


def layout_of(cube: Any, name: str, stream: Stream, largest_chunk: int) -> Layout:
    """How format `name` stores a cube, in chunks of at most so many bytes."""
    if not isinstance(cube, xr.DataArray):
        raise unsuitable(name, cube, "it takes cubes")
    axes = axes_of(cube)
    dtype, nodata = stored_type(cube, name), nodata_of(cube)
    kept = [str(dim) for dim in cube.dims if str(dim) != axes.bands]
    stored = _distinct_names(kept, {GRID_MAPPING})
    coordinates = _coordinates(cube, axes, dict(zip(kept, stored, strict=True)), stream, name)
    bands = bands_of(cube, axes)
    taken = {*stored, *(c.name for c in coordinates)}
    names = _distinct_names([band.name for band in bands], taken)
    attrs = _variable_attrs(cube, dtype, nodata, coordinates, stored)
    variables = tuple(
        Variable(n, band, {**attrs, **_band_attrs(cube, band, dtype), **entry})
        for n, band, entry in zip(names, bands, _along_bands(cube, axes, stream), strict=True)
    )
    return Layout(
        dims={s: cube.sizes[dim] for dim, s in zip(kept, stored, strict=True)},
        chunks=_chunks(cube, kept, dtype.itemsize, largest_chunk),
        dtype=dtype,
        nodata=nodata,
        coordinates=coordinates,
        variables=variables,
        band_axis=None if axes.bands is None else cube.dims.index(axes.bands),
        attrs=_global_attrs(cube),
    )


def _coordinates(
    cube: xr.DataArray, axes: Axes, stored: Mapping[str, str], stream: Stream, name: str
) -> tuple[Coordinate, ...]:
    """The labels of the dimensions, then all other coordinates, the CRS last."""
    out, skipped = [], []
    for label, coord in sorted(cube.coords.items(), key=lambda entry: entry[0] not in stored):
        dims = tuple(map(str, coord.dims))
        if coord.ndim == 0 and ({"crs_wkt", "spatial_ref", "GeoTransform"} & coord.attrs.keys()):
            continue
        if any(dim not in stored for dim in dims):
            skipped += [str(label)] if len(dims) > 1 else []
            continue
        values, attrs = encoded(labels(stream, coord))
        title = "geometry" if label == axes.geometry else stored.get(str(label), str(label))
        at = tuple(stored[dim] for dim in dims)
        out.append(Coordinate(title, at, values, {**_labels_attrs(cube, axes, coord), **attrs}))
    if skipped:
        raise unsuitable(
            name, cube, f"bands are variables, and {', '.join(skipped)} goes along more than bands"
        )
    names = _distinct_names([c.name for c in out], {GRID_MAPPING})
    renamed = [replace(c, name=n) for n, c in zip(names, out, strict=True)]
    return (*renamed, *_grid_mapping(cube, axes))


def _labels_attrs(cube: xr.DataArray, axes: Axes, coord: xr.DataArray) -> Attrs:
    """CF attributes of a coordinate, from the part that its dimension plays."""
    attrs = plain_attrs(coord.attrs)
    if coord.name not in cube.dims:
        return attrs
    if coord.name == axes.time:
        attrs |= {"standard_name": "time", "axis": "T"}
    if coord.name in (axes.x, axes.y):
        attrs |= _spatial_attrs(cube, axes, "X" if coord.name == axes.x else "Y")
    if str(coord.attrs.get("axis", "")).lower() == "z":
        attrs |= {"axis": "Z", **{k: v for k, v in coord.attrs.items() if k in ("units", "positive")}}
    if coord.name == axes.geometry:
        attrs |= {"long_name": attrs.get("long_name", "geometry as WKT")}
    return attrs


def _spatial_attrs(cube: xr.DataArray, axes: Axes, axis: str) -> Attrs:
    """Standard name and unit of x or y; on a rotated grid they only count cells."""
    crs, transform = crs_of(cube, axes), _transform(cube, axes)
    if crs is None or (transform is not None and (transform.b or transform.d)):
        return {"axis": axis}
    return {"axis": axis, **next((entry for entry in crs.cs_to_cf() if entry.get("axis") == axis), {})}


def _transform(cube: xr.DataArray, axes: Axes) -> Affine | None:
    """The transform of an even grid; these formats keep each label, so uneven ones need none."""
    if axes.x is None or axes.y is None:
        return None
    try:
        return grid_of(cube, axes, "CF").transform
    except Problem:
        return None


def _grid_mapping(cube: xr.DataArray, axes: Axes) -> tuple[Coordinate, ...]:
    """The variable that says where on Earth: CF parameters, WKT, and for even grids GDAL's transform."""
    crs, transform = crs_of(cube, axes), _transform(cube, axes)
    if crs is None:
        return ()
    attrs: Attrs = {k: v for k, v in crs.to_cf().items() if isinstance(v, str | int | float)}
    attrs["spatial_ref"] = attrs["crs_wkt"] = crs.to_wkt()
    if transform is not None:
        attrs["GeoTransform"] = " ".join(map(repr, transform.to_gdal()))
    return (Coordinate(GRID_MAPPING, (), np.array(0, dtype="int32"), attrs),)


def _variable_attrs(
    cube: xr.DataArray,
    dtype: np.dtype[Any],
    nodata: float | None,
    coordinates: tuple[Coordinate, ...],
    dims: list[str],
) -> Attrs:
    """The attributes that all variables of a cube share."""
    attrs = plain_attrs(cube.attrs)
    if nodata is not None:
        attrs["_FillValue"] = dtype.type(nodata)
    if is_logical(cube):
        attrs |= {"flag_values": np.array([0, 1], dtype=dtype), "flag_meanings": "false true"}
    if any(c.name == GRID_MAPPING for c in coordinates):
        attrs["grid_mapping"] = GRID_MAPPING
    others = [c.name for c in coordinates if c.name not in dims and c.name != GRID_MAPPING]
    if others:
        attrs["coordinates"] = " ".join(others)
    return attrs


def _band_attrs(cube: xr.DataArray, band: Band, dtype: np.dtype[Any]) -> Attrs:
    """What the metadata of one band say."""
    attrs = {k: v for k, v in plain_attrs(band.meta).items() if k not in ("name", "scale", "offset", "unit")}
    attrs["long_name"] = band.name
    if unit := band.meta.get("unit") or cube.attrs.get("units"):
        attrs["units"] = str(unit)
    if scaling := band.scaling(dtype):
        attrs["scale_factor"], attrs["add_offset"] = scaling
    return attrs


def _along_bands(cube: xr.DataArray, axes: Axes, stream: Stream) -> list[Attrs]:
    """The coordinates that go along the bands, e.g. wavelengths, as attributes of each."""
    if axes.bands is None:
        return [{}]
    found = {c.name: labels(stream, c) for c in cube.coords.values() if c.dims == (axes.bands,)}
    found.pop(axes.bands, None)
    return [
        plain_attrs({name: values[number] for name, values in found.items()})
        for number in range(cube.sizes[axes.bands])
    ]


def _global_attrs(cube: xr.DataArray) -> Attrs:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "Conventions": "CF-1.11",
        "title": str(cube.attrs.get("title") or cube.name or "datacube"),
        "history": f"{now} written by geodatacube {version('geodatacube')}",
    }


def _chunks(cube: xr.DataArray, dims: list[str], itemsize: int, largest: int) -> tuple[int, ...]:
    """The cube's chunks, halved along the longest dimension until they are small enough."""
    lengths = {dim: max(cube.variable.chunksizes.get(dim, (cube.sizes[dim],))) for dim in dims}
    while lengths and np.prod([*lengths.values()], dtype="float64") * itemsize > largest:
        longest = max(lengths, key=lambda dim: lengths[dim])
        lengths[longest] = -(-lengths[longest] // 2)
    return tuple(lengths.values())


def _by_chunk(where: Index, chunks: tuple[int, ...]) -> Iterator[Index]:
    """A window, cut where stored chunks meet: what is done to a part of it takes memory for one of them."""
    edges = [
        [part.start, *range((part.start // size + 1) * size, part.stop, size), part.stop]
        for part, size in zip(where, chunks, strict=True)
    ]
    return product(*([slice(*pair) for pair in pairwise(ends)] for ends in edges))


def _distinct_names(names: list[str], taken: set[str]) -> list[str]:
    """CF names: letters, digits and underscores, none of the last first, no name twice.

    CF recommends a letter first; labels that are numbers stay as they are, so that they are found again.
    """
    taken, out = set(taken), []
    for name in names:
        fresh = re.sub(r"[^A-Za-z0-9_]", "_", name)
        fresh = fresh if re.match(r"[A-Za-z0-9]", fresh) else f"v_{fresh}"
        stem, number = fresh, 1
        while fresh in taken:
            number += 1
            fresh = f"{stem}_{number}"
        taken.add(fresh)
        out.append(fresh)
    return out
