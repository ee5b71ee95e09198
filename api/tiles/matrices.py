"""The tile matrix set of web maps, as the standards describe it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import morecantile

from engine import Look, Portrait

NAME = "WebMercatorQuad"
CRS = "http://www.opengis.net/def/crs/EPSG/0/3857"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"


@cache
def quad() -> morecantile.TileMatrixSet:
    """WebMercatorQuad."""
    return morecantile.tms.get(NAME)


@dataclass(frozen=True, slots=True)
class Limits:
    """Which tiles of a zoom level show anything of a map, both ends included."""

    zoom: int
    least_row: int
    greatest_row: int
    least_column: int
    greatest_column: int


def limits(portrait: Portrait, look: Look) -> Iterator[Limits]:
    """The tiles that show anything of a map, for each zoom level that is drawn."""
    west, south, east, north = portrait.bounds
    for zoom in range(look.minzoom, look.maxzoom + 1):
        last = 2**zoom - 1
        first, end = quad().tile(west, north, zoom), quad().tile(east, south, zoom)
        yield Limits(
            zoom, max(first.y, 0), min(max(end.y, 0), last), max(first.x, 0), min(max(end.x, 0), last)
        )
