"""Lazy arrays that remember how they are computed; to dask and xarray each is a dask array of one task per block."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import product
from typing import Any

import dask.array as da
import numpy as np
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph, Layer, MaterializedLayer
from dask.task_spec import Task

from processes.places import Place, Region, everything, place_of
from processes.recipes import Cast, Chunks, Held, Maker, Mapped, Planner, Recipe, picked


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
