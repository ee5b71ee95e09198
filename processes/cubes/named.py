"""Grids that are told apart quickly, for what is remembered of them."""

from __future__ import annotations

from collections.abc import Iterable

from odc.geo.geobox import GeoBox


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


def distinct(grids: Iterable[GeoBox]) -> list[GeoBox]:
    """Each grid once, in the order in which they come; many are the very same object."""
    objects = {id(grid): grid for grid in grids}
    first: dict[tuple[object, ...], GeoBox] = {}
    for grid in objects.values():
        first.setdefault(name_of(grid), grid)
    return list(first.values())


def name_of(grid: GeoBox) -> tuple[object, ...]:
    """What two grids have in common if they are the same."""
    t = grid.transform
    return tuple(grid.shape), t.a, t.b, t.c, t.d, t.e, t.f, str(grid.crs)
