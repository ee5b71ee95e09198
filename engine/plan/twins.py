"""Does a load of less give just what filters leave of a load of more? Metadata tell; no pixel is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pystac
import xarray as xr
from odc.geo.geobox import GeoBox

from engine.catalog.documents import is_remote
from engine.errors import Problem
from engine.graph.model import Node, Param, replaced
from engine.graph.structure import structure
from engine.kernel.lift import call
from engine.load import Wish
from engine.load.blocks import reached
from engine.load.door import kind_of_all
from engine.load.model import Source
from engine.load.rasters import Plan, decide
from processes import REGISTRY
from processes.cubes import places
from processes.errors import ProcessError


@dataclass(frozen=True)
class Loaded:
    """What a load gives."""

    cube: xr.DataArray
    """The lazy cube."""
    items: Sequence[pystac.Item]
    """The items that were found."""
    wish: Wish
    """What is read of them."""


@dataclass(frozen=True)
class Twins:
    """Compares loads; each is made once."""

    load: Callable[[Node], Loaded | None]
    """Makes the cube of a node; `None` where it is none of cells."""
    parameters: Mapping[str, Any]
    """Values of the graph's parameters."""
    made: dict[Any, Loaded | None] = field(default_factory=dict)
    """The cubes so far."""

    def __call__(self, load: Node, filters: Sequence[Node], less: Node) -> tuple[str, ...] | None:
        """The names of the bands, where both give the same cube; `None` where they do not, or cannot be compared.

        A server elsewhere is not asked: it would be searched as a whole.
        """
        if REGISTRY[load.process].renamed or is_remote(str(load.args.get("url", ""))):
            return None
        try:
            before, after = self.loaded(load), self.loaded(less)
            if before is None or after is None:
                return None
            cube = before.cube
            for step in filters:
                cube = self.filtered(cube, step)
        except (Problem, ProcessError):
            return None  # the run tells what is wrong
        if not same_labels(cube, after.cube) or not same_sources(before, after):
            return None
        return tuple(map(str, cube.coords["bands"].values))

    def grid(self, load: Node) -> GeoBox | None:
        """The grid of the cube of a load; `None` where it has none, or where a server elsewhere would be asked."""
        if is_remote(str(load.args.get("url", ""))):
            return None
        try:
            found = self.loaded(load)
            return places.grid(found.cube) if found is not None else None
        except (Problem, ProcessError):
            return None

    def loaded(self, node: Node) -> Loaded | None:
        """The cube of a load; `None` where it is none of cells."""
        key = (node.process, structure(node.args))
        if key not in self.made:
            self.made[key] = self.load(node)
        return self.made[key]

    def filtered(self, cube: xr.DataArray, step: Node) -> xr.DataArray:
        """What a filter leaves of a cube."""
        args = replaced(dict(step.args), {Param(name): value for name, value in self.parameters.items()})
        left: xr.DataArray = call(REGISTRY[step.process], {**args, "data": cube})
        return left


def same_labels(one: xr.DataArray, other: xr.DataArray) -> bool:
    """Are two cubes the same but for what their cells hold?"""
    if one.dims != other.dims or one.dtype != other.dtype or one.name != other.name:
        return False
    if not one.size or set(one.coords) != set(other.coords):
        return False
    if not all(told(one, n).identical(told(other, n)) for n in one.coords):
        return False
    bare = [xr.DataArray(0, attrs=cube.attrs) for cube in (one, other)]
    return bare[0].identical(bare[1])


def told(cube: xr.DataArray, name: Any) -> xr.DataArray:
    """A coordinate, without the corner of the grid, which a selection leaves where it was."""
    coord = cube.coords[name].variable
    attrs = {k: v for k, v in coord.attrs.items() if k != "GeoTransform"}
    return xr.DataArray(coord.values, dims=coord.dims, attrs=attrs)


def same_sources(before: Loaded, after: Loaded) -> bool:
    """Are the cells of the smaller cube read from the same places of the same files?

    Labels alone do not tell: of two scenes of one day the smaller load may have found but one, and a band may be
    taken from another file.
    """
    if kind_of_all(before.items, before.wish) != "raster" or kind_of_all(after.items, after.wish) != "raster":
        return False
    more, less = (decide(loaded.items, loaded.wish, silent) for loaded in (before, after))
    if more.values != less.values or more.grid.resolution != less.grid.resolution:
        return False
    names = [str(name) for name in after.cube.coords["bands"].values]
    times = set(after.cube.coords["t"].values.astype("datetime64[ns]").tolist())
    return contributions(more, less.grid, names, times) == contributions(less, less.grid, names, times)


def contributions(
    plan: Plan, grid: GeoBox, names: Sequence[str], times: set[int]
) -> dict[tuple[int, str], list[Source]]:
    """The sources of these bands that have pixels on this grid, in their order, by time and band."""
    found: dict[tuple[int, str], list[Source]] = {}
    for group in plan.groups:
        label = xr.Variable((), group[0].when).values.astype("datetime64[ns]").item()
        for name in names if label in times else ():
            sources = [scene.sources[name] for scene in group if name in scene.sources]
            found[label, name] = [s for s in sources if s.geobox is None or reached(s.geobox, grid)]
    return found


def silent(_: str) -> None:
    """Nobody listens."""
