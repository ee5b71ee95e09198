"""Rule `chunk`, where series are long: blocks are cut until what they really hold fits into memory."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from math import prod

from engine.errors import Problem
from engine.load.blocks import Rasters
from engine.load.natural import natural
from engine.plan.amounts import Amounts
from engine.plan.chunk import GOOD, chunked, cuttable, halved, is_free, largest_of, most
from engine.plan.shelf import Kept
from engine.plan.walk import WARPING, Walk
from processes.cubes.warp import Warped
from processes.places import Region, count, size
from processes.recipes import Chunks, Recipe, Step, schedule

THIN = 8
"""Blocks that are smaller than those of files keep so many cells along one side, as long as they can."""
AROUND = 64**2
"""Cells that may go into one of a series, at each date: those of warps and small moving kernels."""


class Holding(Walk):
    """Walks a region for what it holds: files are not looked at, and what does not shrink with a block is left out."""

    def reading(self, recipe: Rasters, region: Region) -> tuple[Amounts, int]:
        """What waits while windows are read."""
        return Amounts(), self.waiting(recipe, region)

    def kept(self, node: Kept, region: Region) -> tuple[Amounts, int]:
        """As if blocks were not kept: they are as large whoever looks at them."""
        return Amounts(), self.region(node.source, region).peak

    def step(self, recipe: Recipe, region: Region, inputs: Sequence[tuple[int, ...]]) -> tuple[Amounts, int]:
        """What one step has at hand."""
        amounts, scratch = super().step(recipe, region, inputs)
        return amounts, scratch - WARPING if isinstance(recipe, Warped) else scratch


def fitted(recipe: Recipe, chunks: Chunks, memory: int, planned: Callable[[Recipe], Recipe]) -> Chunks:
    """The blocks, cut until they fit: first along axes whose places go their own ways, then along y and x.

    Blocks that are smaller than those of the files are cut along one axis first, so that blocks that are computed one
    after the other look at the same parts of the files.

    Args:
        recipe: What is to be computed.
        chunks: Blocks that are about right.
        memory: Bytes that a block may take, with all that goes into it.
        planned: Gives the recipe that is run.

    Raises:
        Problem: Not even the series of a single cell fits.
    """
    plane = range(max(len(chunks) - 2, 0), len(chunks))
    if most(recipe, chunks) <= memory or not plane:
        return chunks
    run, walk = planned(recipe), Holding({}, 0.0)
    if walk.region(run, largest_of(chunks)).peak <= memory:
        return chunks
    apart = [a for a in range(plane.start) if is_free(recipe, a)]
    least = tuple((1,) if a in (*apart, *plane) else s for a, s in enumerate(chunks))
    needed = walk.region(run, largest_of(least)).peak
    if needed > memory:
        steps = schedule(recipe, largest_of(least))
        if is_series(steps):
            raise too_long(steps, needed, memory)
        return chunks  # cutting does not help where much of a plane goes into each cell
    sizes, narrow = list(chunks), len(natural(recipe)[-1]) > 1
    if not cuttable(chunks, plane, GOOD - 1):  # they do not follow the files any more
        sizes[plane.start :] = chunked(recipe, sys.maxsize)[plane.start :]
    while walk.region(run, largest_of(tuple(sizes))).peak > memory:
        axis = next_cut(sizes, apart, plane, narrow=narrow)
        sizes[axis] = halved(sizes[axis])
    return tuple(sizes)


def next_cut(
    sizes: Sequence[tuple[int, ...]], apart: Sequence[int], plane: Sequence[int], *, narrow: bool
) -> int:
    """The axis that is cut next.

    Args:
        sizes: The blocks.
        apart: Axes whose places go their own ways.
        plane: Axes of the plane.
        narrow: Do blocks below those of files follow one another along the last axis, so that this one is cut?
    """

    def longest(axes: Sequence[int]) -> int:
        return max(axes, key=lambda a: max(sizes[a], default=0))

    if apart and max(sizes[longest(apart)], default=0) > 1:
        return longest(apart)
    if max(sizes[longest(plane)], default=0) > GOOD:
        return longest(plane)
    by_turn = plane[::-1] if narrow else plane
    return next((a for a in by_turn if max(sizes[a], default=0) > THIN), longest(plane))


def is_series(steps: Sequence[Step]) -> bool:
    """Is a cell made of what lies around its own place alone?"""
    for step in steps:
        if len(step.region) > 1 and not step.inputs:
            cells = count(step.region[-2]) * count(step.region[-1])
            if cells > AROUND or cells == prod(step.recipe.shape[-2:]) > 1:
                return False
    return True


def too_long(steps: Sequence[Step], needed: int, memory: int) -> Problem:
    """Not even the series of one cell fits."""
    length = max((n for step in steps for n in size(step.region)[:-2]), default=1)
    return Problem(
        "ProcessGraphComplexity",
        f"the series of a single cell, of {length} values, takes {needed / 2**20:.1f} MB while it is computed; a block "
        f"may take {memory / 2**20:.1f} MB",
        hint="Take a shorter extent of time, or raise GDC_BLOCK_MEMORY.",
        facts={"bytes": needed, "limit": memory, "length": length},
    )
