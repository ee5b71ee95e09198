"""The plain planner: blocks as the sources have them, and every recipe computed as it is written."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from weakref import WeakKeyDictionary

import numpy as np

from processes.places import Place, Region
from processes.recipes import Chunks, Maker, Mapped, Picked, Recipe, inputs_first

_known: WeakKeyDictionary[Recipe, Chunks] = WeakKeyDictionary()


class Natural:
    """Lets every array have the blocks of what it is made of."""

    def chunks(self, recipe: Recipe) -> Chunks:
        """The blocks of the inputs, as far as they go."""
        return natural(recipe)

    def maker(self, recipe: Recipe) -> Callable[[Region], np.ndarray]:
        """The recipe as it is written."""
        return Maker(recipe)


NATURAL = Natural()


def natural(recipe: Recipe) -> Chunks:
    """The blocks that an array has because of its inputs: those of its first source, cut where places are left out."""
    for node in inputs_first(recipe, _known.__contains__):
        _known[node] = _own(node)
    return _known[recipe]


def _own(node: Recipe) -> Chunks:
    if isinstance(node, Mapped):
        cuts: dict[str, tuple[int, ...]] = {}
        for i, dims in zip(node.inputs, node.input_dims, strict=True):
            for dim, sizes in zip(dims, _known[i], strict=True):
                cuts[dim] = sizes if len(sizes) > len(cuts.get(dim, ())) else cuts[dim]
        return tuple((n,) if d in node.new else cuts[d] for d, n in zip(node.dims, node.shape, strict=True))
    if isinstance(node, Picked):
        before = _known[node.source]
        return tuple((1,) if a is None else cut(before[a], node.places[a]) for a in node.axes)
    return getattr(node, "chunks", None) or tuple((n,) for n in node.shape)


def cut(sizes: tuple[int, ...], place: Place) -> tuple[int, ...]:
    """The blocks of these places: a new one begins wherever one of the old ones does."""
    edges = np.cumsum((0, *sizes))
    if isinstance(place, slice):
        inside = [int(e) for e in edges if place.start < e < place.stop]
        ends = [place.start, *inside, place.stop]
        return tuple(b - a for a, b in pairwise(ends))
    if not len(place):
        return (0,)
    home = np.searchsorted(edges, place, side="right")
    starts = [0, *(np.flatnonzero(np.diff(home)) + 1).tolist(), len(place)]
    return tuple(b - a for a, b in pairwise(starts))
