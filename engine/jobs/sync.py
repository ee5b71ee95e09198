"""Synchronous requests: so many at a time, so many waiting, the rest refused at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from threading import Event, Lock
from typing import Any

from engine.errors import Problem
from engine.jobs.reserve import Reserve
from engine.jobs.task import Entry, Progress, Task
from engine.settings import Settings


@dataclass(frozen=True, slots=True)
class Ticket:
    """A request that was taken in."""

    future: Future[Any]
    """What the task gives."""
    unwanted: Event
    """Set by `cancel`."""

    def cancel(self) -> None:
        """The answer is not wanted any more: the run is ended, or never begun."""
        self.unwanted.set()
        self.future.cancel()


class Sync:
    """The desk for synchronous requests of one server process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._threads = ThreadPoolExecutor(settings.sync_slots, thread_name_prefix="sync")
        self._reserve = Reserve(settings.sync_slots)
        self._lock = Lock()
        self._under_way: Counter[str] = Counter()

    def warm_up(self) -> None:
        """Prepare for the next request, beside what else goes on, unless that is done."""
        if self._reserve.is_prepared:
            return
        with suppress(RuntimeError):  # it was closed meanwhile
            self._threads.submit(self._reserve.prepare)

    def take(
        self, owner: str, task: Task, told: Callable[[Progress | Entry], None] = lambda _: None
    ) -> Ticket:
        """Take a request in; `told` hears what it says on its way.

        Raises:
            Problem: There are too many already, of all or of this owner.
        """
        with self._lock:
            self._check(owner)
            self._under_way[owner] += 1
        unwanted = Event()
        seconds = self._settings.sync_seconds
        future = self._threads.submit(self._reserve.run, owner, task, seconds, unwanted, told)
        future.add_done_callback(lambda _: self._leave(owner))
        return Ticket(future, unwanted)

    def check(self, owner: str) -> None:
        """Refuse a request that would not be taken in, before any work goes into it.

        Raises:
            Problem: There are too many already, of all or of this owner.
        """
        with self._lock:
            self._check(owner)

    def under_way(self) -> int:
        """Requests that are computed or waiting."""
        with self._lock:
            return self._under_way.total()

    def close(self) -> None:
        """Take no more in; what waits is dropped."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._reserve.close()

    def _check(self, owner: str) -> None:
        own, all_ = self._under_way.get(owner, 0), self._under_way.total()
        if own >= self._settings.sync_queue_user:
            raise too_many(f"{own} of your requests are under way")
        if all_ >= self._settings.sync_slots + self._settings.sync_queue:
            raise too_many(f"{all_} requests are under way")

    def _leave(self, owner: str) -> None:
        with self._lock:
            self._under_way[owner] -= 1
            if not self._under_way[owner]:
                del self._under_way[owner]
        self.warm_up()


def too_many(what: str) -> Problem:
    """The refusal of what cannot wait, either."""
    return Problem(
        "TooManyRequests", f"{what}, more cannot wait", hint="Try again later.", facts={"retry_after": 5}
    )
