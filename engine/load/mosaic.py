"""Lays what several files have of a block over each other: the first valid pixel counts."""

from __future__ import annotations

import math

import numpy as np
from odc.loader.types import RasterLoadParams

from engine.load.pieces import Roi


class Mosaic:
    """A block that is being put together."""

    def __init__(self, shape: tuple[int, int], cfg: RasterLoadParams) -> None:
        self.shape = shape
        self.dtype = cfg.dtype
        self.fill = fill_of(cfg)
        self.marked = is_marked(cfg)
        self.covered = 0
        """Pixels that were laid, those that lie over each other included."""
        self._out: np.ndarray | None = None

    def lay(self, roi: Roi, pixels: np.ndarray) -> None:
        """Put pixels where there are none yet; where the cube knows no no-data, the last ones count."""
        self.covered += pixels.size
        if self._out is None and pixels.shape == self.shape:
            self._out = pixels  # most blocks are a window of one file, which is not copied again
            return
        out = self.pixels
        if self.marked:
            patch(out[roi], pixels, self.fill)
        else:
            out[roi] = pixels

    @property
    def full(self) -> bool:
        """Whether nothing that comes later can be seen."""
        return self.marked and self._out is not None and not is_missing(self._out, self.fill).any()

    @property
    def gap(self) -> bool:
        """Whether a cube that knows no no-data lacks pixels."""
        return not self.marked and self.covered < math.prod(self.shape)

    @property
    def pixels(self) -> np.ndarray:
        """The block as it is now."""
        if self._out is None:
            self._out = np.full(self.shape, self.fill, self.dtype)
        return self._out


def patch(below: np.ndarray, pixels: np.ndarray, fill: float) -> None:
    """Put the pixels where there are none yet."""
    np.copyto(below, pixels, where=is_missing(below, fill))


def is_missing(pixels: np.ndarray, fill: float) -> np.ndarray:
    """Where there is no data."""
    if math.isnan(fill):
        missing: np.ndarray = np.isnan(pixels)
        return missing
    return pixels == pixels.dtype.type(fill)


def fill_of(cfg: RasterLoadParams) -> float:
    """What stands where there is no data."""
    if cfg.fill_value is not None:
        return cfg.fill_value
    return math.nan if np.dtype(cfg.dtype).kind in "fc" else 0


def is_marked(cfg: RasterLoadParams) -> bool:
    """Whether the cube knows no-data."""
    return cfg.fill_value is not None or np.dtype(cfg.dtype).kind in "fc"
