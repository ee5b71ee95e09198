"""Lazy arrays that remember how they are computed: any region of one can be made by itself.

A recipe is a node of a small expression: a source, a function of whole blocks, a choice of places, axes in another
order. It says of any region of its array which regions of its inputs it needs, and makes the one of the others. So
whoever runs it is free to choose the blocks, and may put another recipe in its place which gives the same numbers.
To dask and xarray a `Lazy` is a dask array like any other, of one task per block.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any, Protocol, Self

import dask.array as da
import numpy as np
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph, Layer, MaterializedLayer
from dask.task_spec import Task

Place = slice | np.ndarray
"""Where along one axis: from start to stop, step by step, or at these indices."""
Region = tuple[Place, ...]
"""Where along each axis."""
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


# ----------------------------------------------------------------------------------------------- places
def everything(shape: Sequence[int]) -> Region:
    """The region of the whole array."""
    return tuple(slice(0, n) for n in shape)


def count(place: Place) -> int:
    """How many places there are."""
    return int(place.stop - place.start) if isinstance(place, slice) else len(place)


def size(region: Region) -> tuple[int, ...]:
    """The shape of a region."""
    return tuple(map(count, region))


def among(places: Place, chosen: Place) -> Place:
    """The chosen ones among places: `chosen` counts from the first of `places`."""
    if isinstance(places, slice):
        if isinstance(chosen, slice):
            return slice(places.start + chosen.start, places.start + chosen.stop)
        return tidy(places.start + chosen)
    return tidy(places[chosen])


def tidy(indices: np.ndarray) -> Place:
    """Indices as a slice where they run one by one."""
    if len(indices) and (np.diff(indices) == 1).all():
        return slice(int(indices[0]), int(indices[-1]) + 1)
    return indices


def place_of(key: Any, length: int) -> Place:
    """A slice, index or list of indices or booleans, as NumPy understands them, as a place."""
    if isinstance(key, slice):
        start, stop, step = key.indices(length)
        if step == 1:
            return slice(start, max(start, stop))
        return tidy(np.arange(start, stop, step))
    indices = np.asarray(key)
    if indices.dtype == bool:
        return tidy(np.flatnonzero(indices))
    indices = indices.astype(np.intp)
    if indices.size and (indices.min() < -length or indices.max() >= length):
        raise IndexError(f"index {indices.max()} is out of bounds for an axis of length {length}")
    return tidy(np.where(indices < 0, indices + length, indices))


def hull(place: Place) -> slice:
    """The shortest run of indices that a place lies in."""
    if isinstance(place, slice):
        return place
    return slice(int(place.min()), int(place.max()) + 1) if len(place) else slice(0, 0)


def from_hull(place: Place) -> Place:
    """A place, counted from where its hull begins."""
    return slice(0, count(place)) if isinstance(place, slice) else place - hull(place).start


def indices(place: Place) -> np.ndarray:
    """A place as indices."""
    return np.arange(place.start, place.stop) if isinstance(place, slice) else place


def same(place: Place) -> Any:
    """A hashable stand-in for a place."""
    return (place.start, place.stop) if isinstance(place, slice) else place.tobytes()


# ---------------------------------------------------------------------------------------------- recipes
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


def taken(array: np.ndarray, region: Sequence[Place]) -> np.ndarray:
    """A region of an array in memory; axis by axis, so that indices along several of them do not meet."""
    out = array[tuple(p if isinstance(p, slice) else slice(None) for p in region)]
    for axis, place in enumerate(region):
        if not isinstance(place, slice):
            out = np.take(out, place, axis)
    return out


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


# ---------------------------------------------------------------------------------------------- computing
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


# ------------------------------------------------------------------------------------------------- dask
class Regions(Layer):
    """The tasks of a lazy array, one per block; made when they are asked for."""

    def __init__(self, name: str, recipe: Recipe, planner: Planner, chunks: Chunks) -> None:
        super().__init__()
        self.name = name
        self.recipe = recipe
        self.planner = planner
        self.sizes = chunks

    @cached_property
    def edges(self) -> list[list[int]]:
        """Where the blocks begin and end along each axis."""
        return [np.cumsum((0, *sizes)).tolist() for sizes in self.sizes]

    @cached_property
    def maker(self) -> Callable[[Region], np.ndarray]:
        """What makes a block."""
        return self.planner.maker(self.recipe)

    def region(self, index: Sequence[int]) -> Region:
        """The region of a block."""
        return tuple(slice(e[i], e[i + 1]) for e, i in zip(self.edges, index, strict=True))

    def __getitem__(self, key: Any) -> Task:
        if not isinstance(key, tuple) or len(key) != 1 + len(self.sizes) or key[0] != self.name:
            raise KeyError(key)
        return Task(key, self.maker, self.region(key[1:]), _data_producer=True)

    def __iter__(self) -> Iterator[Any]:
        for index in product(*(range(len(sizes)) for sizes in self.sizes)):
            yield (self.name, *index)

    def __len__(self) -> int:
        return math.prod(map(len, self.sizes))

    def is_materialized(self) -> bool:
        """The tasks are made one by one."""
        return False

    def get_output_keys(self) -> set[Any]:
        """The keys of all blocks."""
        return set(self)

    def cull(self, keys: set[Any], all_hlg_keys: Any) -> tuple[Layer, Mapping[Any, set[Any]]]:  # noqa: ARG002
        """Only the tasks of these blocks."""
        mine = {k: self[k] for k in keys if isinstance(k, tuple) and k[0] == self.name}
        return MaterializedLayer(mine), {k: set() for k in mine}


class Lazy(da.Array):
    """A dask array that remembers its recipe."""

    __slots__ = ("planner", "recipe")

    recipe: Recipe
    planner: Planner

    def __new__(cls, recipe: Recipe, planner: Planner, chunks: Chunks | None = None) -> Lazy:
        """A lazy array; its blocks are the planner's unless `chunks` are given."""
        sizes = planner.chunks(recipe) if chunks is None else chunks
        name = f"{type(recipe).__name__.lower()}-{tokenize(recipe.token, sizes)}"
        graph = HighLevelGraph({name: Regions(name, recipe, planner, sizes)}, {name: set()})
        self: Lazy = super().__new__(
            cls, graph, name, sizes, meta=np.empty((0,) * len(recipe.shape), recipe.dtype)
        )
        self.recipe, self.planner = recipe, planner
        return self

    @property
    def maker(self) -> Callable[[Region], np.ndarray]:
        """What makes its regions, at once, in the calling thread."""
        layer: Any = self.dask.layers[self.name]
        made: Callable[[Region], np.ndarray] = layer.maker
        return made

    def put(self, region: Region, out: np.ndarray) -> None:
        """Make a region into an array."""
        maker = self.maker
        if isinstance(maker, Maker):
            maker.into(region, out)
        else:
            out[...] = maker(region)

    def of(self, recipe: Recipe) -> Lazy:
        """Another array by the same planner."""
        return Lazy(recipe, self.planner)

    def __getitem__(self, index: Any) -> Any:
        keys = index if isinstance(index, tuple) else (index,)
        if not all(map(is_plain, keys)) or sum(isinstance(k, (list, np.ndarray)) for k in keys) > 1:
            return super().__getitem__(index)
        places: list[Place] = []
        axes: list[int | None] = []
        for key in spelt_out(keys, self.ndim):
            if key is None:
                axes.append(None)
                continue
            axis = len(places)
            one = isinstance(key, (int, np.integer))
            places.append(place_of([key] if one else key, self.shape[axis]))
            axes += [] if one else [axis]
        return self.of(picked(self.recipe, tuple(places), axes))

    def transpose(self, *axes: Any) -> Lazy:
        """The axes in another order."""
        given = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        order = tuple(range(self.ndim))[::-1] if not given else tuple(a % self.ndim for a in given)
        return self.of(picked(self.recipe, everything(self.shape), order))

    def rechunk(self, chunks: Any = "auto", *args: Any, **kwargs: Any) -> Any:
        """Other blocks, at no cost."""
        if args or kwargs:
            return super().rechunk(chunks, *args, **kwargs)
        if isinstance(chunks, Mapping):
            named = {a % self.ndim: c for a, c in chunks.items()}
            chunks = tuple(self.chunks[a] if named.get(a) is None else named[a] for a in range(self.ndim))
        sizes = da.core.normalize_chunks(chunks, self.shape, dtype=self.dtype, previous_chunks=self.chunks)
        return self if sizes == self.chunks else Lazy(self.recipe, self.planner, sizes)

    def astype(self, dtype: Any, **kwargs: Any) -> Any:
        """Numbers of another type."""
        if set(kwargs) - {"copy", "casting"} or kwargs.get("casting", "unsafe") != "unsafe":
            return super().astype(dtype, **kwargs)
        names = tuple(map(str, range(self.ndim)))
        target = np.dtype(dtype)
        if target == self.dtype:
            return self
        return self.of(Mapped(Cast(target), names, (self.recipe,), (names,), {}, target))


