"""Chooses the room for the items: rasters or arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial

import pystac
import xarray as xr

from engine.errors import Problem
from engine.load.arrays import load_arrays, survey_arrays
from engine.load.described import Kind, data_assets
from engine.load.model import Survey, Wish
from engine.load.natural import NATURAL
from engine.load.rasters import decide, load_rasters, survey_rasters
from processes.recipes import Planner

Say = Callable[[str], None]
KINDS: tuple[Kind, ...] = ("raster", "array")


@dataclass(frozen=True, eq=False)
class Choice:
    """What is decided on items."""

    cube: Callable[[], xr.DataArray]
    """The lazy cube (t, bands, y, x); no pixel is read."""
    survey: Callable[[], Survey]
    """What is known of it beforehand."""


def choose(
    items: Sequence[pystac.Item], wish: Wish, *, log: Say | None = None, planner: Planner = NATURAL
) -> Choice:
    """Decide how items become one cube.

    Args:
        items: STAC items, in any order.
        wish: What is asked of them.
        log: Takes a line for each choice that the user might want to know of.
        planner: Decides in what blocks, and by what means, the cube and what is made of it are computed.
    """
    say = log or _silent
    if kind_of_all(items, wish) == "array":
        cube = cache(partial(load_arrays, items, wish, say))
        return Choice(cube, cache(lambda: survey_arrays(cube(), items, wish)))
    plan = decide(items, wish, say)
    return Choice(partial(load_rasters, plan, say, planner), cache(partial(survey_rasters, plan)))


def load(
    items: Sequence[pystac.Item], wish: Wish, *, log: Say | None = None, planner: Planner = NATURAL
) -> xr.DataArray:
    """The items as one lazy cube (t, bands, y, x); no pixel is read. As `choose`."""
    return choose(items, wish, log=log, planner=planner).cube()


def survey(items: Sequence[pystac.Item], wish: Wish) -> Survey:
    """What `load` would do."""
    return choose(items, wish).survey()


def kind_of_all(items: Sequence[pystac.Item], wish: Wish) -> Kind:
    """Whether the items hold rasters or arrays; an item that holds both counts as rasters."""
    if not items:
        raise Problem(
            "NoDataAvailable", "there are no items to load.", hint="Widen the extents or the filters."
        )
    if wish.bands is not None and not wish.bands:
        raise Problem(
            "ProcessParameterInvalid",
            "the list of wished bands is empty.",
            hint="Wish for null to get all bands.",
        )
    named = wish.bands or ()
    kinds: dict[Kind, str] = {}
    for item in items:
        kind = next((kind for kind in KINDS if data_assets(item, kind, named)), None)
        if kind is not None:
            kinds.setdefault(kind, item.id)
    if not kinds:
        types = sorted({str(asset.media_type) for item in items for asset in item.assets.values()})
        raise Problem(
            "FormatUnsuitable",
            f"no asset of the {len(items)} items is a raster or an array; their media types are {', '.join(types) or 'none'}.",
            hint="GeoTIFF, JPEG 2000, PNG and JPEG with the role `data`, NetCDF and Zarr can be loaded.",
        )
    if len(kinds) > 1:
        raise Problem(
            "FormatUnsuitable",
            f"item {kinds['raster']!r} holds rasters and item {kinds['array']!r} arrays; they cannot be one cube.",
            hint="Load them apart and merge the cubes.",
        )
    return next(iter(kinds))


def _silent(_: str) -> None:
    """Nobody listens."""
