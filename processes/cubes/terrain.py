"""The ground under a cube: heights of an elevation model on its grid, slopes, and the size of cells in metres."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import dask.array as da
import numpy as np
import pyproj
import xarray as xr
from odc.geo.geobox import GeoBox

from processes.cubes import axes, places, resample
from processes.cubes.cells import Coding, blockwise
from processes.cubes.scenes import Scaling
from processes.errors import DigitalElevationModelInvalid
from processes.types import BBox
from processes.world import Extent, World

MARGIN = 1
"""Cells beyond the edges of the cube that heights are known for, so that slopes are the same everywhere."""
REACH = 1000.0
"""Metres around the cube in which heights are loaded: a coarse model needs cells beyond the edges, too."""


@dataclass(frozen=True)
class Ground:
    """Size and direction of a cube's cells on the ground."""

    across: np.ndarray
    """Metres from a cell to the next one along x, for each row; negative where x goes down."""
    down: float
    """Metres from a cell to the next one along y; negative where y goes down, as it does in most images."""
    north: float
    """Where true north is at the centre: degrees clockwise from the direction in which y goes up."""


def ground(data: xr.DataArray) -> Ground:
    """Size and direction of the cells.

    In projected systems cells are taken to be as large on the ground as in the projection; north is that of the
    centre of the cube.
    """
    grid, crs = places.grid(data), places.crs_of(data)
    assert crs is not None  # a grid has one
    y, _ = axes.plane(data)
    rx, ry = grid.resolution.xy
    if crs.is_geographic:
        ellipsoid = crs.ellipsoid
        latitude = np.radians(data.coords[y].values.astype(float))
        flat = 1 - (ellipsoid.semi_minor_metre / ellipsoid.semi_major_metre) ** 2
        prime = ellipsoid.semi_major_metre / np.sqrt(1 - flat * np.sin(latitude) ** 2)
        middle = np.median(latitude)
        meridian = ellipsoid.semi_major_metre * (1 - flat) / (1 - flat * np.sin(middle) ** 2) ** 1.5
        return Ground(np.radians(rx) * prime * np.cos(latitude), float(np.radians(ry) * meridian), 0.0)
    metres = crs.axis_info[0].unit_conversion_factor
    return Ground(np.full(grid.shape[0], rx * metres), float(ry * metres), true_north(grid, crs))


def true_north(grid: GeoBox, crs: pyproj.CRS) -> float:
    """Degrees from grid north to true north at the centre of a grid, clockwise."""
    left, bottom, right, top = grid.boundingbox.bbox
    x, y = (left + right) / 2, (bottom + top) / 2
    lonlat = pyproj.Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
    lon, lat = lonlat.transform(x, y)
    step = 1e-4 if lat < 89 else -1e-4
    x1, y1 = lonlat.transform(lon, lat + step, direction="INVERSE")
    return float(np.degrees(np.arctan2((x1 - x) * np.sign(step), (y1 - y) * np.sign(step))))


def heights(data: xr.DataArray, model: str | None, world: World, why: str, margin: int = 0) -> xr.DataArray:
    """Metres above the model's zero, (y, x) on the grid of the cube and `margin` cells more on each side; bilinear."""
    if model is None:
        raise DigitalElevationModelInvalid(
            f"{why} needs an elevation model, and none is named",
            hint="Give the collection of one as elevation_model.",
            parameter="elevation_model",
        )
    grid = places.grid(data)
    wide = grid.pad(margin) if margin else grid
    about = ground(data)
    around = (math.ceil(REACH / abs(m)) + 2 for m in (np.abs(about.across).min(), about.down))
    west, south, east, north = wide.pad(*around).boundingbox.bbox
    crs = wide.crs.to_epsg() or wide.crs.to_wkt()
    loaded = world.load_collection(model, Extent(bbox=BBox(west, south, east, north, crs)))
    moved = resample.onto_grid(one_layer(loaded, model), wide, "bilinear")
    y, x = axes.plane(data)
    own_y, own_x = axes.plane(moved)
    flat = moved.transpose(own_y, own_x)
    return xr.DataArray(flat.data, dims=(y, x))


