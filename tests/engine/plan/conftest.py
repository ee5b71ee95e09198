"""Cubes whose numbers are in memory and which are planned as if they were read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from affine import Affine
from odc.geo.geobox import GeoBox

from engine.load.cube import make_cube
from engine.load.model import Band
from engine.plan.planner import Kernels, Planner
from processes.lazy import Lazy
from processes.places import Region, size
from processes.recipes import Held


@dataclass(frozen=True, eq=False)
class Stored(Held):
    """An array in memory in the place of files, which counts what is read of it."""

    chunks: tuple[tuple[int, ...], ...] = ()
    reads: list[Region] = field(default_factory=list)

    roles = ("t", "each", "y", "x")

    def make(self, region: Region, blocks: Sequence[np.ndarray]) -> np.ndarray:
        """The numbers of a region."""
        self.reads.append(region)
        return super().make(region, blocks)

    @property
    def cells(self) -> int:
        """How many numbers were read, in all."""
        return sum(int(np.prod(size(r))) for r in self.reads)


def stored(array: np.ndarray, block: int = 16) -> Stored:
    """An array (t, bands, y, x) in the place of files with blocks of that size."""
    t, bands, height, width = array.shape
    cut = tuple(tuple(min(block, n - i) for i in range(0, n, block)) for n in (height, width))
    return Stored(array, chunks=((1,) * t, (1,) * bands, *cut))


def lazy_cube(
    source: Stored,
    nodata: float | None,
    kernels: Kernels,
    bands: Sequence[str] = ("B04", "B08", "SCL"),
    memory: int = 2**30,
) -> xr.DataArray:
    """A cube of stored numbers, every fifth day from January 2022 on."""
    t, _, height, width = source.shape
    grid = GeoBox((height, width), Affine(10, 0, 500_000, 0, -10, 5_000_000), "EPSG:32632")
    times: list[Any] = [d.to_pydatetime() for d in pd.date_range("2022-01-03", periods=t, freq="5D")]
    told = [Band(name, nodata=nodata) for name in bands]
    return make_cube(Lazy(source, Planner(memory, kernels), source.chunks), times, told, grid, nodata)


@pytest.fixture(autouse=True, scope="session")
def _kernels_of_tests(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Kernels are kept in a folder of this run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield
