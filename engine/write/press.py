"""Packs tiles in a few threads while the next ones come; they are kept in the order in which they came."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from engine.write.atomic import storing
from engine.write.cog import Level, Place
from engine.write.packing import Packing

T = TypeVar("T")

MOST = 8
"""Threads at most: tiles do not come faster than so many can pack them."""

MEMORY = 64 << 20
"""Bytes of tiles that wait to be packed: larger tiles have fewer threads."""


@dataclass(frozen=True, eq=False)
class Waiting:
    """A tile that is being packed."""

    sheet: Path
    """The file that it will be in."""
    level: Level
    """Where it is kept."""
    place: Place
    """Its place there."""
    plain: np.ndarray
    """Its bytes before compression."""
    packed: Future[bytes]
    """Its bytes afterwards."""


class Press:
    """Threads that pack tiles; none of them outlives the `with` block.

    What waits is bounded: as many tiles as there are threads, and one that is being made. A tile that cannot be
    packed or kept raises where a later one is given, or at the `flush`.
    """

    def __init__(self, packing: Packing) -> None:
        self._packing = packing
        size = packing.side * packing.side * packing.dtype.itemsize
        self._threads = min(threads(), MOST, max(1, MEMORY // size))
        self._rooms = [packing.room() for _ in range(self._threads + 1)]
        self._waiting: deque[Waiting] = deque()
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="press")

    def __enter__(self) -> Press:
        return self

    def __exit__(self, *_: Any) -> None:
        self._pool.shutdown(cancel_futures=True)

    def put(self, sheet: Path, level: Level, place: Place, cells: np.ndarray) -> None:
        """Have a tile packed; its cells are read before this returns."""
        if not self._rooms:
            self._keep_first()
        plain = self._packing.plain(cells, self._rooms.pop())
        self._waiting.append(
            Waiting(sheet, level, place, plain, self._pool.submit(self._packing.pack, plain))
        )

    def flush(self) -> None:
        """Wait until all tiles are kept."""
        while self._waiting:
            self._keep_first()

    def aside(self, action: Callable[[], T]) -> Future[T]:
        """Do something else in one of the threads."""
        return self._pool.submit(action)

    def _keep_first(self) -> None:
        tile = self._waiting.popleft()
        with storing(tile.sheet):
            tile.level.append(tile.place, tile.plain, tile.packed.result())
        self._rooms.append(tile.plain.reshape(-1))


def threads() -> int:
    """As many as there are processors for us."""
    return len(os.sched_getaffinity(0))
