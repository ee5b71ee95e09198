"""Many requests under way at once: what will be read soon is fetched before, within bounds."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

from engine.http.client import Failure
from engine.http.ranges import BLOCK, RemoteFile, Run, Span, leave_failure, take_failure

T = TypeVar("T")

READS = 24
"""Requests under way at once: at a latency of 40 ms more bring nothing, and servers still like so many."""
UNDER_WAY = 96 * 2**20
"""Bytes that are fetched or decoded and not yet taken, of all calls; below `ranges.REMEMBERED`, where they wait."""


class Bounds:
    """How much may be ahead of the readers, of all calls of this process."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.forsake()

    def forsake(self) -> None:
        """Forget what is taken: in a forked process nothing is ahead."""
        self.taken = 0
        self._lock = threading.Lock()

    def take(self, count: int, *, must: bool = False) -> bool:
        """Whether there is room, which is then taken; what is waited for `must` go on whatever its size."""
        with self._lock:
            if not must and self.taken + count > self.room:
                return False
            self.taken += count
            return True

    def give(self, count: int) -> None:
        """Give room back."""
        with self._lock:
            self.taken -= count


class Workers:
    """Threads that are started when first needed, and anew in a forked process."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.forsake()

    def forsake(self) -> None:
        """Forget the threads, which a forked process does not have."""
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None

    def submit(self, action: Callable[[], T]) -> Future[T]:
        """Begin an action in one of the threads."""
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self.count, thread_name_prefix="gdc-reads")
            return self._pool.submit(action)

    def close(self) -> None:
        """Let the threads end; they start again when needed."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown()


class Requests:
    """The pieces that are on their way, for all threads: nobody asks for one that is coming already."""

    def __init__(self) -> None:
        self.forsake()

    def forsake(self) -> None:
        """Forget them in a forked process, to which they do not come."""
        self.lock = threading.RLock()  # a request that is over at once strikes itself off where it was begun
        self.coming: dict[tuple[Any, ...], Future[None]] = {}


WORKERS = Workers(READS)
"""They wait for servers."""
DECODERS = Workers(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
"""They decode what has come, one for each processor, so that decoding does not stand in line behind requests."""
REQUESTS = Requests()
BOUNDS = Bounds(UNDER_WAY)


def _forsake() -> None:
    for shared in (WORKERS, DECODERS, REQUESTS, BOUNDS):
        shared.forsake()


os.register_at_fork(after_in_child=_forsake)


def fetch(file: RemoteFile, spans: Sequence[Span]) -> list[Future[None]]:
    """Begin to fetch what is missing of these bytes, and tell all that has to be waited for."""
    blocks = file.blocks(spans)
    with REQUESTS.lock:
        awaited = {b: coming for b in blocks if (coming := REQUESTS.coming.get(file.key(b))) is not None}
        futures = list(dict.fromkeys(awaited.values()))
        return futures + [_begin(file, run) for run in file.missing(blocks - awaited.keys())]


def missing_bytes(file: RemoteFile, spans: Sequence[Span]) -> int:
    """Bytes that have to be fetched for these, about."""
    return sum(run.last + 1 - run.first for run in file.missing(file.blocks(spans))) * BLOCK


def await_all(file: RemoteFile, futures: Sequence[Future[None]]) -> None:
    """Wait; a request that failed fails here, one that was given up by whoever began it is left to the reader."""
    wait(futures, return_when=FIRST_EXCEPTION)
    for future in futures:
        failure = future.exception() if future.done() and not future.cancelled() else None
        if isinstance(failure, Failure):
            leave_failure(file.href, failure)
        if failure is not None:
            raise failure


def _begin(file: RemoteFile, run: Run) -> Future[None]:
    keys = [file.key(block) for block in range(run.first, run.last + 1)]

    def ask() -> None:
        try:
            file.fetch(run)
        finally:
            take_failure(file.href)  # it is told to whoever waits, not in this thread

    def over(_: Future[None]) -> None:
        with REQUESTS.lock:
            for key in keys:
                REQUESTS.coming.pop(key, None)

    future = WORKERS.submit(ask)
    REQUESTS.coming.update(dict.fromkeys(keys, future))
    future.add_done_callback(over)
    return future
