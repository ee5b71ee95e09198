"""Chores of a server: what time makes necessary, done now and then beside what else goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from threading import Event, Thread

from engine.errors import Problem

LOG = logging.getLogger("geodatacube.housekeeping")
PERIOD = 600.0
"""Seconds between two rounds."""


class Housekeeping:
    """Goes its rounds until it is ended; any number of servers may do so over one database."""

    def __init__(self, chores: Sequence[Callable[[], None]], period: float = PERIOD) -> None:
        self._chores, self._period = chores, period
        self._ending = Event()
        self._thread: Thread | None = None

    def begin(self) -> None:
        """Go the first round after one period."""
        self._ending.clear()
        self._thread = Thread(target=self._rounds, name="housekeeping", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """End; a chore under way comes to its end first."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _rounds(self) -> None:
        while not self._ending.wait(self._period):
            for chore in self._chores:
                try:
                    chore()
                except Problem as problem:
                    LOG.warning("a chore was not done: %s", problem)
