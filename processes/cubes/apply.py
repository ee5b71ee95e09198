"""A child graph for every cell, or for every series of cells along a dimension."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from processes.cubes import axes
from processes.cubes.cells import Coding, blockwise, coding_for, computed, one_value, rebuilt, value_of_each
from processes.errors import ProcessParameterInvalid, TargetDimensionExists
from processes.mixing import along, nothing
from processes.registry import process
from processes.types import AnyValue, ArrayMapper, Cube, DimensionName, Mapper, OptionalName, Reducer
from processes.values import Labeled, Masked, is_scalar, values_of


@process("cubes", mixes=nothing)
def apply(data: Cube, process: Mapper, context: AnyValue = None) -> Cube:
    """Compute a new value for each cell

    The cube keeps its dimensions and labels; every value is replaced by what the child graph makes of it.

    Args:
        data: A cube.
        process: What is done with each value.
        context: Passed on to the child graph.

    Returns:
        The cube with its new values.
    """
    before = Coding.of(data)
    probe = before.decode(before.probe((1,) * data.ndim))
    result = value_of_each(process(probe, context=context), data.ndim, "process")
    after = coding_for(result, before)
    run = OnCells(process, context, before, after)
    dims = tuple(map(str, data.dims))
    return computed(rebuilt(data, blockwise(run, dims, data, dtype=after.dtype), dims, after))


@process("cubes", "reducer", mixes=along(argument="dimension", gone=True))
def reduce_dimension(
    data: Cube, reducer: Reducer, dimension: DimensionName, context: AnyValue = None
) -> Cube:
    """Make one value of each series of values along a dimension

    The dimension is gone afterwards; all others stay as they are.

    Args:
        data: A cube.
        reducer: What makes one value of many.
        dimension: Name of the dimension that is given up.
        context: Passed on to the child graph.

    Returns:
        The cube without the dimension.

    Raises:
        DimensionNotAvailable: `dimension` is not one of the cube's.
    """
    series = Series.along(data, axes.require(data, dimension), context)
    result = one_value(reducer(series.probe(data), context=context), data.ndim - 1, "reducer")
    after = coding_for(result, series.coding)
    dims = tuple(str(d) for d in data.dims if d != dimension)
    run = OnSeries(reducer, series, after, keeps=False)
    return computed(rebuilt(data, blockwise(run, dims, data, dtype=after.dtype), dims, after))


@process("cubes", mixes=along(argument=("dimension", "target_dimension")))
def apply_dimension(
    data: Cube,
    process: ArrayMapper,
    dimension: DimensionName,
    target_dimension: OptionalName = None,
    context: AnyValue = None,
) -> Cube:
    """Compute new values from each series of values along a dimension

    Where as many values come out as went in and the dimension stays, its labels stay, too; otherwise the new
    labels are 0, 1, 2, ...

    Args:
        data: A cube.
        process: What makes new values of the series.
        dimension: Name of the dimension along which the series run.
        target_dimension: Name of the dimension that takes the new values: a new one (of type `other`), one with a
            single label, or `null` for the same one.
        context: Passed on to the child graph.

    Returns:
        The cube with its new values.

    Raises:
        DimensionNotAvailable: `dimension` is not one of the cube's.
    """
    source = axes.require(data, dimension)
    target = source if target_dimension is None else target_dimension
    if target != source and data.sizes.get(target, 1) != 1:
        raise TargetDimensionExists(
            f"dimension {target!r} has {data.sizes[target]} labels; it may have one",
            parameter="target_dimension",
        )
    what = {"type": "other"} if target not in data.dims else axes.nature(data, target)
    order = tuple(str(d) for d in data.dims if d != source)
    if target not in order:  # it takes the place of the source
        order = tuple(target if d == source else str(d) for d in data.dims)
    elif target != source:
        data = data.isel({target: 0}, drop=True)
    series = Series.along(data, source, context)
    result = process(series.probe(data), context=context)
    count = elements(result, data.ndim)
    after = coding_for(values_of(result), series.coding)
    dims = tuple(target if d == source else str(d) for d in data.dims)
    run = OnSeries(process, series, after, keeps=True)
    array = blockwise(run, dims, data, dtype=after.dtype, sizes={target: count})
    coords = target_coords(data, source, target, np.arange(count), what)
    return computed(rebuilt(data, array, dims, after, **coords)).transpose(*order)


def target_coords(
    data: xr.DataArray, source: str, target: str, labels: np.ndarray, attrs: dict[str, Any]
) -> dict[str, Any]:
    """The coordinate of the dimension that took the new values."""
    if source == target and len(labels) == data.sizes[source]:
        return {}
    extra = [str(name) for name, c in data.coords.items() if source in c.dims and name != target]
    if extra and source == target:
        raise ProcessParameterInvalid(
            f"the coordinates {sorted(extra)} go with the labels of {source!r}, which change in number",
            hint="Give a target_dimension: they are left out with the dimension.",
            parameter="process",
        )
    return {target: (target, labels, attrs)}


def is_array(result: Any, ndim: int) -> bool:
    """Does a child graph give an array for each place, rather than one value? `ndim` counts the cube's axes."""
    if isinstance(result, (list, tuple, Labeled)):
        return True
    return not is_scalar(result) and np.ndim(result.data if isinstance(result, Masked) else result) >= ndim


