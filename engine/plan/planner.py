"""The planner: in what blocks arrays are computed, and by what means."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from engine.errors import Problem
from engine.plan.chunk import chunked
from engine.plan.fit import fitted
from engine.plan.fuse import fuse, work
from engine.plan.keep import keep
from engine.plan.push_grid import push_grid
from engine.plan.reread import Reread, is_narrow, read_once, reread
from engine.plan.select import select
from processes.places import Region
from processes.recipes import Chunks, Maker, Recipe

Kernels = Literal["auto", "always", "never"]
ENOUGH = 20_000_000
"""Numbers that have to go into kernels, so that compiling them is worth its while."""
LOG = logging.getLogger("geodatacube.plan")


@dataclass(frozen=True)
class Planner:
    """Plans recipes. It can be pickled."""

    memory: int
    """Bytes that one block may take while it is computed."""
    kernels: Kernels = "auto"
    """Are kernels compiled: where there is enough to do, always, or never?"""
    workers: int = 1
    """How many blocks are computed at a time."""

    def chunks(self, recipe: Recipe) -> Chunks:
        """Sizes of the blocks along each axis.

        Raises:
            Problem: Not even the series of a single cell fits into memory.
        """
        return self.laid(push_grid(recipe))[0]

    def laid(self, pushed: Recipe) -> tuple[Chunks, Reread | None]:
        """Blocks, and what of the files is kept for several of them; grids are pushed down already."""
        chunks = chunked(pushed, self.memory, self.workers)
        if not pushed.inputs:
            return chunks, None
        chunks = fitted(pushed, chunks, self.memory, self.ready)
        told = reread(pushed, chunks, self.memory) if is_narrow(chunks) else None
        if told is None:
            return chunks, None
        try:
            return fitted(pushed, chunks, self.memory - told.held, self.ready), told
        except Problem:  # not beside what would be kept
            return chunks, None

    def maker(self, recipe: Recipe) -> Callable[[Region], np.ndarray]:
        """What makes regions of an array."""
        return Maker(self.planned(recipe))

    def planned(self, recipe: Recipe) -> Recipe:
        """The recipe that is run."""
        pushed = push_grid(recipe)
        _, told = self.laid(pushed)
        return self.ready(pushed) if told is None else read_once(self.ready(pushed), told)

    def ready(self, pushed: Recipe) -> Recipe:
        """The same of a recipe whose grids are pushed down already."""
        return keep(self.fused(select(pushed, self.memory, self.cut, self.fused)), self.memory)

    def cut(self, recipe: Recipe, memory: int) -> Chunks:
        """Blocks for one worker that take so many bytes."""
        return replace(self, memory=memory, workers=1).chunks(recipe)

    def fused(self, recipe: Recipe) -> Recipe:
        """The recipe with kernels, where they are wanted and worth their while."""
        if self.kernels == "never":
            return recipe
        fused = fuse(recipe, all_words=self.kernels == "always")
        if fused is recipe or self.kernels == "always":
            return fused
        numbers = work(fused)
        if numbers < ENOUGH:
            LOG.debug("%d numbers: too few for kernels, at least %d", numbers, ENOUGH)
            return recipe
        return fused
