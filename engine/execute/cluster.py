"""Where blocks are computed: threads of this process, a local cluster of processes, or one at an address.

Blocks are computed whole, a few at a time, and handed on as they are done: what was handed on is let go, so that
memory does not grow with the result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from itertools import chain, islice, product
from typing import Any, TypeVar

import dask
import dask.array as da
import numpy as np
import xarray as xr

from engine.errors import Problem
from engine.heap import spare
from engine.plan.shelf import SHELF
from engine.settings import Settings
from processes.lazy import Lazy

T = TypeVar("T")

Place = tuple[slice, ...]
"""Where a block is, along each axis."""
Block = tuple[Place, np.ndarray]
PIECE = 64 * 2**20
"""Bytes of a piece of an array that is in memory already."""


def places_of(array: da.Array) -> Iterator[Place]:
    """Where the chunks of an array are."""
    edges = [np.cumsum((0, *c)).tolist() for c in array.chunks]
    for index in product(*(range(len(c)) for c in array.chunks)):
        yield tuple(slice(e[i], e[i + 1]) for e, i in zip(edges, index, strict=True))


def blocks_of(array: da.Array) -> Iterator[tuple[Place, da.Array]]:
    """The chunks of an array, each with its place."""
    indices = product(*map(range, array.numblocks))
    for place, index in zip(places_of(array), indices, strict=True):
        yield place, array.blocks[index] if array.ndim else array


def pieces_of(array: np.ndarray) -> Iterator[Block]:
    """An array in memory, in pieces along its first axis."""
    if array.ndim == 0:
        yield (), array
        return
    rows = max(1, int(PIECE // max(array[:1].nbytes, 1)))
    for start in range(0, len(array), rows):
        place = (slice(start, min(start + rows, len(array))), *(slice(0, n) for n in array.shape[1:]))
        yield place, array[place]


class Threads:
    """The threads of this process, which keeps little of the memory of blocks that are done."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        spare()

    def stream(self, cube: xr.DataArray) -> Iterator[Block]:
        """The blocks of a cube as they are done."""
        if not isinstance(cube.data, da.Array):
            yield from pieces_of(cube.values)
            return
        with SHELF.run():
            yield from self._computed(cube.data)

    def fill(self, cube: xr.DataArray, out: np.ndarray) -> Iterator[None]:
        """Compute a cube into an array of its shape, a block after the other: each thread puts down what it made."""
        if not isinstance(cube.data, Lazy):
            yield from filled(self.stream(cube), out)
            return
        actions = ((place, partial(cube.data.put, place, out[place])) for place in places_of(cube.data))
        with SHELF.run():
            for _ in self._run(actions):
                yield

    def _computed(self, array: da.Array) -> Iterator[Block]:
        if array.npartitions < 4 * self.workers and not isinstance(array, Lazy):
            with dask.config.set(scheduler="threads", num_workers=self.workers):
                for place, block in blocks_of(array):  # the threads share what is in a block
                    yield place, np.asarray(block.compute())
            return
        yield from self._run(actions_of(array))

    def _run(self, actions: Iterator[tuple[Place, Callable[[], T]]]) -> Iterator[tuple[Place, T]]:
        first, *others = islice(actions, 2)
        if not others:  # a block alone is computed here: threads have an environment of their own to make
            yield first[0], first[1]()
            return
        with ThreadPoolExecutor(self.workers) as pool:
            running: dict[Future[T], Place] = {}
            try:
                for place, action in chain((first, *others), actions):
                    running[pool.submit(action)] = place
                    if len(running) > self.workers:
                        yield from self._done(running)
                while running:
                    yield from self._done(running)
            finally:
                for future in running:
                    future.cancel()

    @staticmethod
    def _done(running: dict[Future[T], Place]) -> Iterator[tuple[Place, T]]:
        finished, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in finished:
            yield running.pop(future), future.result()

    def close(self) -> None:
        """Nothing is to be closed."""


def filled(blocks: Iterable[Block], out: np.ndarray) -> Iterator[None]:
    """Put blocks into an array."""
    for place, block in blocks:
        out[place] = block
        yield


def actions_of(array: da.Array) -> Iterator[tuple[Place, Callable[[], np.ndarray]]]:
    """What computes each block of an array in the calling thread, with the place of the block."""
    if isinstance(array, Lazy):
        for place in places_of(array):
            yield place, partial(array.maker, place)
        return
    for place, block in blocks_of(array):
        yield place, partial(computed_here, block)


def computed_here(block: da.Array) -> np.ndarray:
    """One block, computed in the calling thread."""
    return np.asarray(block.compute(scheduler="synchronous"))


class Distributed:
    """A `distributed` cluster: local processes, or a scheduler at an address."""

    def __init__(self, settings: Settings) -> None:
        from distributed import Client, LocalCluster

        self._cluster: Any = None
        if settings.cluster == "processes":
            self._cluster = LocalCluster(
                n_workers=settings.workers, threads_per_worker=1, processes=True, dashboard_address=None
            )
            self.client = Client(self._cluster)
            return
        try:
            self.client = Client(settings.cluster, timeout="10s")
        except (OSError, ValueError) as error:
            raise Problem(
                "InfrastructureBusy",
                f"no dask scheduler answers at {settings.cluster!r}: {error}",
                hint="Set GDC_CLUSTER to threads, processes, or the address of a scheduler (tcp://host:8786).",
            ) from None

    def fill(self, cube: xr.DataArray, out: np.ndarray) -> Iterator[None]:
        """Compute a cube into an array of its shape, a block after the other."""
        yield from filled(self.stream(cube), out)

    def stream(self, cube: xr.DataArray) -> Iterator[Block]:
        """The blocks of a cube as they are done, no more than two for each worker under way."""
        if not isinstance(cube.data, da.Array):
            yield from pieces_of(cube.values)
            return
        from distributed import as_completed

        bound = 2 * max(1, len(self.client.scheduler_info()["workers"]))
        todo = blocks_of(cube.data)
        places: dict[str, Place] = {}
        running = as_completed(with_results=True, raise_errors=True)

        def submit() -> None:
            for place, block in todo:
                future = self.client.compute(block)
                places[future.key] = place
                running.add(future)
                return

        for _ in range(bound):
            submit()
        for future, result in running:
            yield places.pop(future.key), np.asarray(result)
            submit()

    def close(self) -> None:
        """Let go of the cluster; one that was started for us ends."""
        self.client.close()
        if self._cluster is not None:
            self._cluster.close()


Executor = Threads | Distributed


def open_executor(settings: Settings) -> Executor:
    """The executor that the settings name."""
    return Threads(settings.workers) if settings.cluster == "threads" else Distributed(settings)
