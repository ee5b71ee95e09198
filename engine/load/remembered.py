"""Remembers what was found out about two grids: all dates and bands of a block ask for the same."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

from odc.geo.geobox import GeoBox

T = TypeVar("T")

KEPT = 1024
"""Pairs of grids that are remembered for each question."""


class Named:
    """A grid that is told from others by its name, which is quicker than the grid's own way over its CRS as text."""

    __slots__ = ("grid", "name")

    def __init__(self, grid: GeoBox) -> None:
        self.grid = grid
        self.name = name_of(grid)

    def __hash__(self) -> int:
        return hash(self.name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Named) and self.name == other.name


def name_of(grid: GeoBox) -> tuple[object, ...]:
    """What two grids have in common if they are the same."""
    t = grid.transform
    return tuple(grid.shape), t.a, t.b, t.c, t.d, t.e, t.f, str(grid.crs)


def remembered(function: Callable[..., T]) -> Callable[..., T]:
    """A function of two grids, and perhaps of more that can be hashed, which computes each answer once."""

    @lru_cache(maxsize=KEPT)
    def answer(first: Named, second: Named, *more: object) -> T:
        return function(first.grid, second.grid, *more)

    @wraps(function)
    def ask(first: GeoBox, second: GeoBox, *more: object) -> T:
        return answer(Named(first), Named(second), *more)

    return ask
