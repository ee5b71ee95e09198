"""Maps are drawn: what there is to see of a graph, and tile by tile."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyproj
import xarray as xr

from engine.errors import Problem
from engine.execute.world import Sink
from engine.maps import graph
from engine.maps.grid import WORLD, around
from engine.maps.model import Drawing, Look, Place, Portrait, Range
from engine.service import Engine
from engine.write.axes import axes_of
from engine.write.sheets import Raster
from engine.write.tile import colours, empty_tile, encode_tile, known_range, picture_of, range_in

PREVIEW = 512
"""Most cells along each side of what ranges are chosen from."""
DEGREE = 111_320.0
"""Metres of a degree at the equator."""
EDGE = 21
"""Points along each side of a box that is looked at in degrees."""


def drawn(engine: Engine, process: Mapping[str, Any], drawing: Drawing) -> Any:
    """The bytes of a tile, or the portrait of a map.

    Raises:
        Problem: The graph is wrong, or gives what is no map, or too much would have to be computed.
    """
    if drawing.portrait is None or drawing.place is None:
        return portrayed(engine, process, drawing.look)
    return tile(engine, process, drawing.look, drawing.portrait, drawing.place)


def portrayed(engine: Engine, process: Mapping[str, Any], look: Look) -> Portrait:
    """What is to be seen of a graph; pixels are read, from overviews, only where a range is to be chosen."""
    whole, parameters = graph.whole(process, look)
    raster = picture_of(flat(engine.lazy(whole, parameters)))
    names = tuple(band.name for band in raster.bands)
    refuse_unfit(look, names)
    ranges = look.ranges or tuple(filter(None, [known_range(raster)]))
    chosen = not ranges
    if chosen:
        ranges = (range_in(picture_of(flat(engine.preview(whole, PREVIEW, parameters)))),)
    return Portrait(bounds_of(raster), cell_of(raster), names, as_floats(ranges), chosen, is_beyond(raster))


def tile(engine: Engine, process: Mapping[str, Any], look: Look, portrait: Portrait, place: Place) -> bytes:
    """One tile; empty where there is nothing."""
    try:
        cells, parameters = graph.tile(process, look, portrait, place)
        cube = flat(engine.lazy(cells, parameters))
    except Problem as problem:
        if problem.code == "NoDataAvailable" or is_nowhere(engine, process, look, portrait, place):
            return empty_tile(look.size, look.format)
        raise
    engine.admit(Sink("tile", cube, "PNG", {}))
    return encode_tile(engine.compute(cube), look.format, portrait.ranges, look.colormap)


def is_nowhere(
    engine: Engine, process: Mapping[str, Any], look: Look, portrait: Portrait, place: Place
) -> bool:
    """Is there too little around a tile to be put onto its cells? Then none of it is on the tile."""
    sketch = graph.cut(process, look, portrait, place)
    box = around(place, look, portrait)
    try:
        cube = engine.lazy(sketch.finished(), graph.filled(sketch, box, place, look))
    except Problem:
        return False
    axes = axes_of(cube)
    return any(dim is not None and cube.sizes[dim] < 2 for dim in (axes.y, axes.x))


def flat(cube: Any) -> Any:
    """A cube without other dimensions of one label each: they choose nothing."""
    if not isinstance(cube, xr.DataArray):
        return cube
    return cube.squeeze([dim for dim in axes_of(cube).others if cube.sizes[dim] == 1], drop=True)


def refuse_unfit(look: Look, bands: tuple[str, ...]) -> None:
    """Settings that do not fit the cube."""
    count = colours(len(bands))
    if look.colormap is not None and len(bands) != 1:
        raise Problem(
            "ServiceConfigInvalid",
            f"colormap: it colours one band, and there are {len(bands)}: {', '.join(bands)}",
            hint="Choose one with the setting `bands`.",
            facts={"parameter": "colormap"},
        )
    if len(look.ranges) not in (0, 1, count):
        raise Problem(
            "ServiceConfigInvalid",
            f"range: there are {len(look.ranges)}, for {count} bands that are colours",
            hint="Give one for all of them, or one for each.",
            facts={"parameter": "range"},
        )


def bounds_of(raster: Raster) -> tuple[float, float, float, float]:
    """The box of an image in degrees, as far as tiles reach; the world where it cannot be told."""
    if raster.grid.crs is None:
        raise Problem(
            "FormatUnsuitable", "A map needs a coordinate reference system, and the cube names none."
        )
    to_degrees = pyproj.Transformer.from_crs(raster.grid.crs, 4326, always_xy=True)
    west, south, east, north = to_degrees.transform_bounds(*raster.grid.bounds, densify_pts=EDGE)
    if not all(map(math.isfinite, (west, south, east, north))) or west >= east or east > 180:
        return WORLD
    return max(west, WORLD[0]), max(south, WORLD[1]), min(east, WORLD[2]), min(north, WORLD[3])


def is_beyond(raster: Raster) -> bool:
    """Do the longitudes of an image go beyond 180 degrees?"""
    assert raster.grid.crs is not None
    return raster.grid.crs.is_geographic and raster.grid.bounds[2] > WORLD[2] + 1e-6


def cell_of(raster: Raster) -> float:
    """The longer side of a cell in metres, about."""
    side = max(abs(raster.grid.transform.a), abs(raster.grid.transform.e))
    assert raster.grid.crs is not None
    if raster.grid.crs.is_geographic:
        return side * DEGREE
    axis = raster.grid.crs.axis_info[0] if raster.grid.crs.axis_info else None
    return side * (axis.unit_conversion_factor if axis else 1.0)


def as_floats(ranges: tuple[Range, ...]) -> tuple[Range, ...]:
    """Ranges as numbers of Python."""
    return tuple((float(np.float64(low)), float(np.float64(high))) for low, high in ranges)
