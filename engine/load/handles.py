"""Keeps rasters open between reads: a bounded number, each lent to one thread at a time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from dataclasses import dataclass
from functools import partial

import rasterio

from engine.http import Egress

KEPT = 128
"""Open rasters that wait for their next read; those on loan are as many as there are reading threads."""


@dataclass(frozen=True)
class Key:
    """Which raster: a file as it was at some time, or one of its overviews."""

    href: str
    """Its address."""
    egress: Egress
    """Where on the web it may be."""
    stamp: tuple[object, ...]
    """What changes when the file is changed."""
    overview: int | None = None
    """Number of the overview, from 0, the finest; None: full size."""


class Handle:
    """An open raster, with what rasterio keeps of it for the thread that opened it.

    The remote file below a raster lives in rasterio's context variables, and closing looks for it there. In a context
    of its own a raster outlives its thread and is closed by any other (test_a_raster_outlives_its_thread).
    """

    def __init__(self, opened: Callable[[], rasterio.DatasetReader]) -> None:
        self._context = Context()
        self.dataset = self._context.run(opened)

    def close(self) -> None:
        """Close it."""
        self._context.run(self.dataset.close)


class Handles:
    """Lends open rasters. GDAL's are not for two threads at once, so that one file may be open more than once."""

    def __init__(self, opened: Callable[[Key], rasterio.DatasetReader], room: int = KEPT) -> None:
        self._opened = opened
        self._room = room
        self._reset()

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._idle: OrderedDict[Key, list[Handle]] = OrderedDict()
        self._count = 0
        self._age = 0

    def __len__(self) -> int:
        return self._count

    @contextmanager
    def lent(self, key: Key) -> Iterator[rasterio.DatasetReader]:
        """The open raster, for this thread alone; one in which something failed is not kept."""
        handle, age = self._take(key), self._age
        if handle is None:
            _close(self._outdated(key))
            handle = Handle(partial(self._opened, key))
        try:
            yield handle.dataset
        except BaseException:
            handle.close()
            raise
        _close(self._give(key, handle, age))

    def close(self) -> None:
        """Close what waits, and what is on loan as soon as it comes back."""
        with self._lock:
            idle = [handle for waiting in self._idle.values() for handle in waiting]
            self._idle.clear()
            self._count = 0
            self._age += 1
        _close(idle)

    def _take(self, key: Key) -> Handle | None:
        with self._lock:
            waiting = self._idle.get(key)
            if waiting is None:
                return None
            handle = waiting.pop()
            self._count -= 1
            if not waiting:
                del self._idle[key]
            return handle

    def _give(self, key: Key, handle: Handle, age: int) -> list[Handle]:
        """Take a raster back; those that must go for it."""
        with self._lock:
            if age != self._age:
                return [handle]
            self._idle.setdefault(key, []).append(handle)
            self._idle.move_to_end(key)
            self._count += 1
            return [self._oldest() for _ in range(self._count - self._room)]

    def _oldest(self) -> Handle:
        key, waiting = next(iter(self._idle.items()))
        handle = waiting.pop(0)
        self._count -= 1
        if not waiting:
            del self._idle[key]
        return handle

    def _outdated(self, key: Key) -> list[Handle]:
        """The rasters of the same address as it was before."""
        with self._lock:
            gone = [old for old in self._idle if old.href == key.href and old.stamp != key.stamp]
            found = [handle for old in gone for handle in self._idle.pop(old)]
            self._count -= len(found)
            return found

    def forsake(self) -> None:
        """Begin anew in a forked process, whose files share their place with the parent's."""
        _FORSAKEN.append(self._idle)
        self._reset()


def _close(handles: list[Handle]) -> None:
    for handle in handles:
        handle.close()


_FORSAKEN: list[object] = []
"""Rasters of the parent process: closing them here could wait for a lock that no thread holds any more."""
