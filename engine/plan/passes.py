"""Statistics of planes that do not fit into memory: found in a few passes over blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product
from math import prod
from typing import Any

import numpy as np

from processes.cubes.orders import Order
from processes.cubes.spreads import Spread
from processes.kernels.ranks import BINS
from processes.places import Region, among, size
from processes.recipes import Chunks, Recipe, computed

SIDES = 2
"""Beginnings of numbers that are looked at in one pass: the two that a quantile lies between."""
BINS_HELD = (SIDES + 2) * BINS
"""Bytes of bins: one for each beginning, those of a block, and their sums."""
COUNTING = 8
"""Bytes of each cell while it is counted: the number of its bin. Its key, a part of the keys and a mask come to it."""


@dataclass(frozen=True, eq=False)
class Selected:
    """A quantile, a deviation or a count of all cells of each plane."""

    recipe: Recipe
    """The same, as it is written."""
    source: Recipe
    """The cells (..., y, x)."""
    told: Order | Spread
    """What is looked for."""
    sizes: Chunks
    """Blocks that are looked at one after the other: how many of the planes at a time, and parts of these."""
    room: int
    """Cells of one plane that may be held when few enough are left."""

    inputs = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return self.source.shape[:-2]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers."""
        return self.recipe.dtype

    @property
    def token(self) -> str:
        """That of the recipe as it is written."""
        return self.recipe.token

    def of(self, inputs: tuple[Recipe, ...]) -> Recipe:
        """The same of other cells; of none itself."""
        return replace(self, source=inputs[0]) if inputs else self

    def needs(self, region: Region) -> tuple[Region, ...]:  # noqa: ARG002 (a recipe's)
        """Nothing: it reads its cells itself."""
        return ()

    @property
    def passes(self) -> int:
        """How often the cells are read at most."""
        return self.told.passes

    @property
    def held(self) -> int:
        """Bytes of what is kept of the planes that are looked at together."""
        together = prod(max(s, default=0) for s in self.sizes[:-2])
        return together * kept(self.told, self.room)

    @property
    def beside(self) -> int:
        """Bytes at hand for each cell of a block while it is counted."""
        return COUNTING + 4 * self.told.keyed.itemsize + 1

    def batches(self, region: Region) -> Chunks:
        """How many planes of a region are looked at together, and the parts of these."""
        several = (
            tuple(min(max(s), n - i) for i in range(0, n, max(s)))
            for n, s in zip(size(region), self.sizes[:-2], strict=True)
        )
        return (*several, *self.sizes[-2:])

    def make(self, region: Region, blocks: Sequence[np.ndarray]) -> np.ndarray:  # noqa: ARG002 (a recipe's)
        """Pass over the cells until all is found."""
        out = np.empty(size(region), self.dtype)
        for batch in parts(self.batches(region)[:-2]):
            out[batch] = self.found(tuple(map(among, region, batch)))
        return out

    def found(self, planes: Region) -> np.ndarray:
        """The results of some planes, which are looked at together."""
        shape = size(planes)
        told: Any = self.told  # each is given its own kind of search
        searches: dict[tuple[int, ...], Any] = {i: told.search(self.room) for i in np.ndindex(shape)}
        cells = prod(self.source.shape[-2:])
        over = not cells
        while not over:
            for part in parts(self.sizes[-2:]):
                block = computed(self.source, (*planes, *part))
                for i, search in searches.items():
                    if search.found is None:
                        search.take(told.valid(block[i]))
            ended = [s.over() for s in searches.values()]
            over = all(ended)
        out = np.empty(shape, self.dtype)
        for i, search in searches.items():
            out[i] = told.finished(search, cells)
        return out


def parts(chunks: Chunks) -> Iterator[tuple[slice, ...]]:
    """Where blocks are."""
    edges = [np.cumsum((0, *sizes)).tolist() for sizes in chunks]
    yield from product(*([slice(a, b) for a, b in pairwise(e) if a < b] for e in edges))


def kept(told: Order | Spread, room: int) -> int:
    """Bytes of what is kept of one plane: bins and their sums, or cells that are taken out, and these in order."""
    taken: int = 3 * SIDES * room * told.keyed.itemsize
    return max(BINS_HELD, taken)
