"""Blocks that several other blocks are made of: computed once, and kept for as long as there is room."""

from __future__ import annotations

import os
import threading
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise, product
from typing import Any
from uuid import uuid4

import numpy as np

from processes.places import Region, count, from_hull, hull, size, taken
from processes.recipes import Chunks, Recipe, computed

Key = tuple[str, tuple[int, ...]]
"""Which blocks, and the number of one of them along y and x."""


class Shelf:
    """The blocks of a process, the ones that were used last; what is being computed is waited for."""

    def __init__(self) -> None:
        self.forsake()

    def forsake(self) -> None:
        """Forget all, and who holds the lock: a forked process has none of it."""
        self.lock = threading.Lock()
        self.blocks: OrderedDict[Key, np.ndarray] = OrderedDict()
        self.coming: dict[Key, Future[np.ndarray]] = {}
        self.dropped: deque[str] = deque()
        self.bytes = 0
        self.runs = 0

    def get(self, key: Key, make: Callable[[], np.ndarray], room: int) -> np.ndarray:
        """The block, computed by whoever asks first; after it, blocks that were not used for long make room."""
        with self.lock:
            self._sweep()
            if key in self.blocks:
                self.blocks.move_to_end(key)
                return self.blocks[key]
            others = self.coming.get(key)
            mine = self.coming.setdefault(key, Future())
        if others is not None:
            return others.result()
        try:
            made = make()
        except BaseException as fault:
            mine.set_exception(fault)
            raise
        else:
            self.put(key, made, room)
            mine.set_result(made)
            return made
        finally:
            with self.lock:
                self.coming.pop(key, None)

    def put(self, key: Key, block: np.ndarray, room: int) -> None:
        """Keep a block."""
        with self.lock:
            self.blocks[key] = block
            self.bytes += block.nbytes
            while self.bytes > room and self.blocks:
                _, gone = self.blocks.popitem(last=False)
                self.bytes -= gone.nbytes

    def drop(self, name: str) -> None:
        """Let go of all blocks of a name: at once, or, where the lock is held, when it is taken next.

        Python calls this while it tidies up, which it may do anywhere, in a thread that holds the lock, too.
        """
        self.dropped.append(name)
        if self.lock.acquire(blocking=False):
            try:
                self._sweep()
            finally:
                self.lock.release()

    def _sweep(self) -> None:
        while self.dropped:
            name = self.dropped.popleft()
            for key in [k for k in self.blocks if k[0] == name]:
                self.bytes -= self.blocks.pop(key).nbytes

    @contextmanager
    def run(self) -> Iterator[None]:
        """As long as blocks are computed in here; with the last of all runs everything is let go."""
        with self.lock:
            self.runs += 1
        try:
            yield
        finally:
            with self.lock:
                self.runs -= 1
                if self.runs <= 0:
                    self.blocks.clear()
                    self.bytes = 0


SHELF = Shelf()
os.register_at_fork(after_in_child=SHELF.forsake)


@dataclass(frozen=True, eq=False)
class Kept:
    """An array whose blocks are kept while others are made of them."""

    source: Recipe
    """The array."""
    sizes: Chunks
    """Its blocks along y and x; along all other axes it is one."""
    room: int
    """Bytes that all blocks of a process may take."""
    name: str = field(default_factory=lambda: uuid4().hex)
    """Nothing else has this name, not the same array of another plan either: files may have changed."""

    inputs = ()

    def __post_init__(self) -> None:
        weakref.finalize(self, SHELF.drop, self.name)

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return self.source.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers."""
        return self.source.dtype

    @property
    def token(self) -> str:
        """That of the array."""
        return self.source.token

    def of(self, inputs: tuple[Recipe, ...]) -> Recipe:  # noqa: ARG002 (a recipe's)
        """Itself: it has its source."""
        return self

    def needs(self, region: Region) -> tuple[Region, ...]:  # noqa: ARG002 (a recipe's)
        """Nothing: it asks for blocks itself."""
        return ()

    @cached_property
    def edges(self) -> tuple[list[int], list[int]]:
        """Where blocks begin and end along y and x."""
        y, x = (np.cumsum((0, *sizes)).tolist() for sizes in self.sizes)
        return y, x

    def make(self, region: Region, blocks: Sequence[np.ndarray]) -> np.ndarray:  # noqa: ARG002 (a recipe's)
        """Put the region together of blocks."""
        window = tuple(map(hull, region[-2:]))
        if 0 in size(region):
            return np.empty(size(region), self.dtype)
        others = region[:-2]
        out = np.empty((*size(others), *map(count, window)), self.dtype)
        waiting = list(product(*(among(e, w) for e, w in zip(self.edges, window, strict=True))))
        while waiting:  # what others are computing comes last
            number = next((n for n in waiting if (self.name, n) not in SHELF.coming), waiting[0])
            waiting.remove(number)
            at, within = [], []
            for edges, n, w in zip(self.edges, number, window, strict=True):
                first, last = max(edges[n], w.start), min(edges[n + 1], w.stop)
                within.append(slice(first - edges[n], last - edges[n]))
                at.append(slice(first - w.start, last - w.start))
            out[..., at[0], at[1]] = taken(self.block(number), (*others, *within))
        return taken(out, (*(slice(None) for _ in others), *map(from_hull, region[-2:])))

    def block(self, number: tuple[int, ...]) -> np.ndarray:
        """One block, of this run or of now."""
        place = tuple(slice(e[n], e[n + 1]) for e, n in zip(self.edges, number, strict=True))
        region = (*(slice(0, n) for n in self.shape[:-2]), *place)
        return SHELF.get((self.name, number), lambda: computed(self.source, region), self.room)


def among(edges: Sequence[int], window: slice) -> list[int]:
    """The numbers of the blocks that a window meets."""
    return [
        n
        for n, (first, last) in enumerate(pairwise(edges))
        if first < window.stop and last > window.start and first < last
    ]
