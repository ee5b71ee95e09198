"""Shadows of clouds: where a cloud stands between the ground and the sun, and the ground is dark."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr

from processes.cubes import axes, scenes, terrain
from processes.cubes.scenes import Scaling
from processes.errors import ProcessParameterInvalid

HEIGHT = 3000.0
"""Metres up to which clouds are thought to cast shadows."""
LOWEST = 5.0
"""Degrees of the sun's elevation below which shadows are too long to be followed."""
DARK = (0.20, 0.12)
"""Near infrared reflectance at which ground is not dark at all, and at which it is dark for certain."""


def added(
    data: xr.DataArray,
    clouds: xr.DataArray,
    sun: Mapping[str, xr.DataArray | None],
    options: Mapping[str, Any],
) -> xr.DataArray:
    """The cube of clouds (its first band) with one more band, `shadow`."""
    dim = axes.bands(data)
    azimuth, elevation = (
        found if (found := sun[n]) is not None else scenes.needed(None, n, "finding shadows")
        for n in ("sun_azimuth", "sun_elevation")
    )  # fmt: skip
    height = scenes.real(options.get("cloud_height", HEIGHT), "cloud_height")
    if height <= 0:
        raise ProcessParameterInvalid(
            f"cloud_height has to be positive, it is {height:g}", parameter="options"
        )
    plane = axes.plane(data)
    flat = clouds.isel({dim: 0}, drop=True).transpose(..., *plane)
    if min(data.sizes[d] for d in plane) > 1:
        cast = flat.copy(data=projected(flat, plane, azimuth, elevation, Cast.metres(data, height)))
    else:  # one row or column does not tell how large cells are, and what could shade it is not there
        cast = flat * np.float32("nan")
    nir = scenes.one_of(data, ("nir", "nir08"), "finding shadows")
    dims = tuple(map(str, data.dims))
    run = Shaded(scenes.reflectance(data, options), dims.index(dim), int(nir or 0))
    labels = (*axes.labels(clouds, dim), "shadow")
    array = scenes.by_name(
        run, dims, np.dtype(np.float32), {dim: len(labels)}, cells=data, clouds=clouds, cast=cast
    )
    return scenes.with_bands(data, array, labels)


