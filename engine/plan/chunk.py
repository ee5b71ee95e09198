"""Rule: blocks that go well with those of the sources, and fit into memory while they are computed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from engine.load.natural import natural
from engine.plan.weights import hunger
from processes.places import Region, everything, size
from processes.recipes import Chunks, Mapped, Picked, Recipe, inputs_first, schedule

GOOD = 512
"""Blocks of this size along y and x cost no more than larger ones: it is the usual block of files."""
WIDE = 2048
"""Blocks of what is merely read of servers may have so many cells along y and x."""
SHARE = 4
"""So many blocks for each worker are enough to keep all of them busy."""
LEAST = 256
"""Below this along y and x sources are decoded again and again: blocks are only cut so where they do not fit else."""
TWICE = 2.5
"""An axis may be cut as long as all its places by themselves read no more than so many times what all read at once."""


class Weight(NamedTuple):
    """What an array takes in memory, in bytes; sums are upper bounds."""

    own: int
    """The array itself."""
    held: int
    """What is held at once when all of it is computed."""
    hungry: int
    """The same, with what steps have at hand where no kernel takes their place."""


_weights: WeakKeyDictionary[Recipe, Weight] = WeakKeyDictionary()


def chunked(recipe: Recipe, memory: int, workers: int = 1) -> Chunks:
    """Blocks as the sources have them along the plane and whole along all other axes, cut where memory asks for it.

    What is merely read of local files stays as it is in them; of servers many files are read at once. Axes that need all
    their places for each are never cut. Blocks of long series may still be too large: `fit.fitted` cuts these.

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
    others = [a for a in range(len(sizes)) if a not in plane]
    free = [a for a in others if is_free(recipe, a)] if peak(recipe, sizes) > memory else []
    while peak(recipe, sizes) > memory:
        apart = [a for a in free if max(sizes[a], default=0) > 1]
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


def is_free(recipe: Recipe, axis: int) -> bool:
    """Do the places along an axis go their own ways, so that one alone takes about its share of the reading?"""
    whole = everything(recipe.shape)
    one = (*whole[:axis], slice(0, 1), *whole[axis + 1 :])
    return recipe.shape[axis] * reading(recipe, one) <= TWICE * reading(recipe, whole)


def reading(recipe: Recipe, region: Region) -> int:
    """How many numbers go into a region."""
    return sum(prod(size(step.region)) for step in schedule(recipe, region) if not step.inputs)


def largest_of(chunks: Chunks) -> Region:
    """The largest block."""
    region = []
    for sizes in chunks:
        i = int(np.argmax(sizes)) if sizes else 0
        start = sum(sizes[:i])
        region.append(slice(start, start + (sizes[i] if sizes else 0)))
    return tuple(region)


def evenly(chunks: Chunks, most: int) -> Iterator[Region]:
    """All blocks, or so many that lie evenly among them."""
    edges = [np.cumsum((0, *sizes)).tolist() for sizes in chunks]
    numbers = [len(sizes) for sizes in chunks]
    blocks = prod(numbers)
    for i in range(min(blocks, most)):
        index = np.unravel_index(i * blocks // min(blocks, most), numbers)
        yield tuple(slice(e[j], e[j + 1]) for e, j in zip(edges, map(int, index), strict=True))


def share(recipe: Recipe, sizes: Sequence[tuple[int, ...]]) -> float:
    """The part of all that the largest block is."""
    return prod(max(s, default=0) / max(n, 1) for n, s in zip(recipe.shape, sizes, strict=True))


def peak(recipe: Recipe, sizes: Sequence[tuple[int, ...]]) -> int:
    """Bytes that the largest block takes, about."""
    return int(share(recipe, sizes) * weight(recipe).held)


def most(recipe: Recipe, sizes: Sequence[tuple[int, ...]]) -> int:
    """Bytes that the largest block may take at worst."""
    return int(share(recipe, sizes) * weight(recipe).hungry)


def weight(recipe: Recipe) -> Weight:
    """Bytes of an array, and bytes that are held at once when all of it is computed."""
    for node in inputs_first(recipe, _weights.__contains__):
        own = prod(node.shape) * node.dtype.itemsize
        below = [_weights[i] for i in node.inputs]
        if isinstance(node, Picked):
            part = min(1.0, own / max(below[0].own, 1))
            _weights[node] = Weight(
                own, max(own, int(below[0].held * part)), max(own, int(below[0].hungry * part))
            )
            continue
        held = sum(b.own for b in below)
        beside = held + own + at_hand(node)
        _weights[node] = Weight(
            own,
            max([held + own, *(b.held + held - b.own for b in below)]),
            max([beside, *(b.hungry + held - b.own for b in below)]),
        )
    return _weights[recipe]


def at_hand(node: Recipe) -> int:
    """Bytes that a step has at hand besides what goes in and comes out."""
    numbers = max([prod(node.shape), *(prod(i.shape) for i in node.inputs)])
    return int(numbers * hunger(node.fn if isinstance(node, Mapped) else node)) if node.inputs else 0
