"""How values become 8-bit levels: the range, taken from a sample where the user gave none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.write.sheets import Piece, Raster
from engine.write.tally import valid_values

SAMPLE = 1_000_000
"""About how many cells a sample has, whatever the size of the cube."""

PERCENTILES = (2, 98)

AT_ONCE = 32_768
"""Values that are scaled at once: as floats of 8 bytes they stay in the cache, which is three times as fast."""


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
        return percentiles(np.concatenate(self._values) if self._values else np.empty(0))


def percentiles(values: np.ndarray) -> tuple[float, float]:
    """The 2nd and 98th percentile of values; 0 and 1 where there are none."""
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
        if values.dtype.kind in "iu" and values.dtype.itemsize <= 2:
            table = _levels_of_all(self, highest, values.dtype.str)
            return table[values.view(f"u{values.dtype.itemsize}")]
        out = np.empty(values.size, "uint8")
        flat = values.ravel()
        room = np.empty(min(out.size, AT_ONCE))
        for start in range(0, out.size, AT_ONCE):
            part = flat[start : start + AT_ONCE]
            out[start : start + AT_ONCE] = self._scaled(part, highest, room[: part.size])
        return out.reshape(values.shape)

    def _scaled(self, values: np.ndarray, highest: int, room: np.ndarray) -> np.ndarray:
        """Levels as floats, in `room`."""
        np.subtract(values, self.low, out=room, dtype="float64")
        room /= self.high - self.low
        np.fmax(room, 0, out=room)  # NaN becomes 0
        np.fmin(room, 1, out=room)
        room *= highest
        return np.rint(room, out=room)


@lru_cache(maxsize=64)
def _levels_of_all(stretch: Stretch, highest: int, dtype: str) -> np.ndarray:
    """The levels of all values of a small integer type, by their bits."""
    bits = np.arange(2 ** (8 * np.dtype(dtype).itemsize), dtype=f"u{np.dtype(dtype).itemsize}")
    levels = stretch._scaled(bits.view(dtype), highest, np.empty(bits.size)).astype("uint8")
    levels.flags.writeable = False
    return levels
