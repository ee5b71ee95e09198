"""Recipes: how arrays are computed, so that any region of one can be made by itself.

A recipe is a node of a small expression: a source, a function of whole blocks, a choice of places, axes in another
order. It says of any region of its array which regions of its inputs it needs, and makes the one of the others. So
whoever runs it is free to choose the blocks, and may put another recipe in its place which gives the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol, Self

import numpy as np
from dask.base import tokenize

from processes.places import Region, among, count, same, taken

Chunks = tuple[tuple[int, ...], ...]


class Recipe(Protocol):
    """How an array is computed."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers."""
        ...

    @property
    def token(self) -> str:
        """The same for recipes that give the same numbers."""
        ...

    @property
    def inputs(self) -> tuple[Recipe, ...]:
        """What it is made of."""
        ...

    def needs(self, region: Region) -> tuple[Region, ...]:
        """The region of each input that goes into a region."""
        ...

    def make(self, region: Region, blocks: Sequence[np.ndarray]) -> np.ndarray:
        """The numbers of a region, from those of the regions that it needs."""
        ...

    def of(self, inputs: tuple[Recipe, ...]) -> Recipe:
        """The same, made of other inputs that give the same numbers."""
        ...


class Planner(Protocol):
    """Who decides in what blocks, and by what means, arrays are computed. It can be pickled."""

    def chunks(self, recipe: Recipe) -> Chunks:
        """Sizes of the blocks along each axis."""
        ...

    def maker(self, recipe: Recipe) -> Callable[[Region], np.ndarray]:
        """A function that makes regions; it can be pickled."""
        ...


@dataclass(frozen=True, eq=False)
class Held:
    """An array that is in memory."""

    array: np.ndarray
    """The numbers."""

    inputs = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return self.array.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers."""
        return self.array.dtype

    @cached_property
    def token(self) -> str:
        """The same for equal numbers."""
        return tokenize(self.array)

    def needs(self, region: Region) -> tuple[Region, ...]:  # noqa: ARG002 (the protocol's)
        """Nothing."""
        return ()

    def make(self, region: Region, blocks: Sequence[np.ndarray]) -> np.ndarray:  # noqa: ARG002
        """The numbers that are there."""
        return taken(self.array, region)

    def of(self, inputs: tuple[Recipe, ...]) -> Recipe:  # noqa: ARG002
        """Itself."""
        return self


@dataclass(frozen=True, eq=False)
class Mapped:
    """A function of whole blocks, matched by the names of their axes."""

    fn: Callable[..., np.ndarray]
    """Makes a block of blocks. The same numbers come out however the axes that are kept are cut."""
    dims: tuple[str, ...]
    """Names of the axes."""
    inputs: tuple[Recipe, ...]
    """What it is made of."""
    input_dims: tuple[tuple[str, ...], ...]
    """Names of the axes of each input. Those that are not among `dims` come whole into each call."""
    new: Mapping[str, int]
    """Axes that are new, or of a new length; they are made whole in each call."""
    dtype: np.dtype[Any]
    """Type of the numbers."""

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        lengths = {
            d: n
            for i, dims in zip(self.inputs, self.input_dims, strict=True)
            for d, n in zip(dims, i.shape, strict=True)
        } | dict(self.new)
        return tuple(lengths[d] for d in self.dims)

    @cached_property
    def token(self) -> str:
        """The same for equal functions of the same inputs."""
        new = sorted(self.new.items())
        return tokenize(self.fn, self.dims, [i.token for i in self.inputs], self.input_dims, new, self.dtype)

    def of(self, inputs: tuple[Recipe, ...]) -> Recipe:
        """The same function of other inputs."""
        return replace(self, inputs=inputs)

    def needs(self, region: Region) -> tuple[Region, ...]:
        """The same places along axes that are kept, all along the others."""
        kept = {d: place for d, place in zip(self.dims, region, strict=True) if d not in self.new}
        return tuple(
            tuple(kept.get(d, slice(0, n)) for d, n in zip(dims, i.shape, strict=True))
            for i, dims in zip(self.inputs, self.input_dims, strict=True)
        )

    def make(self, region: Region, blocks: Sequence[np.ndarray]) -> np.ndarray:
        """Call the function."""
        made = self.fn(*blocks)
        if not self.new:
            return made
        return taken(
            made,
            tuple(
                place if d in self.new else slice(0, n)
                for d, place, n in zip(self.dims, region, made.shape, strict=True)
            ),
        )


@dataclass(frozen=True, eq=False)
class Picked:
    """Some places of another array; axes may be dropped and put in, and stand in another order."""

    source: Recipe
    """The other array."""
    places: Region
    """Where, along each of its axes."""
    axes: tuple[int | None, ...]
    """For each axis of this array which one of the source it is, `None` where it is new and of length 1. Axes of the
    source that are not named have one place, and are dropped."""

    @property
    def inputs(self) -> tuple[Recipe, ...]:
        """The other array."""
        return (self.source,)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers."""
        return self.source.dtype

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return tuple(1 if a is None else count(self.places[a]) for a in self.axes)

    @cached_property
    def token(self) -> str:
        """The same for the same places of the same array."""
        return tokenize(self.source.token, [same(p) for p in self.places], self.axes)

    def of(self, inputs: tuple[Recipe, ...]) -> Recipe:
        """The same places of another array."""
        return replace(self, source=inputs[0])

    def needs(self, region: Region) -> tuple[Region, ...]:
        """The places that are meant."""
        wanted = list(self.places)
        for axis, place in zip(self.axes, region, strict=True):
            if axis is not None:
                wanted[axis] = among(self.places[axis], place)
        return (tuple(wanted),)

    def make(self, region: Region, blocks: Sequence[np.ndarray]) -> np.ndarray:
        """Put the axes where they belong."""
        (block,) = blocks
        kept = [a for a in self.axes if a is not None]
        gone = tuple(a for a in range(block.ndim) if a not in kept)
        block = np.squeeze(block, gone) if gone else block
        block = np.transpose(block, [sorted(kept).index(a) for a in kept])
        block = block[tuple(None if a is None else slice(None) for a in self.axes)]
        return taken(block, [p if a is None else slice(None) for a, p in zip(self.axes, region, strict=True)])


