"""Lazy cubes that know how they are computed, and note what is read of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from engine.load.natural import NATURAL
from processes.lazy import Lazy
from processes.places import Region, size, taken
from processes.recipes import Chunks


@dataclass(frozen=True, eq=False)
class Noting:
    """A source in memory that notes the regions that are read."""

    array: np.ndarray
    chunks: Chunks
    read: list[Region] = field(default_factory=list)
    inputs = ()

    @property
    def shape(self):
        return self.array.shape

    @property
    def dtype(self):
        return self.array.dtype

    @property
    def token(self):
        return f"noting {id(self)}"

    @property
    def cells(self):
        """How many cells were read."""
        return sum(int(np.prod(size(r))) for r in self.read)

    def needs(self, region):
        return ()

    def make(self, region, blocks):
        self.read.append(region)
        return taken(self.array, region)

    def of(self, inputs):
        return self


def lazy(cube: xr.DataArray, chunks: int | None = None) -> tuple[xr.DataArray, Noting]:
    """A cube that is computed from a source which notes what is read, in squares of so many cells."""
    plane = (chunks or max(cube.shape),) * 2
    sizes = tuple(
        tuple(min(edge, n - i) for i in range(0, n, edge))
        for n, edge in zip(cube.shape, (*cube.shape[:-2], *plane), strict=True)
    )
    source = Noting(cube.values, sizes)
    return cube.copy(data=Lazy(source, NATURAL)), source
