"""Indices of bands."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import xarray as xr

from processes.cubes import axes, filters
from processes.cubes.cells import Coding, blockwise, coding_for, rebuilt
from processes.cubes.merge import merge_cubes
from processes.errors import (
    BandExists,
    DimensionAmbiguous,
    NirBandAmbiguous,
    ProcessError,
    ProcessParameterInvalid,
    RedBandAmbiguous,
)
from processes.math import normalized_difference
from processes.mixing import along
from processes.registry import process
from processes.types import BandName, NewBandName, RasterBandCube, RasterCube
from processes.values import join, split


@process(
    "cubes",
    "math > indices",
    "vegetation indices",
    mixes=along("bands").reading("nir", "red", unless="target_band"),
)
def ndvi(
    data: RasterBandCube, nir: BandName = "nir", red: BandName = "red", target_band: NewBandName = None
) -> RasterCube:
    """The Normalized Difference Vegetation Index

    `(nir - red) / (nir + red)`, after Rouse et al. (1974): near 1 over dense green plants, near 0 over bare soil,
    below 0 over water.

    Args:
        data: A raster cube with a near infrared and a red band.
        nir: Name or common name of the near infrared band.
        red: Name or common name of the red band.
        target_band: Name of a band that the index is added as; by default the bands are given up for the index.

    Returns:
        The index, without a dimension of type bands; or the cube with one band more.

    Raises:
        NirBandAmbiguous: It is not clear which band is `nir`.
        RedBandAmbiguous: It is not clear which band is `red`.
        DimensionAmbiguous: There is no dimension of type bands, or more than one.
        BandExists: There is a band `target_band` already.
    """
    if len(axes.of_kind(data, "bands")) != 1:
        raise DimensionAmbiguous(f"the cube has {axes.listing(data)}", parameter="data")
    dim = axes.bands(data)
    wanted = one_band(data, nir, NirBandAmbiguous, "nir"), one_band(data, red, RedBandAmbiguous, "red")
    index = difference(data, dim, *wanted)
    if target_band is None:
        return index
    if target_band in axes.labels(data, dim):
        raise BandExists(
            f"there is a band {target_band!r}; {filters.known_bands(data)}", parameter="target_band"
        )
    if not re.fullmatch(r"\w+", target_band):
        raise ProcessParameterInvalid(
            f"{target_band!r} is no name for a band: there is more than letters, digits and _ in it",
            parameter="target_band",
        )
    attrs = {**data.coords[dim].attrs, "bands": [{"name": target_band}]}
    named = index.expand_dims({dim: [target_band]}, axis=data.dims.index(dim))
    return merge_cubes(data, named.assign_coords({dim: (dim, [target_band], attrs)}))


def one_band(data: xr.DataArray, name: str, error: type[ProcessError], parameter: str) -> int:
    """Where the one band of that name or common name is."""
    found = axes.find_bands(data, name)
    if len(found) == 1:
        return found[0]
    raise error(
        f"{'no band is' if not found else f'{len(found)} bands are'} called {name!r}; {filters.known_bands(data)}",
        hint=f'Name the band, for example {parameter}="B08".' if parameter == "nir" else None,
        parameter=parameter,
    )


def difference(data: xr.DataArray, dim: str, first: int, second: int) -> xr.DataArray:
    """The normalized difference of two bands, which takes the place of the bands."""
    before = Coding.of(data)
    run = Difference(before, Coding(np.dtype(np.float32)), data.dims.index(dim))
    after = coding_for(run.cells(before.probe((2,) * data.ndim)), before)
    run = Difference(before, after, data.dims.index(dim))
    dims = tuple(str(d) for d in data.dims if d != dim)
    return rebuilt(
        data, blockwise(run, dims, data.isel({dim: [first, second]}), dtype=after.dtype), dims, after
    )


@dataclass(frozen=True)
class Difference:
    """The normalized difference of two bands, as a function of one stored block."""

    before: Coding
    after: Coding
    position: int

    def cells(self, block: np.ndarray) -> object:
        """The index with NaN for no-data."""
        values, null = split(self.before.decode(np.moveaxis(block, self.position, 0)))
        with np.errstate(all="ignore"):
            index = normalized_difference(values[0], values[1])
        return index if np.ndim(null) == 0 else join(index, null[0] | null[1], index)

    def __call__(self, block: np.ndarray) -> np.ndarray:
        return self.after.encode(self.cells(block), tuple(np.delete(block.shape, self.position)))
