"""Groups scenes into the time steps of the cube."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from datetime import timedelta
from itertools import count

from odc.geo.geobox import GeoBox
from pyproj.exceptions import ProjError

from engine.errors import Problem
from engine.load.extent import transformer
from engine.load.model import Scene

Group = tuple[Scene, ...]


def group_scenes(scenes: Sequence[Scene], how: str, grid: GeoBox) -> tuple[Group, ...]:
    """Time steps in the order of their first scenes; the scenes of each by time and id."""
    key = _key(how, grid)
    groups: dict[Hashable, list[Scene]] = {}
    for scene in sorted(scenes, key=lambda scene: (scene.when, scene.id)):
        groups.setdefault(key(scene), []).append(scene)
    return tuple(map(tuple, groups.values()))


def _key(how: str, grid: GeoBox) -> Callable[[Scene], Hashable]:
    if how == "time":
        return lambda scene: scene.when
    if how == "id":
        numbers = count()
        return lambda _: next(numbers)
    if how == "solar_day":
        shift = _solar_shift(grid)
        return lambda scene: (scene.when + shift).date()
    return lambda scene: _property(scene, how)


def _solar_shift(grid: GeoBox) -> timedelta:
    """Whole hours between UTC and the sun above the middle of the grid, as odc-stac counts them.

    Raises:
        Problem: The middle of the grid is nowhere on Earth.
    """
    try:
        middle = grid.transform * (grid.shape[1] / 2, grid.shape[0] / 2)
        longitude, _ = transformer(str(grid.crs), "EPSG:4326").transform(*middle)
    except ProjError:
        longitude = math.nan
    if not math.isfinite(longitude):
        raise Problem(
            "FormatUnsuitable",
            f"the middle of the scenes' grid ({str(grid.crs)[:60]}) is nowhere on Earth, so that they have no day.",
            hint="Is it the coordinate reference system of another planet?",
        )
    longitude = (longitude + 180.0) % 360.0 - 180.0
    return timedelta(hours=int(longitude / 15))


def _property(scene: Scene, name: str) -> Hashable:
    if name not in scene.properties:
        raise Problem(
            "ProcessParameterInvalid",
            f"item {scene.id!r} has no property {name!r} to group by; it has {', '.join(sorted(scene.properties))}.",
            hint="Group by solar_day, time, id, or a property that all items have.",
        )
    value = scene.properties[name]
    return value if isinstance(value, Hashable) else str(value)
