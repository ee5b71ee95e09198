"""Grids whose cells are made of whole cells of finer ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from odc.geo.geobox import GeoBox

from processes.cubes.named import Named
from processes.kernels.means import block_means

CLOSE = 1e-4
"""Old cells by which the edges of new ones may be off."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """The old cells that new ones are made of."""

    size: tuple[int, int]
    """Rows and columns of old cells that go into a new one."""
    first: tuple[int, int]
    """Row and column of the old cell in the upper left corner of the new grid; negative where it begins outside."""

    def under(self, rows: slice, columns: slice, old: tuple[int, int]) -> tuple[slice, slice]:
        """The window of an old grid of that shape under some new cells; empty where there is none."""
        found = []
        for part, size, first, count in zip((rows, columns), self.size, self.first, old, strict=True):
            start, stop = (min(max(first + n * size, 0), count) for n in (part.start, part.stop))
            found.append(slice(start, stop))
        return (found[0], found[1]) if all(s.start < s.stop for s in found) else (slice(0, 0), slice(0, 0))

    def means(
        self, values: np.ndarray, corner: tuple[int, int], rows: slice, columns: slice, null: float | None
    ) -> np.ndarray:
        """The means of old cells as the new cells in these rows and columns.

        Args:
            values: Old cells, (..., y, x), those under the new ones among them.
            corner: Row and column of the first of these in the old grid.
            rows: The rows of new cells.
            columns: Their columns.
            null: The number that stands for no-data, before and after.
        """
        shape = rows.stop - rows.start, columns.stop - columns.start
        before, cut = [0, 0], [slice(None), slice(None)]
        for axis, part in enumerate((rows, columns)):
            size, count = self.size[axis], values.shape[axis - 2]
            start = self.first[axis] + part.start * size - corner[axis]  # among the values
            cut[axis] = slice(min(max(start, 0), count), min(max(start + shape[axis] * size, 0), count))
            before[axis] = cut[axis].start - start
        return block_means(values[..., cut[0], cut[1]], self.size, (before[0], before[1]), shape, null)


def blocks(old: GeoBox, new: GeoBox) -> Blocks | None:
    """How the new grid is made of whole cells of the old one; none where it is not."""
    return _blocks(Named(old), Named(new))


@lru_cache(maxsize=64)
def _blocks(named: Named, other: Named) -> Blocks | None:
    old, new = named.grid, other.grid
    if old.crs != new.crs or not old.axis_aligned or not new.axis_aligned:
        return None
    way = ~old.transform * new.transform
    along = ((way.e, way.f, new.shape[0]), (way.a, way.c, new.shape[1]))
    size = tuple(round(step) for step, _, _ in along)
    first = tuple(round(start) for _, start, _ in along)
    if min(size) < 1 or max(size) < 2:
        return None
    for (step, start, count), cells, place in zip(along, size, first, strict=True):
        if abs(step - cells) * count > CLOSE or abs(start - place) > CLOSE:
            return None
    return Blocks((size[0], size[1]), (first[0], first[1]))
