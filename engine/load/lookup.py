"""Where each pixel of a target finds its nearest source pixel, computed once for all dates and bands of a block."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from odc.geo.geobox import GeoBox

from engine.load.extent import HAIR
from engine.load.place import full_turn, places
from processes.cubes.named import name_of

LINES = 128
"""Rows whose places are computed at once: few enough for the processor's cache."""
ROOM = 3
"""Lookups that are kept: bands come on two or three grids, and a lookup has nine bytes a pixel."""

Window = tuple[slice, slice]


@dataclass(frozen=True)
class Lookup:
    """For each pixel of a target the place in a window."""

    at: np.ndarray
    """Number of the pixel in the window, row by row."""
    outside: np.ndarray | None
    """Where the window has none; None where it has all."""

    def take(self, pixels: np.ndarray, fill: float) -> np.ndarray:
        """The target's pixels, `fill` where the window has none."""
        out = np.empty(self.at.shape, pixels.dtype)
        np.take(pixels.ravel(), self.at, out=out, mode="clip")
        if self.outside is not None:
            out[self.outside] = fill
        return out


class Lookups:
    """The lookups of one call that were used last."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._kept: OrderedDict[tuple[object, ...], Lookup] = OrderedDict()

    def sample(
        self, grid: GeoBox, window: Window, target: GeoBox, fill: float, pixels: np.ndarray
    ) -> np.ndarray:
        """For each pixel of the target the one of the window in which its centre lies."""
        key = (name_of(grid), name_of(target), *((span.start, span.stop) for span in window))
        lookup = self._kept.get(key)
        if lookup is None:
            lookup = self._kept[key] = lookup_of(grid, window, target)
            while len(self._kept) > self._room:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return lookup.take(pixels, fill)


def lookup_of(grid: GeoBox, window: Window, target: GeoBox) -> Lookup:
    """Find the place of each pixel of the target in a window of the grid."""
    at = np.empty(target.shape, np.intp)
    inside = np.empty(target.shape, bool)
    for start in range(0, target.shape[0], LINES):
        lines = slice(start, min(start + LINES, target.shape[0]))
        _find(grid, window, target[lines, :], at[lines], inside[lines])
    return Lookup(at, None if inside.all() else ~inside)


def _find(grid: GeoBox, window: Window, target: GeoBox, at: np.ndarray, inside: np.ndarray) -> None:
    cols, rows = places(grid, target)
    height, width = (span.stop - span.start for span in window)
    with np.errstate(invalid="ignore"):
        cols += HAIR
        if (turn := full_turn(grid, target)) is not None:
            cols %= turn
        cols -= window[1].start
        rows += HAIR - window[0].start
        inside[:] = (cols >= 0) & (cols < width) & (rows >= 0) & (rows < height)
        at[:] = rows.astype(np.int64) * width + cols.astype(np.int64)
