"""Rule: statistics of planes are found in one pass over blocks, or in a few where all of a plane does not fit."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from engine.plan.fit import Holding
from engine.plan.passes import BINS_HELD, SIDES, Selected
from processes.cubes.orders import Order
from processes.cubes.spreads import Spread
from processes.places import everything
from processes.recipes import Chunks, Mapped, Recipe, inputs_first, picked

PART = 8
"""What is kept of planes may take one part in so many of the memory of a block."""
BLOCK = 2
"""A block of cells may take one part in so many: it is counted while it is held."""
Cut = Callable[[Recipe, int], Chunks]
"""(recipe, bytes that a block may take) -> its blocks."""


def select(recipe: Recipe, memory: int, cut: Cut, fused: Callable[[Recipe], Recipe]) -> Recipe:
    """The recipe with statistics of planes found in passes: where one is enough, and where planes do not fit.

    Args:
        recipe: What is to be run.
        memory: Bytes that a block may take, with all that goes into it.
        cut: Gives blocks of what is looked at.
        fused: Puts kernels into what is looked at.
    """
    found: dict[int, Recipe] = {}
    for node in inputs_first(recipe, lambda n: id(n) in found):
        inputs = tuple(found[id(i)] for i in node.inputs)
        same = all(a is b for a, b in zip(inputs, node.inputs, strict=True))
        found[id(node)] = selected(node if same else node.of(inputs), memory, cut, fused)
    return found[id(recipe)]


def selected(node: Recipe, memory: int, cut: Cut, fused: Callable[[Recipe], Recipe]) -> Recipe:
    """One node; as it is where it cannot be found so, or where a plane fits and would be read more than once."""
    told = told_by(node)
    if told is None or not isinstance(node, Mapped):
        return node
    one = tuple(slice(0, min(1, n)) for n in node.shape)
    if told.passes > 1 and Holding({}, 0.0).region(fused(node), one).peak <= memory:
        return node
    cells = node.inputs[0]
    axes = (*range(2, len(cells.shape)), 0, 1)
    source = picked(cells, everything(cells.shape), axes)
    sizes = list(cut(source, memory // BLOCK))
    most = max(1, memory // PART // BINS_HELD)  # planes whose bins are held at a time
    for axis in range(len(sizes) - 2):
        step = min(most, max(sizes[axis], default=1))
        sizes[axis] = tuple(min(step, source.shape[axis] - i) for i in range(0, source.shape[axis], step))
        most //= step
    together = prod(max(s, default=1) for s in sizes[:-2])
    room = memory // PART // (3 * SIDES * told.keyed.itemsize * together)
    return Selected(node, fused(source), told, tuple(sizes), room)


def told_by(node: Recipe) -> Order | Spread | None:
    """What a step makes of a whole plane that can be found in passes, as it says of itself."""
    told: Any = getattr(node.fn, "passing", None) if isinstance(node, Mapped) else None
    return told if isinstance(told, (Order, Spread)) else None
