"""Where tiles lie: WebMercatorQuad, the one tile matrix set of web maps."""

from __future__ import annotations

import math
from functools import cache

import morecantile
import numpy as np
import xarray as xr
from affine import Affine
from odc.geo.geobox import GeoBox

from engine.maps.model import Look, Place, Portrait
from processes.cubes.places import coordinates
from processes.types import BBox

CRS = 3857
MAXZOOM = 24
REACH = 3
"""Cells of the data around a tile that are loaded with it: resampling looks at them."""
PIXELS = 4
"""Pixels around a tile that are loaded with it."""


@cache
def matrix_set() -> morecantile.TileMatrixSet:
    """WebMercatorQuad."""
    return morecantile.tms.get("WebMercatorQuad")


WORLD: tuple[float, float, float, float] = (-180.0, -85.0511287, 180.0, 85.0511287)
"""West, south, east and north of what can be on a tile, in degrees."""


def exists(place: Place) -> bool:
    """Is there such a tile?"""
    across = 2**place.z if 0 <= place.z <= MAXZOOM else 0
    return 0 <= place.x < across and 0 <= place.y < across


def box_of(place: Place) -> BBox:
    """The box of a tile."""
    bounds = matrix_set().xy_bounds(morecantile.Tile(place.x, place.y, place.z))
    return BBox(bounds.left, bounds.bottom, bounds.right, bounds.top, CRS)


def resolution(place: Place, look: Look) -> float:
    """The size of a pixel in metres of the map."""
    box = box_of(place)
    return (box.east - box.west) / look.size


def around(place: Place, look: Look, portrait: Portrait) -> BBox:
    """The box of a tile with what resampling may look at, within the world."""
    box, world = box_of(place), box_of(Place(0, 0, 0))
    stretched = 1 / math.cos(math.radians(farthest(place)))
    margin = REACH * portrait.cell * stretched + PIXELS * resolution(place, look)
    return BBox(
        max(box.west - margin, world.west),
        max(box.south - margin, world.south),
        min(box.east + margin, world.east),
        min(box.north + margin, world.north),
        CRS,
    )


def farthest(place: Place) -> float:
    """The latitude of a tile that is farthest from the equator: metres are longest there."""
    bounds = matrix_set().bounds(morecantile.Tile(place.x, place.y, place.z))
    return max(abs(bounds.bottom), abs(bounds.top))


def meets(place: Place, bounds: tuple[float, float, float, float]) -> bool:
    """Does a tile show anything of a box in degrees?"""
    west, south, east, north = bounds
    tile = matrix_set().bounds(morecantile.Tile(place.x, place.y, place.z))
    return tile.left < east and west < tile.right and tile.bottom < north and south < tile.top


def lattice(place: Place, look: Look) -> xr.DataArray:
    """A cube with the cells of a tile, as the target of resampling."""
    box, cell = box_of(place), resolution(place, look)
    grid = GeoBox((look.size, look.size), Affine(cell, 0, box.west, 0, -cell, box.north), f"EPSG:{CRS}")
    cells = np.zeros(grid.shape, dtype="uint8")
    return xr.DataArray(cells, dims=("y", "x"), coords=coordinates(grid))