@dataclass(frozen=True, eq=False)
class Changed:
    """What recipes of one other array have in common whose axes mean the same as there; shape and type may differ."""

    source: Recipe
    """The other array."""

    keeps_axes = True

    @property
    def inputs(self) -> tuple[Recipe, ...]:
        """The other array."""
        return (self.source,)

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return self.source.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers."""
        return self.source.dtype

    def of(self, inputs: tuple[Recipe, ...]) -> Self:
        """The same of another array."""
        return replace(self, source=inputs[0])


def picked(source: Recipe, places: Region, axes: Sequence[int | None]) -> Recipe:
    """Some places of an array; of a choice one choice, of all places in the old order the array itself."""
    whole = all(
        isinstance(p, slice) and (p.start, p.stop) == (0, n)
        for p, n in zip(places, source.shape, strict=True)
    )
    if whole and tuple(axes) == tuple(range(len(source.shape))):
        return source
    if not isinstance(source, Picked):
        return Picked(source, places, tuple(axes))
    inner = list(source.places)
    for axis, place in zip(source.axes, places, strict=True):
        if axis is not None:
            inner[axis] = among(inner[axis], place)
        elif count(place) != 1:
            return Picked(source, places, tuple(axes))
    return picked(source.source, tuple(inner), [None if a is None else source.axes[a] for a in axes])


def inputs_of(node: Recipe) -> Sequence[Recipe]:
    """What a recipe is made of."""
    return node.inputs


def inputs_first(
    recipe: Recipe,
    is_known: Callable[[Recipe], bool],
    parts: Callable[[Recipe], Sequence[Recipe]] = inputs_of,
) -> Iterator[Recipe]:
    """A recipe and what it is made of, each after its parts and without recursion; what is known is left out.

    Whoever takes a recipe has to make it known before the next one is asked for.
    """
    waiting = [recipe]
    while waiting:
        node = waiting[-1]
        missing = [p for p in parts(node) if not is_known(p)]
        if missing:
            waiting += missing
            continue
        waiting.pop()
        if not is_known(node):
            yield node


@dataclass(frozen=True, eq=False)
class Step:
    """One region that has to be made."""

    recipe: Recipe
    region: Region
    inputs: tuple[int, ...]
    """Numbers of the steps whose regions it is made of."""


def schedule(recipe: Recipe, region: Region, whole: Callable[[Recipe], bool] | None = None) -> list[Step]:
    """All regions that go into one, each once, in an order in which they can be made; that one is the last.

    Without recursion, and linear in the recipe, however often its parts are shared. What goes into a recipe that is
    `whole` is not looked at.
    """
    numbers: dict[Any, int] = {}
    steps: list[Step] = []
    waiting: list[tuple[Recipe, Region, bool]] = [(recipe, region, False)]
    while waiting:
        node, wanted, opened = waiting.pop()
        key = (id(node), tuple(map(same, wanted)))
        if key in numbers:
            continue
        closed = whole is not None and whole(node)
        needs = [] if closed else list(zip(node.inputs, node.needs(wanted), strict=True))
        if opened or not needs:
            found = tuple(numbers[id(i), tuple(map(same, r))] for i, r in needs)
            numbers[key] = len(steps)
            steps.append(Step(node, wanted, found))
            continue
        waiting.append((node, wanted, True))
        waiting += [(i, r, False) for i, r in reversed(needs)]
    return steps


def computed(recipe: Recipe, region: Region) -> np.ndarray:
    """The numbers of a region; what goes into it is let go as soon as nothing needs it any more."""
    steps = schedule(recipe, region)
    readers = [0] * len(steps)
    for step in steps:
        for i in step.inputs:
            readers[i] += 1
    made: dict[int, np.ndarray] = {}
    for number, step in enumerate(steps):
        made[number] = step.recipe.make(step.region, [made[i] for i in step.inputs])
        for i in step.inputs:
            readers[i] -= 1
            if not readers[i]:
                made.pop(i, None)
    return made[len(steps) - 1]


@dataclass(frozen=True)
class Maker:
    """A recipe as a function of regions."""

    recipe: Recipe

    def __call__(self, region: Region) -> np.ndarray:
        return computed(self.recipe, region)

    def into(self, region: Region, out: np.ndarray) -> None:
        """The same, into an array; a recipe may have a way to do that without a copy."""
        straight = getattr(self.recipe, "make_into", None)
        if straight is not None:
            straight(region, out)
        else:
            out[...] = computed(self.recipe, region)


@dataclass(frozen=True)
class Cast:
    """Numbers as another type, as a function of one block."""

    dtype: np.dtype[Any]

    def __call__(self, block: np.ndarray) -> np.ndarray:
        return block.astype(self.dtype)
