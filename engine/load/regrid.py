"""Brings a lazy cube of arrays to another CRS or pixel size."""

from __future__ import annotations

import xarray as xr
from affine import Affine
from odc.geo.geobox import GeoBox

from engine.errors import Problem
from engine.load.extent import bounds_in, box_in, crop, crs_from
from engine.load.grid import around, natural_steps, wished_steps
from engine.load.model import Wish
from engine.load.pieces import resampling_method
from processes.cubes.places import coordinates


def regrid(cube: xr.DataArray, wish: Wish) -> xr.DataArray:
    """The cube on the wished grid; blocks that the result does not need are never read."""
    source = cube.odc.geobox
    if source is None or not source.axis_aligned:
        raise Problem(
            "FeatureUnsupported",
            "the spacing of x and y is not regular, so that the cube cannot be brought to another CRS or resolution.",
            hint="Load it without crs and resolution.",
        )
    target = _target(source, wish)
    method = resampling_method(wish.resampling).name
    moved: xr.DataArray = cube.odc.reproject(target, resampling=method, dst_nodata=cube.attrs.get("nodata"))
    moved = moved.rename(dict(zip(target.dimensions, ("y", "x"), strict=True)))
    moved = moved.transpose(*cube.dims).assign_coords(coordinates(target))
    moved.attrs = dict(cube.attrs)
    moved.name = None
    return moved


def _target(source: GeoBox, wish: Wish) -> GeoBox:
    crs = source.crs if wish.crs is None else crs_from(wish.crs)
    x, y = natural_steps(source, crs) if wish.resolution is None else wished_steps(wish, source)
    rect = bounds_in(source, crs)
    if rect is None:
        raise Problem(
            "ProcessParameterInvalid",
            f"the projection {crs} does not reach all pixels of the items.",
            hint="Choose another CRS.",
        )
    origin = (source.transform.c, source.transform.f) if crs == source.crs else (0.0, 0.0)
    whole = around(GeoBox((1, 1), Affine(x, 0, origin[0], 0, y, origin[1]), crs), rect)
    return whole if wish.bbox is None else crop(whole, box_in(wish.bbox, crs, [source]))