def elements(result: Any, ndim: int) -> int:
    """How many values a child graph gives for each series; at least one."""
    if is_array(result, ndim):
        data = values_of(result)
        count = len(data.data if isinstance(data, Masked) else data)
        if count > 0:
            return count
    raise ProcessParameterInvalid(
        "the child graph has to give an array with at least one element",
        hint="Use reduce_dimension for a single value.",
        parameter="process",
    )


@dataclass(frozen=True)
class OnCells:
    """A child graph over single cells, as a function of one stored block."""

    process: Mapper
    context: Any
    before: Coding
    after: Coding

    def __call__(self, block: np.ndarray) -> np.ndarray:
        result = self.process(self.before.decode(block), context=self.context)
        return self.after.encode(result, block.shape)


@dataclass(frozen=True)
class Series:
    """Series of cells along one dimension."""

    position: int
    """Which axis of the cube they run along."""
    labels: tuple[Any, ...]
    coding: Coding
    context: Any
    dims: tuple[str, ...] = ()
    """Names of the dimensions, that of the series first."""

    @classmethod
    def along(cls, data: xr.DataArray, dimension: str, context: Any) -> Series:
        """The series along that dimension of the cube."""
        dims = (dimension, *(str(d) for d in data.dims if d != dimension))
        return cls(data.dims.index(dimension), axes.labels(data, dimension), Coding.of(data), context, dims)

    def of(self, block: np.ndarray) -> Labeled:
        """A stored block as a labelled array along its first axis."""
        values = self.coding.decode(np.moveaxis(block, self.position, 0))
        return Labeled(values, self.labels, self.dims)

    def probe(self, data: xr.DataArray) -> Labeled:
        """The series of one place, to find out what a child graph gives."""
        shape = [1] * data.ndim
        shape[self.position] = len(self.labels)
        return self.of(self.coding.probe(shape))


@dataclass(frozen=True)
class OnSeries:
    """A child graph over series of cells, as a function of one stored block."""

    process: Reducer | ArrayMapper
    series: Series
    after: Coding
    keeps: bool
    """Does it give an array for each series, to be put where the series was?"""

    def __call__(self, block: np.ndarray) -> np.ndarray:
        result = self.process(self.series.of(block), context=self.series.context)
        places = np.delete(block.shape, self.series.position)
        if not self.keeps:
            return self.after.encode(result, tuple(places))
        values = values_of(result)
        count = len(values.data if isinstance(values, Masked) else values)
        if isinstance(values, Masked):
            values = replace(
                values, data=spread_out(values.data, places), null=spread_out(values.null, places)
            )
        else:
            values = spread_out(values, places)
        return np.moveaxis(self.after.encode(values, (count, *places)), 0, self.series.position)


def spread_out(values: Any, places: np.ndarray) -> np.ndarray:
    """An array that is the same everywhere, or has a value for each place, in full shape."""
    values = np.asarray(values)
    padded = values.reshape(values.shape + (1,) * (len(places) + 1 - values.ndim))
    return np.broadcast_to(padded, (values.shape[0], *places))
