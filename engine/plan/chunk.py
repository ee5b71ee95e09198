"""Rule: blocks that go well with those of the sources, and fit into memory while they are computed."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from engine.load.natural import natural
from processes.recipes import Chunks, Picked, Recipe

LEAST = 256
"""Blocks are not made smaller than this along y and x: sources would be decoded again and again."""

_weights: WeakKeyDictionary[Recipe, tuple[int, int]] = WeakKeyDictionary()


def chunked(recipe: Recipe, memory: int) -> Chunks:
    """Blocks as the sources have them along the plane and whole along all other axes, cut where memory asks for it.

    Args:
        recipe: What is to be computed.
        memory: Bytes that a block may take, with all that goes into it.
    """
    sizes = list(natural(recipe))
    plane = [a for a, s in enumerate(sizes) if len(s) > 1 or a >= len(sizes) - 2][-2:]
    if not getattr(recipe, "inputs", ()):
        return tuple(sizes)
    for axis in range(len(sizes)):
        if axis not in plane:
            sizes[axis] = (recipe.shape[axis],)
    while peak(recipe, sizes) > memory:
        widest = max(
            range(len(sizes)),
            key=lambda a: (a not in plane and max(sizes[a], default=0) > 1, max(sizes[a], default=0)),
        )
        most = max(sizes[widest], default=0)
        if most <= (LEAST if widest in plane else 1):
            break
        sizes[widest] = halved(sizes[widest], most)
    return tuple(sizes)


def halved(sizes: tuple[int, ...], most: int) -> tuple[int, ...]:
    """The largest blocks cut in two."""
    found: list[int] = []
    for n in sizes:
        found += [n // 2 + n % 2, n // 2] if n == most and n > 1 else [n]
    return tuple(found)


def peak(recipe: Recipe, sizes: list[tuple[int, ...]]) -> int:
    """Bytes that the largest block takes, about."""
    total = 1.0
    for n, s in zip(recipe.shape, sizes, strict=True):
        total *= max(s, default=0) / max(n, 1)
    return int(total * weight(recipe)[1])


def weight(recipe: Recipe) -> tuple[int, int]:
    """Bytes of an array, and bytes that are held at once when all of it is computed; sums are upper bounds."""
    waiting = [recipe]
    while waiting:
        node = waiting[-1]
        missing = [i for i in node.inputs if i not in _weights]
        if missing:
            waiting += missing
            continue
        waiting.pop()
        own = node.dtype.itemsize
        for n in node.shape:
            own *= n
        below = [_weights[i] for i in node.inputs]
        if isinstance(node, Picked):
            share = own / max(below[0][0], 1)
            _weights[node] = own, max(own, int(below[0][1] * min(1.0, share)))
            continue
        held = sum(b[0] for b in below)
        _weights[node] = own, max([held + own, *(b[1] + held - b[0] for b in below)])
    return _weights[recipe]
