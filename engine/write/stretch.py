"""How values become 8-bit levels: the range, taken from a sample where the user gave none."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from engine.write.sheets import Piece, Raster
from engine.write.tally import valid_values

SAMPLE = 1_000_000
"""About how many cells a sample has, whatever the size of the cube."""

PERCENTILES = (2, 98)


class Sample:
    """Every n-th cell of every n-th row, wherever block borders run; so the same for any chunks."""

    def __init__(self, raster: Raster, bands: int) -> None:
        cells = len(raster.sheets) * bands * raster.grid.width * raster.grid.height
        self.step = max(1, math.ceil(math.sqrt(cells / SAMPLE)))
        """Distance of the cells that are taken."""
        self._bands = bands
        self._nodata = raster.nodata
        self._values: list[np.ndarray] = []

    def add(self, piece: Piece) -> None:
        """Take what belongs to the sample."""
        bands, rows, columns = piece.where
        first_row, first_column = -rows.start % self.step, -columns.start % self.step
        wanted = max(0, self._bands - bands.start)
        cells = piece.cells[:wanted, first_row :: self.step, first_column :: self.step]
        self._values.append(valid_values(cells, self._nodata).copy())

    def range(self) -> tuple[float, float]:
        """The 2nd and 98th percentile; 0 and 1 where nothing is valid."""
        values = np.concatenate(self._values) if self._values else np.empty(0)
        if values.size == 0:
            return 0.0, 1.0
        low, high = np.percentile(values.astype("float64"), PERCENTILES)
        return float(low), float(high)


@dataclass(frozen=True)
class Stretch:
    """A range of values that is mapped linearly onto levels."""

    low: float
    """What becomes level 0, and all below."""
    high: float
    """What becomes the highest level, and all above."""

    def levels(self, values: np.ndarray, highest: int) -> np.ndarray:
        """The levels of values, uint8; a range of no width gives the middle one, NaN gives 0."""
        if self.high <= self.low:
            return np.full(values.shape, highest // 2 + 1, dtype="uint8")
        share = (values.astype("float64") - self.low) / (self.high - self.low)
        return np.rint(np.nan_to_num(np.clip(share, 0, 1)) * highest).astype("uint8")
