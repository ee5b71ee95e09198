"""Runners that wait: those that did a task go on with the next one of the same user, and one is ready for anybody."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.util import Finalize
from threading import Lock
from typing import Any

from engine.jobs.process import Runner, Unwanted
from engine.jobs.rehearsal import rehearse
from engine.jobs.runner import IDLE, memory_of
from engine.jobs.task import Entry, Progress, Task

MARGIN = 5.0
"""Seconds before its end in which a runner that waits is not taken any more."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A runner that did a task."""

    whose: tuple[str, int]
    """Its user, and the memory that it may take: a process's limit can be lowered only."""
    since: float
    runner: Runner


class Reserve:
    """At most `room` runners that did a task wait for the next one, a minute at most."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._lock = Lock()
        self._waiting: list[Waiting] = []
        self._fresh: list[Runner] = []
        self._closed = False
        # Python waits for processes before it ends; those that wait for a task have to end before.
        self._end = Finalize(self, end_all, (self._waiting, self._fresh), exitpriority=1)

    def run(
        self,
        owner: str,
        task: Task,
        seconds: float,
        unwanted: Unwanted,
        told: Callable[[Progress | Entry], None] = lambda _: None,
    ) -> Any:
        """Do a task of a user; as `Runner.do`."""
        with self._runner((owner, memory_of(task))) as runner:
            return runner.do(task, seconds, unwanted, told)

    @property
    def is_prepared(self) -> bool:
        """Is a runner ready for whoever comes next?"""
        with self._lock:
            return any(runner.fit for runner in self._fresh)

    def prepare(self) -> None:
        """Have a runner ready for whoever comes next."""
        with self._lock:
            self._sweep()
            if self._closed or self._fresh:
                return
        runner = Runner(rehearse)
        with self._lock:
            if not (self._closed or self._fresh):
                self._fresh.append(runner)
                return
        runner.close()

    def close(self) -> None:
        """End all that wait, and keep none any more."""
        with self._lock:
            self._closed = True
        self._end()

    @contextmanager
    def _runner(self, whose: tuple[str, int]) -> Iterator[Runner]:
        runner = self._taken(whose) or Runner()
        try:
            yield runner
        finally:
            if runner.fit:
                self._give(Waiting(whose, time.monotonic(), runner))
            else:
                runner.close()

    def _taken(self, whose: tuple[str, int]) -> Runner | None:
        """The one of this user that waits for the shortest time, or the one for anybody."""
        with self._lock:
            self._sweep()
            for waiting in reversed(self._waiting):
                if waiting.whose == whose:
                    self._waiting.remove(waiting)
                    return waiting.runner
            return self._fresh.pop() if self._fresh else None

    def _give(self, waiting: Waiting) -> None:
        with self._lock:
            self._waiting.append(waiting)
            self._sweep()
            while self._waiting and (self._closed or len(self._waiting) > self._room):
                self._waiting.pop(0).runner.close()

    def _sweep(self) -> None:
        """End those that are about to end by themselves, and forget those that have ended."""
        late = time.monotonic() - IDLE + MARGIN
        for waiting in list(self._waiting):
            if waiting.since < late or not waiting.runner.fit:
                self._waiting.remove(waiting)
                waiting.runner.close()
        for runner in list(self._fresh):
            if not runner.fit:
                self._fresh.remove(runner)
                runner.close()


def end_all(waiting: list[Waiting], fresh: list[Runner]) -> None:
    """End runners that wait."""
    for one in waiting:
        one.runner.close()
    for runner in fresh:
        runner.close()
    waiting.clear()
    fresh.clear()
