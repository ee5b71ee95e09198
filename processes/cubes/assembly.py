"""Cubes put together of labels that are known already.

xarray's own way copies all labels and makes their indexes anew for each cube, which for small ones takes longer than
their numbers do.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from xarray.indexes import PandasIndex


@dataclass(frozen=True, slots=True)
class Labels:
    """Coordinates with their indexes, as cubes hold them."""

    coords: Mapping[Hashable, xr.Variable]
    indexes: Mapping[Hashable, xr.Index]

    def __or__(self, other: Labels) -> Labels:
        return Labels({**self.coords, **other.coords}, {**self.indexes, **other.indexes})

    def cube(self, data: Any, dims: Sequence[str], attrs: Mapping[str, Any]) -> xr.DataArray:
        """A cube without a name of these labels and of an array of as many axes.

        Raises:
            ValueError: An axis is longer or shorter than its labels.
        """
        variable = xr.Variable(tuple(dims), data, attrs)
        sizes = dict(zip(variable.dims, variable.shape, strict=True))
        for name, coord in self.coords.items():
            for dim, count in zip(coord.dims, coord.shape, strict=True):
                if sizes.get(dim) != count:
                    raise ValueError(
                        f"{count} labels {name!r} along {dim!r}, which has {sizes.get(dim)} cells"
                    )
        own = {name: coord.copy(deep=False) for name, coord in self.coords.items()}
        return xr.DataArray(variable, own, indexes=dict(self.indexes), fastpath=True)


def labels_of(cube: xr.DataArray, stays: Callable[[Hashable, xr.Variable], bool]) -> Labels:
    """Those labels of a cube that stay, told by name."""
    kept = {name: coord for name, coord in cube.coords.variables.items() if stays(name, coord)}
    return Labels(kept, {name: index for name, index in cube.xindexes.items() if name in kept})


def labels_along(dim: str, values: np.ndarray, attrs: Mapping[str, Any]) -> Labels:
    """The labels of a dimension, with what they say of themselves."""
    index = PandasIndex(values, dim, coord_dtype=values.dtype)
    return Labels(index.create_variables({dim: xr.Variable((dim,), values, attrs)}), {dim: index})


def labels_beside(name: str, variable: xr.Variable) -> Labels:
    """What stands beside the labels of dimensions, or of none."""
    return Labels({name: variable}, {})
