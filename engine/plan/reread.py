"""Rule `keep`, for long series: what several narrow blocks read of the same blocks of files is read once, if there is room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from engine.kernel.fused import Fused
from engine.load.natural import natural
from engine.plan.chunk import GOOD, largest_of
from engine.plan.keep import cut
from engine.plan.parts import all_of, is_held, parts, with_parts
from engine.plan.shelf import Kept
from processes.places import Place, count, hull, size
from processes.recipes import Chunks, Recipe, inputs_first, schedule

SHELVES = 2
"""Blocks of files that are kept, while one worker is through with the first and another is not; one more is being read."""
PART = 4
"""One of them may take one part in so many of the memory of a block."""


@dataclass(frozen=True)
class Reread:
    """Arrays that are read from files, of which blocks are kept."""

    sizes: Mapping[str, Chunks]
    """By token, the blocks along y and x."""
    bytes: int
    """What one block of all of them takes."""

    @property
    def held(self) -> int:
        """Bytes that are held beside a block that is computed."""
        return (SHELVES + 1) * self.bytes


def reread(recipe: Recipe, chunks: Chunks, memory: int) -> Reread | None:
    """What blocks would read again and again; `None` where they do not, or where there is no room for it.

    Args:
        recipe: What is computed, as it is written.
        chunks: Its blocks.
        memory: Bytes that one of these may take.
    """
    found: dict[str, Chunks] = {}
    taken = 0
    steps = [s for s in schedule(recipe, largest_of(chunks)) if not s.inputs and not is_held(s.recipe)]
    for source in {s.recipe.token: s.recipe for s in steps}.values():
        mine = [s.region for s in steps if s.recipe.token == source.token]
        if len(source.shape) < 2 or sum(prod(size(r[:-2])) for r in mine) < prod(source.shape[:-2]):
            continue  # not all dates are needed
        sizes = blocks_of(source)
        block = prod(max(s, default=0) for s in sizes)
        if 2 * max(prod(map(length, r[-2:])) for r in mine) <= block:
            found[source.token] = sizes
            taken += block * prod(source.shape[:-2]) * source.dtype.itemsize
    return Reread(found, taken) if found and PART * taken <= memory else None


def is_narrow(chunks: Chunks) -> bool:
    """Are blocks smaller than those of files usually are?"""
    return len(chunks) > 1 and any(max(s, default=0) < GOOD for s in chunks[-2:])


def length(place: Place) -> int:
    """How far a place reaches."""
    return count(hull(place))


def blocks_of(source: Recipe) -> Chunks:
    """Blocks along y and x that files are unpacked in: of strips all columns."""
    y, x = natural(source)[-2:]
    return cut(y), x if len(x) == 1 and len(y) > 1 else cut(x)


def read_once(run: Recipe, told: Reread) -> Recipe:
    """The recipe that is run with these blocks kept; as it is where masks tell which dates are not read at all."""
    if any(isinstance(node, Fused) and node.gate is not None for node in all_of(run)):
        return run
    found: dict[int, Recipe] = {}
    for node in inputs_first(run, lambda n: id(n) in found, parts):
        sizes = told.sizes.get(node.token) if not parts(node) else None
        if sizes is None:
            found[id(node)] = with_parts(node, [found[id(p)] for p in parts(node)])
        else:
            found[id(node)] = Kept(node, sizes, SHELVES * told.bytes)
    return found[id(run)]
