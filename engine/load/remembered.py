"""Remembers what was found out about two grids: all dates and bands of a block ask for the same."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

from odc.geo.geobox import GeoBox

from processes.cubes.named import Named

T = TypeVar("T")

KEPT = 1024
"""Pairs of grids that are remembered for each question."""


def remembered(function: Callable[..., T], kept: int = KEPT) -> Callable[..., T]:
    """A function of two grids, and perhaps of more that can be hashed, which computes each answer once."""

    @lru_cache(maxsize=kept)
    def answer(first: Named, second: Named, *more: object) -> T:
        return function(first.grid, second.grid, *more)

    @wraps(function)
    def ask(first: GeoBox, second: GeoBox, *more: object) -> T:
        return answer(Named(first), Named(second), *more)

    return ask
