"""Statistics of cells that come in blocks: one pass, and stable."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from processes.kernels.writing import figures


class Tally:
    """Count, least, greatest, mean and standard deviation of valid cells.

    Each block gives its own mean and sum of squared deviations, which are combined in the end
    (Chan, Golub and LeVeque 1979): no cancellation where values are large and alike
    (test_large_offset shows it). Infinite values count as not valid.
    """

    def __init__(self, nodata: float | None) -> None:
        self.nodata = nodata
        """The value of integers that is no-data; for floats NaN always is."""
        self.cells = 0
        """All cells seen."""
        self.valid = 0
        """Those with a value."""
        self.least = math.inf
        """Their least value."""
        self.greatest = -math.inf
        """Their greatest value."""
        self._parts: list[tuple[float, float, int]] = []
        """Mean, sum of squared deviations and number of the valid cells of each block."""

    def add(self, cells: np.ndarray) -> None:
        """Count a block in."""
        self.cells += cells.size
        found = figures(cells, self.nodata)
        if found.count == 0:
            return
        self.least = min(self.least, found.least.item())
        self.greatest = max(self.greatest, found.greatest.item())
        self._parts.append((found.mean, found.squares, found.count))
        self.valid += found.count

    def _combined(self) -> tuple[float, float]:
        """Mean and sum of squared deviations of all blocks, to the last bit the same in whatever order they came."""
        mean = squares = 0.0
        count = 0
        for other, theirs, size in sorted(self._parts):
            both, apart = count + size, other - mean
            squares += theirs + apart * apart * count * size / both
            mean += apart * size / both
            count = both
        return mean, squares

    @property
    def mean(self) -> float:
        """Their mean."""
        return self._combined()[0]

    @property
    def deviation(self) -> float:
        """Standard deviation of the valid cells (population)."""
        return math.sqrt(self._combined()[1] / self.valid) if self.valid else math.nan

    @property
    def valid_percent(self) -> float:
        """Share of the valid cells."""
        return 100.0 * self.valid / self.cells if self.cells else 0.0

    def stac(self) -> dict[str, Any]:
        """As STAC band statistics; what is beyond the range of floats is left out."""
        figures = {
            "minimum": self.least,
            "maximum": self.greatest,
            "mean": self.mean if self.valid else math.nan,
            "stddev": self.deviation,
        }
        finite = {name: value for name, value in figures.items() if math.isfinite(value)}
        return {**finite, "count": self.cells, "valid_percent": self.valid_percent}

    def gdal(self) -> dict[str, str]:
        """As the band tags that GDAL keeps statistics in."""
        figures = self.stac()
        names = {"minimum": "MINIMUM", "maximum": "MAXIMUM", "mean": "MEAN", "stddev": "STDDEV"}
        tags = {f"STATISTICS_{tag}": repr(figures[name]) for name, tag in names.items() if name in figures}
        return {**tags, "STATISTICS_VALID_PERCENT": f"{self.valid_percent:.6g}"}


def valid_values(cells: np.ndarray, nodata: float | None) -> np.ndarray:
    """The cells that have a value, in one dimension."""
    if cells.dtype.kind != "f" and nodata is None:
        return cells.ravel()
    valid = np.isfinite(cells) if cells.dtype.kind == "f" else cells != nodata
    return cells.ravel() if valid.all() else np.asarray(cells[valid])
