"""Lazy arrays that are made window by window: any region is made of the whole windows that it lies in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from dask.base import tokenize

from processes.cubes.extents import Window
from processes.places import Place, Region, hull, size, taken
from processes.recipes import Changed, Chunks


class OverWindows(Protocol):
    """What makes new values of windows, as a function of one stored block that holds all they see."""

    @property
    def parts(self) -> tuple[tuple[Window, ...], ...]:
        """For each dimension the windows."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the new values."""
        ...

    @property
    def seen_by_all(self) -> tuple[slice, ...]:
        """The cells of the cube that any of the windows sees."""
        ...

    def over(self, chosen: Sequence[slice]) -> OverWindows:
        """The same over some of the windows along each dimension."""
        ...

    def __call__(self, block: np.ndarray) -> np.ndarray:
        """The new values of all windows."""
        ...


@dataclass(frozen=True, eq=False)
class Patched(Changed):
    """The recipe of an array that a child graph over windows made; regions are made of whole windows."""

    run: OverWindows
    """The child graph and its windows."""
    chunks: Chunks
    """Blocks of whole windows."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the new values."""
        return self.run.dtype

    @cached_property
    def token(self) -> str:
        """The same for the same windows over the same numbers."""
        return str(tokenize(self.source.token, self.run))

    def needs(self, region: Region) -> tuple[Region, ...]:
        """What the windows see that the region lies in."""
        return (self.over(region).seen_by_all if 0 not in size(region) else nowhere(region),)

    def make(self, region: Region, blocks: Sequence[np.ndarray]) -> np.ndarray:
        """Run the child graph on the windows that the region lies in."""
        if 0 in size(region):
            return np.zeros(size(region), self.dtype)
        step = self.over(region)
        inside = zip(region, step.parts, strict=True)
        return taken(step(blocks[0]), [moved(place, -ws[0].start) for place, ws in inside])

    def over(self, region: Region) -> OverWindows:
        """The run over the windows that a region lies in."""
        chosen = []
        for place, ws in zip(region, self.run.parts, strict=True):
            inside = hull(place)
            at = [i for i, w in enumerate(ws) if w.start < inside.stop and w.stop > inside.start]
            chosen.append(slice(at[0], at[-1] + 1))
        return self.run.over(chosen)


def nowhere(region: Region) -> Region:
    """A region without a place, of as many axes."""
    return tuple(slice(0, 0) for _ in region)


def moved(place: Place, by: int) -> Place:
    """The same places, counted from elsewhere."""
    return slice(place.start + by, place.stop + by) if isinstance(place, slice) else place + by
