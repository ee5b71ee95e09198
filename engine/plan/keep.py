"""Rule: what overlapping windows look at is computed once, where it is read from files and there is room for it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from engine.kernel.fused import Fused
from engine.load.natural import natural
from engine.plan.parts import all_of, is_held, parts, with_parts
from engine.plan.shelf import Kept
from processes.cubes.convolution import Correlated
from processes.cubes.panes import Patched
from processes.cubes.warp import Warped
from processes.recipes import Chunks, Picked, Recipe, inputs_first

OVERLAPPING = (Warped, Correlated, Patched)
"""Steps that need more of what they are made of than the place that they are asked for."""
SHARE = 8
"""A block may take one part in so many of what all may take."""
SIDE = 512
"""Cells along each side of a block: as the usual one of files, which is unpacked as a whole."""


def keep(recipe: Recipe, memory: int) -> Recipe:
    """The recipe with blocks that are kept below steps that look at windows.

    Args:
        recipe: What is run.
        memory: Bytes that blocks may take, all in all.
    """
    found: dict[int, Recipe] = {}
    for node in inputs_first(recipe, lambda n: id(n) in found, parts):
        found[id(node)] = rebuilt(node, found, memory)
    return found[id(recipe)]


def rebuilt(node: Recipe, found: Mapping[int, Recipe], memory: int) -> Recipe:
    """A node over what its parts have become."""
    before = parts(node)
    after = [found[id(p)] for p in before]
    if isinstance(node, OVERLAPPING):
        after = [kept(p, memory) for p in after]
    return with_parts(node, after)


def kept(recipe: Recipe, memory: int) -> Recipe:
    """A recipe whose blocks are kept; as it is where it is merely read, or in memory, or where blocks are too large."""
    if isinstance(recipe, Picked) or not (parts(recipe) and is_read(recipe)) or len(recipe.shape) < 2:
        return recipe
    sizes = blocks_of(recipe, memory // SHARE)
    return recipe if sizes is None else Kept(recipe, sizes, memory)


def is_read(recipe: Recipe) -> bool:
    """Does something of it come from files?"""
    return any(not parts(node) and not is_held(node) for node in all_of(recipe))


def blocks_of(recipe: Recipe, most: int) -> Chunks | None:
    """Blocks along y and x, cut where the files have edges, of at most so many bytes; `None` where that cannot be.

    They are small, so that whoever waits for one does not wait for long.
    """
    written = recipe
    while isinstance(written, Fused):
        written = written.recipe
    sizes = tuple(cut(s) for s in natural(written)[-2:])
    beside = math.prod(recipe.shape[:-2]) * recipe.dtype.itemsize
    return sizes if beside * math.prod(max(s, default=0) for s in sizes) <= most else None


def cut(sizes: tuple[int, ...]) -> tuple[int, ...]:
    """Blocks cut at whole blocks of files: the first one ends at such an edge, all others begin at one."""
    found: list[int] = []
    for number, length in enumerate(sizes):
        full, rest = divmod(length, SIDE)
        parts = [rest] * bool(rest) + [SIDE] * full
        found += parts if number == 0 and len(sizes) > 1 else reversed(parts)
    return tuple(found)
