"""One value for each group of labels along a dimension."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from processes.cubes import axes
from processes.cubes.cells import (
    Coding,
    blockwise,
    coding_for,
    common,
    computed,
    one_value,
    rebuilt,
    with_null,
)
from processes.types import Reducer
from processes.values import Labeled, split


def grouped(
    data: xr.DataArray,
    dim: str,
    groups: tuple[np.ndarray, ...],
    labels: np.ndarray,
    reducer: Reducer,
    context: Any,
) -> xr.DataArray:
    """Reduce the values of each group to one, lazily.

    Args:
        data: A cube.
        dim: The dimension that is grouped; it stays, with one label for each group.
        groups: For each group the places of its labels, in order. Groups may be empty, and may overlap.
        labels: A label for each group.
        reducer: Makes one value of the values of a group.
        context: Passed on to the reducer.
    """
    run = Grouping(reducer, context, groups, axes.labels(data, dim), data.dims.index(dim), Coding.of(data))
    after = run.coding(data.ndim)
    run = Grouping(run.reducer, context, groups, run.labels, run.position, run.before, after)
    dims = tuple(map(str, data.dims))
    data = data.drop_vars([n for n, c in data.coords.items() if dim in c.dims and n != dim])
    array = blockwise(run, dims, data, dtype=after.dtype, sizes={dim: len(groups)})
    kept = {k: v for k, v in data.coords[dim].attrs.items() if k not in ("units", "calendar", "bounds")}
    coord = (dim, labels, kept | {"type": axes.kind(data, dim)})
    return computed(rebuilt(data, array, dims, after, **{dim: coord}))


@dataclass(frozen=True)
class Grouping:
    """A reducer over groups along one dimension, as a function of one stored block with all labels."""

    reducer: Reducer
    context: Any
    groups: tuple[np.ndarray, ...]
    labels: tuple[Any, ...]
    position: int
    before: Coding
    after: Coding | None = None
    """How results are stored; `None` until a probe has told."""

    def reduced(self, series: np.ndarray, group: np.ndarray) -> Any:
        """The value of one group for each place; `series` has the dimension first."""
        cells = Labeled(self.before.decode(series[group]), tuple(self.labels[i] for i in group))
        return self.reducer(cells, context=self.context)

    def coding(self, ndim: int) -> Coding:
        """How to store what the reducer gives, found out on one place for the largest and for an empty group."""
        series = self.before.probe((len(self.labels), *(1,) * (ndim - 1)))
        largest = max(self.groups, key=len, default=np.zeros(0, dtype=int))
        result = one_value(self.reduced(series, largest), ndim - 1, "reducer")
        if not len(largest):
            return with_null(coding_for(result, self.before))
        after = coding_for(result, self.before)
        if any(len(g) == 0 for g in self.groups):
            nothing = self.reduced(series, np.zeros(0, dtype=int))
            if np.all(split(nothing)[1]):
                return with_null(after)
            after = common(after, coding_for(nothing, self.before))
        return after

    def __call__(self, block: np.ndarray) -> np.ndarray:
        after = self.after
        assert after is not None
        series = np.moveaxis(block, self.position, 0)
        shape = series.shape[1:]
        out = np.empty((len(self.groups), *shape), dtype=after.dtype)
        nothing = None  # the same for all empty groups
        for i, group in enumerate(self.groups):
            if len(group):
                out[i] = after.encode(self.reduced(series, group), shape)
                continue
            if nothing is None:
                nothing = after.encode(self.reduced(series, group), shape)
            out[i] = nothing
        return np.moveaxis(out, 0, self.position)