def one_layer(loaded: xr.DataArray, model: str) -> xr.DataArray:
    """The heights themselves as floats: one band; of several times the first that has a value."""
    if (axes.axis(loaded, "y") is None or axes.axis(loaded, "x") is None) or loaded.dtype.kind not in "iuf":
        raise invalid(model, f"cells of type {loaded.dtype} along {axes.listing(loaded)}")
    y, x = axes.plane(loaded)
    scale, offset = 1.0, 0.0
    for dim in axes.of_kind(loaded, "bands"):
        if loaded.sizes[dim] != 1:
            names = ", ".join(map(str, axes.labels(loaded, dim)))
            raise invalid(model, f"{loaded.sizes[dim]} bands ({names}) where one of heights is needed")
        band = axes.band_metadata(loaded)[0]
        scale, offset = (float(band.get(n) or start) for n, start in (("scale", 1), ("offset", 0)))
        loaded = loaded.isel({dim: 0}, drop=True)
    if others := [d for d in loaded.dims if d not in (y, x) and axes.kind(loaded, d) != "temporal"]:
        raise invalid(model, f"the dimension {others[0]!r}")
    flat = loaded.transpose(..., y, x)
    run = FirstValue(Scaling(Coding.of(loaded), (scale,), (offset,)))
    array = blockwise(run, (y, x), flat, dtype=run.scaling.dtype)
    coords = {n: c for n, c in flat.coords.items() if set(c.dims) <= {y, x}}
    return xr.DataArray(array, dims=(y, x), coords=coords)


def invalid(model: str, what: str) -> DigitalElevationModelInvalid:
    """Why a collection is no elevation model."""
    return DigitalElevationModelInvalid(
        f"{model!r} cannot be used as an elevation model: it has {what}",
        hint="Name a collection with a single band of heights in metres.",
        parameter="elevation_model",
    )


@dataclass(frozen=True)
class FirstValue:
    """The first value along all axes before y and x, as a function of a stored block."""

    scaling: Scaling

    def __call__(self, block: np.ndarray) -> np.ndarray:
        layers = self.scaling(block[None], 0).reshape(-1, *block.shape[-2:])
        out = np.full(block.shape[-2:], np.nan, dtype=self.scaling.dtype)
        for layer in layers:
            out = np.where(np.isnan(out), layer, out)
        return out


def slopes(
    data: xr.DataArray, model: str | None, world: World, why: str
) -> tuple[xr.DataArray, xr.DataArray]:
    """How many metres the ground rises for each metre to the (true) east and to the north, (y, x) as the cube.

    Central differences of heights one cell away, after Zevenbergen & Thorne (1987).
    """
    wide, about = heights(data, model, world, why, MARGIN), ground(data)
    y, x = (str(d) for d in wide.dims)
    z: Any = wide.data
    along_x = (z[1:-1, 2:] - z[1:-1, :-2]) / (2 * about.across[:, None])
    along_y = (z[2:, 1:-1] - z[:-2, 1:-1]) / (2 * about.down)
    turn = np.radians(about.north)
    east = along_x * np.cos(turn) - along_y * np.sin(turn)
    north = along_x * np.sin(turn) + along_y * np.cos(turn)
    return tuple(xr.DataArray(like(data, a, y, x), dims=(y, x)) for a in (east, north))  # type: ignore[return-value]


def like(data: xr.DataArray, plane: Any, y: str, x: str) -> Any:
    """A plane in the blocks of the cube, where it is lazy."""
    if not isinstance(plane, da.Array) or not isinstance(data.data, da.Array):
        return plane
    return plane.rechunk(tuple(data.chunksizes[d] for d in (y, x)))
