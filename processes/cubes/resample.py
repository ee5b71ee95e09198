"""Another grid (resolution, projection, alignment), and other times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import xarray as xr
from affine import Affine
from odc.geo.geobox import GeoBox

from processes.cubes import axes, places
from processes.cubes.assembly import labels_of
from processes.cubes.cells import Coding, blockwise, rebuilt, with_null
from processes.cubes.periods import DAY, Instants, instants
from processes.cubes.warp import warp
from processes.errors import DimensionMismatch, DimensionNotAvailable, ProcessParameterInvalid
from processes.mixing import along
from processes.registry import process
from processes.types import (
    CORNERS,
    RESAMPLING,
    Corner,
    OptionalName,
    Projection,
    RasterCube,
    Resampling,
    Resolution,
    Schema,
    TemporalCube,
)
from processes.values import nulls

CHANGING = ("cubicspline", "rms")
"""Methods that change values even where new cells are the old ones."""
LEAST, MOST = 1e-6, 2.0**31
"""Cells that a side of a cube may have."""
Days = Annotated[float | None, Schema({"type": ["number", "null"]})]


@process("cubes", "reproject", mixes=along("x", "y"))
def resample_spatial(
    data: RasterCube,
    resolution: Resolution = 0,
    projection: Projection = None,
    method: Resampling = "near",
    align: Corner = "upper-left",
) -> RasterCube:
    """Put a cube onto another grid

    Change the size of the cells, the projection, or both. At least one of the two is to be given.

    Args:
        data: A raster cube.
        resolution: Size of the new cells in units of the new projection, one number for both axes or two for x
            and y; 0 keeps it, or, in another projection, takes what comes closest.
        projection: EPSG code or WKT2 of the new projection; `null` keeps it.
        method: How values of new cells come from old ones, named as by gdalwarp.
        align: The corner of the extent that the new cells start from.

    Returns:
        The cube on the new grid; no-data where the old grid has nothing.
    """
    wanted = (resolution, resolution) if isinstance(resolution, (int, float)) else tuple(resolution)
    if not any(wanted) and projection is None:
        raise ProcessParameterInvalid(
            "neither a resolution nor a projection is given",
            hint="Give at least one.",
            parameter="resolution",
        )
    if align not in CORNERS:
        raise ProcessParameterInvalid(f"{align!r} is none of {', '.join(CORNERS)}", parameter="align")
    source = places.grid(data)
    return onto_grid(data, target_grid(source, wanted, projection, align), method)


@process("cubes", "reproject", mixes=along("x", "y"))
def resample_cube_spatial(data: RasterCube, target: RasterCube, method: Resampling = "near") -> RasterCube:
    """Put a cube onto the grid of another one

    Args:
        data: A raster cube.
        target: A raster cube that has the wished grid.
        method: How values of new cells come from old ones, named as by gdalwarp.

    Returns:
        The cube with the spatial labels of the target; no-data where the old grid has nothing.
    """
    if method not in RESAMPLING:
        raise ProcessParameterInvalid(f"{method!r} is none of {', '.join(RESAMPLING)}", parameter="method")
    y, x = axes.plane(data)
    target_y, target_x = axes.plane(target, "target")
    ys, xs = target.coords[target_y], target.coords[target_x]
    if method not in CHANGING and (cells := cells_at(data, (y, x), target, (ys.values, xs.values))):
        moved = data.isel({y: cells[0], x: cells[1]})
    else:
        moved = onto_grid(data, places.grid(target), method)
    labels = {y: (y, ys.values, moved.coords[y].attrs), x: (x, xs.values, moved.coords[x].attrs)}
    return moved.assign_coords(labels)


@process("cubes", "reproject", mixes=along(argument="dimension", usual=("t",)))
def resample_cube_temporal(
    data: TemporalCube,
    target: TemporalCube,
    dimension: OptionalName = None,
    valid_within: Days = None,
) -> TemporalCube:
    """Put a cube onto the times of another one

    Each time of the target gets the values of the nearest time of the data; of two that are equally near, those of
    the earlier one. One time of the data may serve several times of the target.

    Args:
        data: A cube with a temporal dimension.
        target: A cube that has the wished times.
        dimension: Name of the temporal dimension, which both cubes have; by default all temporal dimensions that
            have the same name in both.
        valid_within: Look for the nearest valid value instead (a finite number, or whatever is neither a number
            nor no-data), cell by cell, less than so many days away; no-data where there is none.

    Returns:
        The cube with the times of the target.

    Raises:
        DimensionMismatch: `dimension` is not temporal in both cubes, or they have no temporal dimension in common.
        DimensionNotAvailable: One of the cubes has no dimension of that name.
    """
    for dim in matching(data, target, dimension):
        times = instants(data.coords[dim].values, dim)
        wanted = instants(target.coords[dim].values, dim, "target")
        if times.calendar != wanted.calendar:
            raise DimensionMismatch(
                f"{dim!r} is of the calendar {times.calendar!r} in data and {wanted.calendar!r} in target",
                parameter="target",
            )
        data = nearest_times(data, dim, times, wanted, target.coords[dim].variable, valid_within)
    return data


def cells_at(
    data: xr.DataArray, dims: tuple[str, str], target: xr.DataArray, labels: tuple[np.ndarray, np.ndarray]
) -> tuple[Any, ...] | None:
    """Where the data has the very cells of the target; `None` where its cells are others, or fewer."""
    if not places.same_grid(data, target):
        return None
    found = []
    for dim, wanted in zip(dims, labels, strict=True):
        mine = data.coords[dim].values.astype(float)
        step = places.spacing(mine, dim) if len(mine) > 1 else 1.0
        index = np.round((wanted - mine[0]) / step).astype(int)
        if index.min() < 0 or index.max() >= len(mine):
            return None
        found.append(slice(int(index[0]), int(index[-1]) + 1) if (np.diff(index) == 1).all() else index)
    return tuple(found)


def target_grid(source: GeoBox, resolution: Any, projection: Any, align: str) -> GeoBox:
    """The grid that covers the same ground with other cells, starting from a corner."""
    crs = source.crs if projection is None else places.crs_text(places.read_crs(projection, "projection"))
    cover = source if source.crs == crs else source.to_crs(crs, tight=True)
    rx, ry = (
        abs(float(w)) if w else abs(own) for w, own in zip(resolution, cover.resolution.xy, strict=True)
    )
    left, bottom, right, top = cover.extent.boundingbox.bbox
    for span, r in ((right - left, rx), (top - bottom, ry)):
        if not LEAST < span / r < MOST:
            raise ProcessParameterInvalid(
                f"cells of {r:g} cannot cover {span:g} units of the projection", parameter="resolution"
            )
    columns, rows = (
        max(1, int(np.ceil(span / r - 1e-6))) for span, r in ((right - left, rx), (top - bottom, ry))
    )
    x0 = left if align.endswith("left") else right - columns * rx
    y0 = top if align.startswith("upper") else bottom + rows * ry
    return GeoBox((rows, columns), Affine(rx, 0, x0, 0, -ry, y0), crs)


def onto_grid(data: xr.DataArray, target: GeoBox, method: str = "near") -> xr.DataArray:
    """The cube on a given grid, lazily; no-data outside its own."""
    y, x = axes.plane(data)
    source = places.grid(data)
    before = Coding.of(data)
    after = warpable(before)
    others = [str(d) for d in data.dims if d not in (y, x)]
    flat = data if data.dims == (*others, y, x) else data.transpose(*others, y, x)
    if after != before:
        flat = recoded(flat, before, after)
    null = np.nan if after.dtype.kind == "f" else after.nodata
    array = warp(flat.data, source, target, method, null)
    kept = labels_of(data, lambda name, coord: name != "spatial_ref" and not {y, x} & set(coord.dims))
    attrs = after.attrs({k: v for k, v in data.attrs.items() if k not in ("crs", "grid_mapping")})
    moved = (kept | places.grid_labels(target, y, x)).cube(array, (*others, y, x), attrs)
    moved.name = data.name
    return moved if moved.dims == data.dims else moved.transpose(*data.dims)


def warpable(coding: Coding) -> Coding:
    """A coding like this one that can be warped; refuses texts."""
    if coding.dtype.kind == "O":
        raise ProcessParameterInvalid(
            "cells of texts cannot be put onto another grid",
            hint="Make numbers of them first, with apply.",
            parameter="data",
        )
    return Coding(np.dtype(np.float32)) if coding.dtype == np.float16 else with_null(coding)


def recoded(cube: xr.DataArray, before: Coding, after: Coding) -> xr.DataArray:
    """The same cells, stored in another way."""
    dims = tuple(map(str, cube.dims))
    return rebuilt(cube, blockwise(Recode(before, after), dims, cube, dtype=after.dtype), dims, after)


@dataclass(frozen=True)
class Recode:
    """Storing cells in another way, as a function of one stored block."""

    before: Coding
    after: Coding

    def __call__(self, block: np.ndarray) -> np.ndarray:
        return self.after.encode(self.before.decode(block), block.shape)


# ----------------------------------------------------------------------------------------- resampling
def matching(data: xr.DataArray, target: xr.DataArray, dimension: str | None) -> tuple[str, ...]:
    """The temporal dimensions that are resampled."""
    if dimension is None:
        found = tuple(d for d in axes.of_kind(data, "temporal") if d in axes.of_kind(target, "temporal"))
        if not found:
            raise DimensionMismatch(
                "no temporal dimension has the same name in both cubes: data has "
                f"{axes.listing(data)}, target has {axes.listing(target)}",
                hint="Rename one of them.",
                parameter="target",
            )
        return found
    for cube, name in ((data, "data"), (target, "target")):
        if dimension not in cube.dims:
            raise DimensionNotAvailable(
                f"{name} has no dimension {dimension!r}; it has {axes.listing(cube)}", parameter="dimension"
            )
        if axes.kind(cube, dimension) != "temporal":
            raise DimensionMismatch(
                f"dimension {dimension!r} of {name} is not temporal but of type {axes.kind(cube, dimension)}",
                parameter="dimension",
            )
    return (dimension,)


def nearest_times(
    data: xr.DataArray, dim: str, times: Instants, wanted: Instants, labels: Any, valid_within: float | None
) -> xr.DataArray:
    """The cube at the wished times."""
    beside = [n for n, c in data.coords.items() if dim in c.dims and n != dim]
    data = data.drop_vars(beside)
    order = np.argsort(times.micros, kind="stable")
    away = np.abs(times.micros[order][None, :] - wanted.micros[:, None])
    ranks = order[np.argsort(away, axis=1, kind="stable")]
    if valid_within is None:
        if not data.sizes[dim]:
            raise ProcessParameterInvalid(f"the data has no label along {dim!r} to take values from")
        return data.isel({dim: ranks[:, 0]}).assign_coords({dim: labels})
    near = np.abs(times.micros[ranks] - wanted.micros[:, None])
    counts = ((near < valid_within * DAY) | (near == 0)).sum(axis=1)
    choices = tuple(row[:n] for row, n in zip(ranks, counts, strict=True))
    before = Coding.of(data)
    after = with_null(before)
    dims = tuple(map(str, data.dims))
    run = NearestValid(choices, data.dims.index(dim), before, after)
    array = blockwise(run, dims, data, dtype=after.dtype, sizes={dim: len(choices)})
    return rebuilt(data, array, dims, after, **{dim: labels})


@dataclass(frozen=True)
class NearestValid:
    """The first valid value among choices, as a function of one stored block with all times."""

    choices: tuple[np.ndarray, ...]
    """For each new time the places of old ones, the best first."""
    position: int
    before: Coding
    after: Coding

    def __call__(self, block: np.ndarray) -> np.ndarray:
        series = np.moveaxis(block, self.position, 0)
        null = np.asarray(nulls(self.before.decode(series)))
        valid = np.broadcast_to(~null, series.shape)
        if series.dtype.kind == "f":
            valid = np.isfinite(series)
        stored = self.after.encode(self.before.decode(series), series.shape)
        out = np.full((len(self.choices), *series.shape[1:]), self.after.null, dtype=self.after.dtype)
        for new, best in enumerate(self.choices):
            missing = np.ones(out.shape[1:], dtype=bool)
            for old in best:
                out[new] = np.where(missing & valid[old], stored[old], out[new])
                missing &= ~valid[old]
                if not missing.any():
                    break
        return np.moveaxis(out, 0, self.position)
