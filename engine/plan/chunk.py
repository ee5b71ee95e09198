"""Rule: blocks that go well with those of the sources, and fit into memory while they are computed."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from weakref import WeakKeyDictionary

from engine.load.natural import natural
from processes.recipes import Chunks, Picked, Recipe, inputs_first

GOOD = 512
"""Blocks of this size along y and x cost no more than larger ones: it is the usual block of files."""
WIDE = 2048
"""Blocks of what is merely read of servers may have so many cells along y and x."""
SHARE = 4
"""So many blocks for each worker are enough to keep all of them busy."""
LEAST = 256
"""Blocks are not made smaller than this along y and x: sources would be decoded again and again."""

_weights: WeakKeyDictionary[Recipe, tuple[int, int]] = WeakKeyDictionary()


def chunked(recipe: Recipe, memory: int, workers: int = 1) -> Chunks:
    """Blocks as the sources have them along the plane and whole along all other axes, cut where memory asks for it.

    What is merely read of local files stays as it is in them; of servers many files are read at once.

    Args:
        recipe: What is to be computed.
        memory: Bytes that a block may take, with all that goes into it.
        workers: How many blocks are computed at a time; large ones are cut so that each worker has some.
    """
    sizes = [tidied(s) for s in natural(recipe)]
    far = not recipe.inputs and getattr(recipe, "is_far", False)
    if not recipe.inputs and not far:
        return natural(recipe)
    plane = range(max(len(sizes) - 2, 0), len(sizes))
    for axis in range(len(sizes)):
        if axis not in plane:
            sizes[axis] = (recipe.shape[axis],)
        elif far:
            sizes[axis] = together(sizes[axis])
    while peak(recipe, sizes) > memory:
        apart = [a for a in range(len(sizes)) if a not in plane and max(sizes[a], default=0) > 1]
        if not apart and not cuttable(sizes, plane, LEAST):
            break
        axis = max(apart or plane, key=lambda a: max(sizes[a], default=0))
        sizes[axis] = halved(sizes[axis])
    while not far and prod(map(len, sizes)) < SHARE * workers and cuttable(sizes, plane, GOOD):
        axis = max(plane, key=lambda a: max(sizes[a], default=0))
        sizes[axis] = halved(sizes[axis])
    return tuple(sizes)


def together(sizes: tuple[int, ...]) -> tuple[int, ...]:
    """Neighbouring blocks made one, so that fewer requests bring more."""
    found: list[int] = []
    for n in sizes:
        if found and found[-1] + n <= WIDE:
            found[-1] += n
        else:
            found.append(n)
    return tuple(found)


def cuttable(sizes: Sequence[tuple[int, ...]], plane: Sequence[int], least: int) -> bool:
    """Are there blocks larger than that along y or x?"""
    return any(max(sizes[a], default=0) > least for a in plane)


def tidied(sizes: tuple[int, ...]) -> tuple[int, ...]:
    """Blocks of which the first and the last are not much smaller than the others."""
    found = list(sizes)
    for end, beside in ((0, 1), (-1, -2)):
        if len(found) > 1 and found[end] < max(found) / 4:
            found[beside] += found[end]
            del found[end]
    return tuple(found)


def halved(sizes: tuple[int, ...]) -> tuple[int, ...]:
    """The largest blocks cut in two, at a multiple of the usual block of files where that is possible."""
    most = max(sizes)
    first = round(most / 2 / GOOD) * GOOD if most > GOOD else most - most // 2
    found: list[int] = []
    for n in sizes:
        found += [first, n - first] if n == most and n > 1 else [n]
    return tuple(found)


def peak(recipe: Recipe, sizes: list[tuple[int, ...]]) -> int:
    """Bytes that the largest block takes, about."""
    total = 1.0
    for n, s in zip(recipe.shape, sizes, strict=True):
        total *= max(s, default=0) / max(n, 1)
    return int(total * weight(recipe)[1])


def weight(recipe: Recipe) -> tuple[int, int]:
    """Bytes of an array, and bytes that are held at once when all of it is computed; sums are upper bounds."""
    for node in inputs_first(recipe, _weights.__contains__):
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
