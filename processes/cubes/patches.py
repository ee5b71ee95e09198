"""Parts of a cube as cubes of their own, held in memory, for child graphs that work on cubes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr

from processes.cubes import axes
from processes.cubes.cells import Coding
from processes.cubes.extents import going_on
from processes.errors import DataCubePropertiesImmutable
from processes.types import Json

RASTER: Json = {
    "type": "object",
    "subtype": "datacube",
    "dimensions": [{"type": "spatial", "axis": ["x", "y"]}],
}
"""The schema of a part."""
PROBE = 4
"""A child graph is tried out on no more cells than this along x and y."""


@dataclass(frozen=True, eq=False)
class Template:
    """A cube without its values."""

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    kinds: tuple[str, ...]
    """The types of the dimensions."""
    labels: tuple[np.ndarray, ...]
    """The labels of each dimension."""
    label_attrs: tuple[Mapping[str, Any], ...]
    scalars: Mapping[str, Any]
    """Coordinates without a dimension, such as the CRS."""
    coding: Coding
    """How the values of the parts are stored."""
    attrs: Mapping[str, Any]

    @classmethod
    def of(cls, cube: xr.DataArray, coding: Coding) -> Template:
        """The cube without its values; the parts are stored in this coding."""
        dims = tuple(map(str, cube.dims))
        return cls(
            dims,
            cube.shape,
            tuple(axes.kind(cube, d) for d in dims),
            tuple(cube.coords[d].values if d in cube.coords else np.arange(cube.sizes[d]) for d in dims),
            tuple(
                {**cube.coords[d].attrs, "type": axes.kind(cube, d)} if d in cube.coords else {} for d in dims
            ),
            {str(n): c.variable for n, c in cube.coords.items() if not c.dims},
            coding,
            coding.attrs(cube.attrs),
        )

    def part(self, cells: np.ndarray, ranges: Sequence[tuple[int, int]]) -> xr.DataArray:
        """A part of the cube with these values; ranges of labels may go beyond the cube."""
        coords: dict[str, Any] = dict(self.scalars)
        for axis, (low, high) in enumerate(ranges):
            coords[self.dims[axis]] = (self.dims[axis], self.between(axis, low, high), self.label_attrs[axis])
        return xr.DataArray(cells, dims=self.dims, coords=coords, attrs=dict(self.attrs))

    def between(self, axis: int, low: int, high: int) -> np.ndarray:
        """The labels of a range; beyond the cube they go on evenly."""
        before, after = max(0, -low), max(0, high - self.shape[axis])
        return going_on(self.labels[axis], before, after)[low + before : high + before]

    def names(self, axis: int, low: int, high: int) -> tuple[Any, ...]:
        """The labels of a range as graphs see them."""
        dim = self.dims[axis]
        values = self.between(axis, low, high)
        return axes.labels(xr.DataArray(values, dims=(dim,), coords={dim: values}), dim)


def checked(result: Any, given: xr.DataArray, fixed: bool = True) -> xr.DataArray:
    """What a child graph gave for a part; refuses other dimensions, and, where they are fixed, other labels."""
    if not isinstance(result, xr.DataArray) or set(result.dims) != set(given.dims):
        there = (
            axes.listing(result)
            if isinstance(result, xr.DataArray)
            else f"no cube but {type(result).__name__}"
        )
        raise DataCubePropertiesImmutable(
            f"the child graph got a cube of {axes.listing(given)} and gives {there}",
            hint="Use processes that keep all dimensions.",
            parameter="process",
        )
    result = result.transpose(*given.dims)
    for dim in map(str, given.dims):
        same = result.sizes[dim] == given.sizes[dim]
        if not same or (fixed and axes.labels(result, dim) != axes.labels(given, dim)):
            raise DataCubePropertiesImmutable(
                f"the child graph changed the labels of {dim!r}: {given.sizes[dim]} before, {result.sizes[dim]} after",
                parameter="process",
            )
    if isinstance(result.data, da.Array):  # something lazy from outside went in
        return result.compute(scheduler="synchronous")
    return result
