"""Rule: medians and quantiles of planes that do not fit into memory are found in passes over their blocks."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from engine.plan.fit import Holding
from engine.plan.passes import BINS_HELD, SIDES, Selected
from processes.cubes.orders import Order
from processes.places import everything
from processes.recipes import Chunks, Mapped, Recipe, inputs_first, picked

PART = 8
"""What is kept of planes may take one part in so many of the memory of a block."""
BLOCK = 2
"""A block of cells may take one part in so many: it is counted while it is held."""
Cut = Callable[[Recipe, int], Chunks]
"""(recipe, bytes that a block may take) -> its blocks."""


def select(recipe: Recipe, memory: int, cut: Cut, fused: Callable[[Recipe], Recipe]) -> Recipe:
    """The recipe with order statistics found in passes, where planes do not fit.

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
    """One node; as it is where it is no order statistic of a plane, or where a plane fits."""
    order = order_of(node)
    if order is None or not isinstance(node, Mapped):
        return node
    one = tuple(slice(0, min(1, n)) for n in node.shape)
    if Holding({}, 0.0).region(fused(node), one).peak <= memory:
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
    room = memory // PART // (3 * SIDES * order.keyed.itemsize * together)
    return Selected(node, fused(source), order, tuple(sizes), room)


def order_of(node: Recipe) -> Order | None:
    """Which order statistic of a whole plane a step is, as it says of itself."""
    order: Any = getattr(node.fn, "order", None) if isinstance(node, Mapped) else None
    return order if isinstance(order, Order) else None