@dataclass(frozen=True)
class Cast:
    """How far shadows reach."""

    height: float
    """Metres from the ground to the highest clouds that count."""
    across: float
    """Metres from cell to cell along x."""
    down: float
    """Metres from cell to cell along y."""
    north: float
    """Degrees clockwise from the direction in which y goes up to true north."""

    @classmethod
    def metres(cls, data: xr.DataArray, height: float) -> Cast:
        """The cells of a cube; those of its middle row where rows differ."""
        about = terrain.ground(data)
        return cls(height, float(about.across[len(about.across) // 2]), about.down, about.north)

    def towards(self, azimuth: float, elevation: float) -> tuple[float, float]:
        """Rows and columns from a shadow at the ground to the highest cloud that may cast it."""
        length = self.height / math.tan(math.radians(elevation))
        bearing = math.radians(azimuth + self.north)
        return length * math.cos(bearing) / self.down, length * math.sin(bearing) / self.across


def projected(
    clouds: xr.DataArray, plane: tuple[str, str], azimuth: xr.DataArray, elevation: xr.DataArray, cast: Cast
) -> Any:
    """The surest cloud on each cell's way to the sun; NaN where the sun is not known.

    Angles may differ from time to time, not within a scene.
    """
    for name, found in (("sun_azimuth", azimuth), ("sun_elevation", elevation)):
        if set(found.dims) & set(plane):
            raise ProcessParameterInvalid(
                f"the {name} is told for each cell; shadows need one number for each scene",
                hint=f'Give it as options={{"{name}": 45}}.',
                parameter="options",
            )
    others = [d for d in clouds.dims if d not in plane]
    whole = xr.DataArray(np.zeros([clouds.sizes[d] for d in others]), dims=others)
    suns = [(whole + a).transpose(*others).values for a in (azimuth, elevation)]
    parts = np.empty(whole.shape, dtype=object)
    for place in np.ndindex(whole.shape):
        at, up = (float(s[place]) for s in suns)
        if math.isnan(at) or math.isnan(up):
            parts[place] = clouds.data[place] * np.float32("nan")
            continue
        if up < LOWEST:
            raise ProcessParameterInvalid(
                f"the sun stands {up:g} degrees high; shadows can be followed from {LOWEST:g} degrees on",
                hint="Filter such scenes out, by filter_temporal or by a condition on view:sun_elevation on loading.",
                parameter="data",
            )
        parts[place] = along(clouds.data[place], Walk.of(*cast.towards(at, up)))
    return stacked(parts, isinstance(clouds.data, da.Array), clouds.shape)


def stacked(parts: np.ndarray, lazy: bool, shape: tuple[int, ...]) -> Any:
    """Planes as one array of all scenes."""
    if parts.size == 0:
        return np.zeros(shape, dtype=np.float32)
    flat = (da if lazy else np).stack(list(parts.ravel()))
    return flat.reshape(shape) if len(parts.shape) != 1 else flat


def along(plane: Any, walk: Walk) -> Any:
    """The walk over a plane, lazily where it is lazy; beyond the edges the sky is clear."""
    walk = walk.within(*plane.shape)
    rows, columns = walk.reach
    if not isinstance(plane, da.Array):
        wide = np.pad(plane, ((rows, rows), (columns, columns)))
        return walk(wide)[rows : rows + plane.shape[0], columns : columns + plane.shape[1]]
    if plane.size == 0:
        return plane
    return da.overlap.map_overlap(
        walk,
        plane,
        depth={0: rows, 1: columns},
        boundary=0,
        dtype=np.float32,
        meta=np.empty((0, 0), dtype=np.float32),
    ).rechunk(plane.chunks)


@dataclass(frozen=True)
class Walk:
    """The way from the ground to the sun, in cells, as a function of a block that is wide enough for it."""

    steps: tuple[tuple[int, int], ...]
    """Rows and columns of each cell on the way."""

    @classmethod
    def of(cls, rows: float, columns: float) -> Walk:
        """The straight way over that many cells."""
        count = math.ceil(max(abs(rows), abs(columns)))
        shares = [k / count for k in range(1, count + 1)] if count else []
        return cls(tuple((round(s * rows), round(s * columns)) for s in shares))

    def within(self, rows: int, columns: int) -> Walk:
        """The part of the way on which a plane of that size still has cells."""
        return Walk(tuple((r, c) for r, c in self.steps if abs(r) < rows and abs(c) < columns))

    @property
    def reach(self) -> tuple[int, int]:
        """The most rows and columns, in either direction."""
        return max((abs(r) for r, _ in self.steps), default=0), max(
            (abs(c) for _, c in self.steps), default=0
        )

    def __call__(self, block: np.ndarray) -> np.ndarray:
        rows, columns = self.reach
        clouds = np.nan_to_num(block)
        most = np.zeros_like(clouds)
        inner = most[rows : most.shape[0] - rows, columns : most.shape[1] - columns]
        height, width = inner.shape
        for r, c in self.steps:
            seen = clouds[rows + r : rows + r + height, columns + c : columns + c + width]
            np.maximum(inner, seen, out=inner)
        return most


@dataclass(frozen=True)
class Shaded:
    """Clouds and their shadows, as a function of stored blocks with all bands."""

    scaling: Scaling
    axis: int
    nir: int
    """Where the near infrared band is."""

    def __call__(self, cells: np.ndarray, clouds: np.ndarray, cast: np.ndarray) -> np.ndarray:
        nir = np.take(self.scaling(cells, self.axis), [self.nir], axis=self.axis)
        cloud = np.take(clouds, [0], axis=self.axis)
        none, all_ = DARK
        dark = np.clip((nir - none) / (all_ - none), 0, 1)
        shadow = np.minimum(np.minimum(cast, dark), 1 - cloud)
        return np.concatenate([clouds, shadow], axis=self.axis).astype(np.float32)
