"""Reads all that an output block needs in one call: every band of every date, remote files many at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from engine.errors import Problem
from engine.load.ahead import Ahead, Spot
from engine.load.files import gdal
from engine.load.lookup import Lookups
from engine.load.mosaic import Mosaic
from engine.load.views import Coming, Request, View, view_of

__all__ = ["Request", "hand_windows", "read_windows"]


def read_windows(requests: Sequence[Request]) -> list[np.ndarray]:
    """The blocks (y, x), in the order of the requests, as `hand_windows` reads them."""
    found: list[np.ndarray] = []
    hand_windows(requests, lambda _, pixels: found.append(pixels))
    return found


def hand_windows(requests: Sequence[Request], take: Callable[[int, np.ndarray], None]) -> None:
    """Read the blocks, in their order, and hand each to `take` with its number; none is held here any longer.

    A block (y, x) has of each pixel the first valid one of the sources. Local files are read one after the other in
    the calling thread; who wants more calls from more threads.

    Raises:
        Problem: The first window, in the order of the requests, that cannot be read, with its name.
    """
    lookups = Lookups()
    with gdal(), Ahead(requests, lookups) as ahead:
        for number, request in enumerate(requests):
            take(number, _block(number, request, ahead, lookups))


def _block(number: int, request: Request, ahead: Ahead, lookups: Lookups) -> np.ndarray:
    mosaic = Mosaic(request.geobox.shape, request.cfg)
    for n, source in enumerate(request.sources):
        if n and mosaic.full:
            break
        spot = Spot(number, n)
        found = ahead.wanted(spot) if spot in ahead else view_of(source, request, lookups)
        _lay(mosaic, found)
    ahead.done(number)
    if mosaic.gap:
        raise _gap(request, mosaic.covered)
    return mosaic.pixels


def _lay(mosaic: Mosaic, found: View | Coming) -> None:
    view = found.view if isinstance(found, Coming) else found
    for n, cut in enumerate(view.cuts):
        mosaic.lay(cut.roi, cut.render(found.window(n)))


def _gap(request: Request, covered: int) -> Problem:
    """A cube without no-data must be covered by its files, as the metadata promised."""
    sources = request.sources
    named = " and ".join(f"asset {s.asset!r} of item {s.item!r}" for s in sources) or "no asset"
    return Problem(
        "FileContentInvalid",
        f"{named} covers {covered} of the {math.prod(request.geobox.shape)} pixels of a block, less than the metadata"
        " say, and the cube knows no no-data.",
        hint="Wish for a nodata value, or correct the item's proj:shape and proj:transform.",
        facts={"items": [s.item for s in sources], "assets": [s.asset for s in sources]},
    )
