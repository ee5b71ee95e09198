"""Cubes that are given in memory: large ones are planned like those that are read, and so computed in blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from processes.cubes import axes
from processes.lazy import Lazy
from processes.recipes import Held, Planner

LARGE = 32 * 2**20
"""Bytes from which on a cube is computed in blocks, many at a time, rather than at once."""


@dataclass(frozen=True, eq=False)
class Given(Held):
    """A cube in memory, whose axes are known."""

    roles: tuple[str, ...] = ()
    """What the axes are to a kernel."""

    @property
    def token(self) -> str:
        """Its own: to look at all numbers of a large array takes longer than to compute with them."""
        return f"given-{id(self.array)}"


def planned(value: Any, planner: Planner) -> Any:
    """A value for a graph: a large raster cube in memory as a lazy one, all else as it is."""
    if not isinstance(value, xr.DataArray) or not isinstance(value.data, np.ndarray):
        return value
    if value.nbytes < LARGE or value.dtype.kind not in "iufb":
        return value
    roles = {axes.axis(value, "y"): "y", axes.axis(value, "x"): "x"}
    if None in roles or value.dims[-2:] != tuple(roles):
        return value
    roles |= dict.fromkeys(axes.of_kind(value, "temporal")[:1], "t")
    recipe = Given(value.data, tuple(roles.get(str(d), "each") for d in value.dims))
    return value.copy(data=Lazy(recipe, planner, tuple((n,) for n in value.shape)))
