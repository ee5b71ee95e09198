"""Another grid: resolution, projection, alignment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from affine import Affine
from odc.geo.geobox import GeoBox
from odc.geo.xr import xr_coords

from processes.cubes import axes, places
from processes.cubes.cells import Coding, blockwise, rebuilt, with_null
from processes.cubes.warp import warp
from processes.errors import ProcessParameterInvalid
from processes.registry import process
from processes.types import CORNERS, Corner, Projection, RasterCube, Resampling, Resolution


@process("cubes", "reproject")
def resample_spatial(
    data: RasterCube,
    resolution: Resolution = 0,
    projection: Projection = None,
    method: Resampling = "near",
    align: Corner = "upper-left",
) -> RasterCube:
    """Put a cube onto another grid

    Change the size of the cells, the projection, or both. At least one of the two is to be given.

    Args:
        data: A raster cube.
        resolution: Size of the new cells in units of the new projection, one number for both axes or two for x
            and y; 0 keeps it, or, in another projection, takes what comes closest.
        projection: EPSG code or WKT2 of the new projection; `null` keeps it.
        method: How values of new cells come from old ones, named as by gdalwarp.
        align: The corner of the extent that the new cells start from.

    Returns:
        The cube on the new grid; no-data where the old grid has nothing.
    """
    wanted = (resolution, resolution) if isinstance(resolution, (int, float)) else tuple(resolution)
    if not any(wanted) and projection is None:
        raise ProcessParameterInvalid(
            "neither a resolution nor a projection is given",
            hint="Give at least one.",
            parameter="resolution",
        )
    if align not in CORNERS:
        raise ProcessParameterInvalid(f"{align!r} is none of {', '.join(CORNERS)}", parameter="align")
    source = places.grid(data)
    return onto_grid(data, target_grid(source, wanted, projection, align), method)


def target_grid(source: GeoBox, resolution: Any, projection: Any, align: str) -> GeoBox:
    """The grid that covers the same ground with other cells, starting from a corner."""
    crs = source.crs if projection is None else places.crs_text(places.read_crs(projection, "projection"))
    cover = source if source.crs == crs else source.to_crs(crs, tight=True)
    rx, ry = (
        abs(float(w)) if w else abs(own) for w, own in zip(resolution, cover.resolution.xy, strict=True)
    )
    left, bottom, right, top = cover.extent.boundingbox.bbox
    columns, rows = (
        max(1, int(np.ceil(span / r - 1e-6))) for span, r in ((right - left, rx), (top - bottom, ry))
    )
    x0 = left if align.endswith("left") else right - columns * rx
    y0 = top if align.startswith("upper") else bottom + rows * ry
    return GeoBox((rows, columns), Affine(rx, 0, x0, 0, -ry, y0), crs)


def onto_grid(data: xr.DataArray, target: GeoBox, method: str = "near") -> xr.DataArray:
    """The cube on a given grid, lazily; no-data outside its own."""
    y, x = axes.plane(data)
    source = places.grid(data)
    before = Coding.of(data)
    after = with_null(before)
    others = [d for d in data.dims if d not in (y, x)]
    flat = data.transpose(*others, y, x)
    if after != before:
        flat = recoded(flat, before, after)
    null = np.nan if after.dtype.kind == "f" else after.nodata
    array = warp(flat.data, source, target, method, null)
    coords = {n: c for n, c in data.coords.items() if not {y, x} & set(c.dims) and n != "spatial_ref"}
    return (
        xr.DataArray(
            array,
            dims=(*others, y, x),
            coords=coords | plane_coords(data, target, y, x),
            attrs=after.attrs({k: v for k, v in data.attrs.items() if k not in ("crs", "grid_mapping")}),
        )
        .transpose(*data.dims)
        .rename(data.name)
    )


def recoded(cube: xr.DataArray, before: Coding, after: Coding) -> xr.DataArray:
    """The same cells, stored in another way."""
    dims = tuple(map(str, cube.dims))
    return rebuilt(cube, blockwise(Recode(before, after), dims, cube, dtype=after.dtype), dims, after)


@dataclass(frozen=True)
class Recode:
    """Storing cells in another way, as a function of one stored block."""

    before: Coding
    after: Coding

    def __call__(self, block: np.ndarray) -> np.ndarray:
        return self.after.encode(self.before.decode(block), block.shape)


def plane_coords(data: xr.DataArray, target: GeoBox, y: str, x: str) -> dict[str, Any]:
    """The coordinates of a grid, under the cube's own names."""
    made = xr_coords(target, dims=("y", "x"))
    reference = target.crs.to_epsg() or target.crs.to_wkt()
    ours = {
        name: (
            name,
            made[axis].values,
            {**made[axis].attrs, "type": "spatial", "axis": axis, "reference_system": reference},
        )
        for name, axis in ((y, "y"), (x, "x"))
    }
    return {**ours, "spatial_ref": made["spatial_ref"]}
