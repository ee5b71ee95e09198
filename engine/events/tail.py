"""The tail of the outbox: one thread of a process looks for new events, and wakes all who wait for them."""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event as Flag
from threading import Lock, Thread

from engine.catalog import Event
from engine.errors import Problem
from engine.events.desk import Desk
from engine.events.forgetting import last_forgotten

LOG = logging.getLogger("geodatacube.events")
QUICK, SLOW, LONG = 0.05, 0.25, 1.0
"""Seconds between looks: while something happens, at rest, and while the database is away."""
KEPT_EVENTS, KEPT_BYTES = 500, 16 * 2**20
"""What is kept in memory of the latest events, for those who follow closely."""
AT_ONCE = 100
"""Events that a reader gets at a time."""
Wake = Callable[[], None]


class Tail:
    """Wakes those who listen; they read on from the number they have.

    A reader is nothing but a number: one that does not read holds nothing, and reads later from the outbox.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lock = Lock()
        self._listeners: set[Wake] = set()
        self._recent: deque[tuple[Event, int]] = deque()
        self._bytes = 0
        self._begin: int | None = None
        """All events with higher numbers, up to `_last`, are in memory."""
        self._last = 0
        self._stop = Flag()
        self._thread: Thread | None = None

    @property
    def ended(self) -> bool:
        """Is nobody woken any more?"""
        return self._stop.is_set()

    def start(self) -> None:
        """Begin to look."""
        self._stop.clear()
        self._thread = Thread(target=self._follow, name="events", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Look no more, and wake all, so that they can end, too."""
        self._stop.set()
        self._wake()

    def stop(self) -> None:
        """End it, and wait until it has ended."""
        self.end()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    @contextmanager
    def heard(self, wake: Wake) -> Iterator[None]:
        """While this holds, `wake` is called after each event, by another thread; it must not take long."""
        with self._lock:
            self._listeners.add(wake)
        try:
            yield
        finally:
            with self._lock:
                self._listeners.discard(wake)

    def near(self, after: int) -> list[Event] | None:
        """The next events after a number, as far as they are in memory; None: they have to be read."""
        with self._lock:
            if self._begin is None or after < self._begin:
                return None
            return [event for event, _ in self._recent if event.seq > after][:AT_ONCE]

    def holds(self, after: int, upto: int) -> bool:
        """Are all events after a number, up to another, in memory?"""
        with self._lock:
            return self._begin is not None and self._begin <= after and upto <= self._last

    def read(self, after: int) -> list[Event]:
        """The next events after a number, from memory or from the outbox."""
        found = self.near(after)
        return self._desk.catalog.events(after, AT_ONCE) if found is None else found

    def newest(self) -> int:
        """The number of the latest event."""
        return self._desk.catalog.last_event()

    # ------------------------------------------------------------------------------- the thread
    def _follow(self) -> None:
        pause, failing = QUICK, False
        while not self._stop.wait(pause):
            try:
                found, failing = self._look(), False
            except Exception as fault:
                if not failing:
                    LOG.error("events cannot be read", exc_info=None if isinstance(fault, Problem) else fault)
                found, failing, pause = False, True, LONG
            if found:
                pause = QUICK
                self._wake()
            elif not failing:
                pause = min(SLOW, pause * 1.5)

    def _look(self) -> bool:
        """Take new events into memory; says whether there were any."""
        if self._begin is None:
            newest = self.newest()
            with self._lock:
                self._begin = self._last = newest
            return True
        if self.newest() <= self._last:
            return False
        new = self._desk.catalog.events(self._last, KEPT_EVENTS)
        sized = [(event, len(json.dumps(event.doc))) for event in new]
        with self._desk.looking() as connection:  # after they were read: some may have gone before
            gone_upto = last_forgotten(connection)
        with self._lock:
            if gone_upto > self._last:  # between what was read before and now: only what comes after is whole
                self._recent.clear()
                self._begin, self._bytes = gone_upto, 0
            for event, size in sized:
                self._recent.append((event, size))
                self._bytes += size
                self._last = event.seq
            while self._recent and (len(self._recent) > KEPT_EVENTS or self._bytes > KEPT_BYTES):
                gone, size = self._recent.popleft()
                self._bytes -= size
                self._begin = gone.seq
        return bool(new)

    def _wake(self) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for wake in listeners:
            wake()
