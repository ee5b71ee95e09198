"""Many cells become one value: by geometry."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr

from processes.cubes import axes, orders, spreads, totals
from processes.cubes import geometries as shapes
from processes.cubes.cells import Coding, blockwise, coding_for, computed, one_value, rebuilt, with_null
from processes.errors import TargetDimensionExists
from processes.mixing import along
from processes.registry import process
from processes.types import Aggregator, AnyValue, Cube, Geometries, OptionalName, RasterCube, VectorCube
from processes.values import Masked, split

STATISTICS = ("value", "total_count", "valid_count")


@process(
    "cubes", "aggregate", mixes=along("x", "y", argument="target_dimension", gone=True).inside("geometries")
)
def aggregate_spatial(
    data: RasterCube,
    geometries: Geometries,
    reducer: Aggregator,
    target_dimension: OptionalName = None,
    context: AnyValue = None,
) -> VectorCube:
    """Make one value of all cells in each geometry

    A cell is in a polygon where its centre is, in a line where its centre is among the closest to a point of the
    line; for a point it is the closest cell. All other dimensions are kept.

    Args:
        data: A raster cube.
        geometries: GeoJSON (longitude and latitude, WGS 84) or a vector cube; one value for each feature.
        reducer: What makes one value of the cells.
        target_dimension: Name of a new dimension for how many cells there were: with the labels `value`,
            `total_count` and `valid_count`.
        context: Passed on to the reducer.

    Returns:
        A vector cube: the geometries in place of the spatial dimensions, with the properties of the features;
        no-data for geometries without cells. Beside counts, booleans are the numbers 0 and 1.

    Raises:
        TargetDimensionExists: The cube has a dimension `target_dimension` already.
    """
    y, x = axes.plane(data)
    given = shapes.read(geometries, "geometries")
    if target_dimension is not None and target_dimension in {
        *data.dims,
        *data.coords,
        given.dim,
        *given.coords,
    }:
        raise TargetDimensionExists(
            f"the name {target_dimension!r} is taken; the cube has {axes.listing(data)}, the geometries have "
            f"{', '.join(map(str, given.coords))}",
            parameter="target_dimension",
        )
    zones = shapes.cells_of(data, given)
    others = [str(d) for d in data.dims if d not in (y, x)]
    before = Coding.of(data)
    probe = reducer(before.decode(before.probe((2,) + (1,) * len(others))), context=context)
    found = coding_for(one_value(probe, len(others), "reducer"), before)
    after = with_gaps(found, counts=target_dimension is not None)
    flat = data.transpose(*others, y, x)
    statistic = totals.known(reducer, before, after, counts=target_dimension is not None)
    if statistic is not None:
        array = totals.over_blocks(statistic, flat.data, zones.places)
    else:
        chosen = zones.cells()
        run = Zonal(reducer, context, before, after, zones.members(chosen), target_dimension is not None)
        array = over_zones(run, taken_out(flat, chosen, places_x=data.sizes[x]), len(given.coord))
    dims = (given.dim, *others)
    coords: dict[Any, Any] = {
        n: c for n, c in data.coords.items() if set(c.dims) <= set(others) and n not in ("spatial_ref", "crs")
    }
    coords = {**coords, **given.coords}
    if target_dimension is not None:
        dims = (*dims, target_dimension)
        coords[target_dimension] = (target_dimension, list(STATISTICS), {"type": "other"})
    attrs = {k: v for k, v in after.attrs(data.attrs).items() if k not in ("crs", "grid_mapping")}
    return xr.DataArray(array, dims=dims, coords=coords, attrs=attrs).rename(data.name)


@process("aggregate", "cubes", "reducer", experimental=True, mixes=along("x", "y", gone=True))
def reduce_spatial(data: RasterCube, reducer: Aggregator, context: AnyValue = None) -> Cube:
    """Make one value of all cells of the plane

    The horizontal spatial dimensions are gone afterwards; all others stay as they are.

    Args:
        data: A raster cube.
        reducer: What makes one value of all cells, which come in no particular order.
        context: Passed on to the reducer.

    Returns:
        The cube without x and y.
    """
    y, x = axes.plane(data)
    others = tuple(str(d) for d in data.dims if d not in (y, x))
    before = Coding.of(data)
    probe = reducer(before.decode(before.probe((2,) + (1,) * len(others))), context=context)
    after = coding_for(one_value(probe, len(others), "reducer"), before)
    statistic = totals.known(reducer, before, after, counts=False)
    if statistic is not None:
        array = totals.over_plane(statistic, data.transpose(*others, y, x).data)
    else:
        run = OnPlane(reducer, context, before, after)
        array = blockwise(run, others, data.transpose(y, x, *others), dtype=after.dtype)
    out = computed(rebuilt(data, array, others, after)).drop_vars(["spatial_ref", "crs"], errors="ignore")
    out.attrs = {k: v for k, v in out.attrs.items() if k not in ("crs", "grid_mapping")}
    return out


@dataclass(frozen=True)
class OnPlane:
    """A reducer over the plane, as a function of one stored block (y, x, ...) with the whole plane."""

    reducer: Aggregator
    context: Any
    before: Coding
    after: Coding

    @cached_property
    def passing(self) -> orders.Order | spreads.Spread | None:
        """What the result is, where it can be found in a few passes over parts of the cells."""
        told = (self.reducer, self.before, self.after)
        return orders.order_of(*told) or spreads.spread_of(*told)

    def __call__(self, block: np.ndarray) -> np.ndarray:
        cells = block.reshape(block.shape[0] * block.shape[1], *block.shape[2:])
        result = self.reducer(self.before.decode(cells), context=self.context)
        return self.after.encode(result, cells.shape[1:])


def taken_out(data: xr.DataArray, chosen: np.ndarray, places_x: int) -> Any:
    """The chosen cells (flat places in the plane, ascending) of a (..., y, x) cube, along one last axis.

    Block by block, so that no more than the chosen cells are ever together.
    """
    array = data.data
    rows, columns = np.divmod(chosen, places_x)
    if not isinstance(array, da.Array):
        return array[..., rows, columns], np.argsort(chosen)
    parts, order = [], []
    y_edges, x_edges = (np.cumsum((0, *c)) for c in array.chunks[-2:])
    for i, j in np.ndindex(*(len(c) for c in array.chunks[-2:])):
        here = np.flatnonzero(
            (rows >= y_edges[i])
            & (rows < y_edges[i + 1])
            & (columns >= x_edges[j])
            & (columns < x_edges[j + 1])
        )
        if here.size:
            block = array[..., y_edges[i] : y_edges[i + 1], x_edges[j] : x_edges[j + 1]]
            parts.append(picked(block, rows[here] - y_edges[i], columns[here] - x_edges[j]))
            order.append(here)
    if not parts:
        return array[..., 0, :0], np.zeros(0, dtype=int)
    flat = da.concatenate(parts, axis=-1)
    return flat.rechunk({flat.ndim - 1: -1}), np.argsort(np.concatenate(order))


def picked(block: da.Array, rows: np.ndarray, columns: np.ndarray) -> da.Array:
    """Cells of one chunk of the plane."""
    take = Take(rows, columns)
    chunks = (*block.chunks[:-2], (len(rows),))
    return block.map_blocks(take, dtype=block.dtype, chunks=chunks, drop_axis=block.ndim - 1)


@dataclass(frozen=True)
class Take:
    """Picks cells of a block."""

    rows: np.ndarray
    columns: np.ndarray

    def __call__(self, block: np.ndarray) -> np.ndarray:
        return block[..., self.rows, self.columns]


def with_gaps(coding: Coding, *, counts: bool) -> Coding:
    """How values of zones are stored, with no-data for zones without cells: booleans stay, integers become floats.

    Beside counts booleans are the numbers 0 and 1.
    """
    booleans = coding.logical or coding.dtype.kind == "b"
    if booleans and not counts:
        return with_null(coding)
    return Coding(np.dtype(np.float64)) if coding.dtype.kind in "iub" else coding


def over_zones(run: Zonal, taken: tuple[Any, np.ndarray], count: int) -> Any:
    """Run the reducer on the cells of each zone; gives (zone, ..., statistics?)."""
    cells, order = taken
    run = run.reordered(order)
    if not isinstance(cells, da.Array):
        return run(cells)
    extra = (len(STATISTICS),) if run.statistics else ()
    others = tuple(range(1, cells.ndim))
    return da.blockwise(
        run,
        (0, *others, *((cells.ndim + 1,) if extra else ())),
        cells,
        (*others, cells.ndim),
        new_axes={0: count} | ({cells.ndim + 1: extra[0]} if extra else {}),
        concatenate=True,
        dtype=run.dtype,
        meta=np.empty((0,) * (cells.ndim + len(extra)), dtype=run.dtype),
    )


@dataclass(frozen=True)
class Zonal:
    """A reducer over the cells of each zone, as a function of the stored cells (..., cell)."""

    reducer: Aggregator
    context: Any
    coding: Coding
    after: Coding
    members: tuple[np.ndarray, ...]
    """For each zone the places of its cells along the last axis."""
    statistics: bool

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the stored results."""
        return self.after.dtype

    def reordered(self, order: np.ndarray) -> Zonal:
        """The same over cells that come in another order."""
        members = tuple(order[m] for m in self.members)
        return Zonal(self.reducer, self.context, self.coding, self.after, members, self.statistics)

    def __call__(self, cells: np.ndarray) -> np.ndarray:
        cells = np.moveaxis(cells, -1, 0)
        return np.stack([self.one(cells[m]) for m in self.members]) if self.members else self.nothing(cells)

    def nothing(self, cells: np.ndarray) -> np.ndarray:
        """The result for no zones at all."""
        return np.zeros(
            (0, *cells.shape[1:], *((len(STATISTICS),) if self.statistics else ())), dtype=self.dtype
        )

    def one(self, stored: np.ndarray) -> np.ndarray:
        """The value of one zone for each label of the other dimensions."""
        cells = self.coding.decode(stored)
        shape = stored.shape[1:]
        result = self.reducer(cells, context=self.context) if len(stored) else None
        value = self.after.encode(result, shape)
        if not self.statistics:
            return value
        absent = np.broadcast_to(split(cells)[1], stored.shape)
        valid = (~absent).sum(axis=0)
        if not isinstance(cells, Masked) and stored.dtype.kind == "f":
            valid = np.isfinite(stored).sum(axis=0)
        return np.stack([value, np.full(shape, len(stored)), valid], axis=-1).astype(self.dtype)