@dataclass(frozen=True)
class Cast:
    """Numbers as another type, as a function of one block."""

    dtype: np.dtype[Any]

    def __call__(self, block: np.ndarray) -> np.ndarray:
        return block.astype(self.dtype)


def is_plain(key: Any) -> bool:
    """Is this an index that is known before anything is computed?"""
    if isinstance(key, np.ndarray):
        return key.ndim == 1 and key.dtype.kind in "iub"
    if isinstance(key, list):
        return all(isinstance(k, (int, np.integer)) for k in key)
    return key is None or key is Ellipsis or isinstance(key, (slice, int, np.integer))


def spelt_out(keys: tuple[Any, ...], ndim: int) -> list[Any]:
    """One key for each axis, besides those for new ones."""
    missing = ndim - sum(k is not None and k is not Ellipsis for k in keys)
    if missing < 0:
        raise IndexError(f"too many indices for an array of {ndim} axes")
    rest = [slice(None)] * missing
    if not any(k is Ellipsis for k in keys):
        return [*keys, *rest]
    at = next(i for i, k in enumerate(keys) if k is Ellipsis)
    return [*keys[:at], *rest, *keys[at + 1 :]]


def mapped(
    fn: Callable[..., np.ndarray],
    dims: Sequence[str],
    arrays: Sequence[Any],
    array_dims: Sequence[Sequence[str]],
    new: Mapping[str, int],
    dtype: Any,
) -> Lazy | None:
    """A function of blocks as a lazy array; `None` where an array does not tell how it is computed.

    Args:
        fn: Makes a block of blocks.
        dims: Names of the axes of the result.
        arrays: What it is made of.
        array_dims: Names of the axes of each array.
        new: Axes that are new, or of a new length.
        dtype: Type of the result.
    """
    lazies = [a for a in arrays if isinstance(a, Lazy)]
    if not lazies or any(isinstance(a, da.Array) and not isinstance(a, Lazy) for a in arrays):
        return None
    lengths: dict[str, set[int]] = {}
    for array, names in zip(arrays, array_dims, strict=True):
        for d, n in zip(names, array.shape, strict=True):
            lengths.setdefault(d, set()).add(n)
    if any(len(ns) > 1 for ns in lengths.values()):
        return None
    inputs = tuple(a.recipe if isinstance(a, Lazy) else Held(np.asarray(a)) for a in arrays)
    all_names = tuple(tuple(map(str, n)) for n in array_dims)
    return lazies[0].of(Mapped(fn, tuple(map(str, dims)), inputs, all_names, dict(new), np.dtype(dtype)))
