"""A runner process from outside: started, given a task, listened to, ended with all that it started."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from contextlib import closing, suppress
from functools import cache
from typing import Any, Protocol

from engine.errors import Problem
from engine.jobs.runner import Ended, memory_of, out_of_memory, serve
from engine.jobs.task import Entry, Progress, Task

GLANCE = 0.2
"""Seconds between looks at whether a run is still wanted."""


class Canceled(Exception):  # noqa: N818 (it is no fault)
    """The run was not wanted any more."""


class Killed(Problem):
    """The run was killed from outside: by the system, which lacks memory, or by somebody."""


class Unwanted(Protocol):
    """Says whether a run has become unwanted: a `threading.Event`, or what looks it up."""

    def is_set(self) -> bool:
        """Has it?"""


def nothing() -> None:
    """Begin without a rehearsal."""


@cache
def forking() -> Any:
    """The server that runner processes are forked off; it imports the engine once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", "engine.jobs.rehearsal", "engine.jobs.warm"])
    return context


class Runner:
    """A process that does one task after the other, for one user.

    Whoever starts it ends it: `close`.
    """

    def __init__(self, rehearse: Callable[[], None] = nothing) -> None:
        self._link, theirs = forking().Pipe()
        self._process = forking().Process(target=serve, args=(theirs, rehearse))
        self._process.start()
        theirs.close()
        self._idle = True

    @property
    def fit(self) -> bool:
        """May it be given a task?"""
        return self._idle and bool(self._process.is_alive())

    def do(
        self,
        task: Task,
        seconds: float,
        unwanted: Unwanted,
        told: Callable[[Progress | Entry], None] = lambda _: None,
    ) -> Any:
        """Have a task done, and give what it gave.

        Raises:
            Problem: What the run raised, or that it took too long or too much memory; `Killed` where it was killed.
            Canceled: `unwanted` was set.
        """
        self._idle = False
        end = time.monotonic() + seconds
        with suppress(BrokenPipeError):  # it has died: there is nothing to read, either
            self._link.send(task)
        while True:
            if unwanted.is_set():
                raise Canceled
            if time.monotonic() > end:
                raise too_long(seconds)
            if not self._link.poll(GLANCE):
                continue
            try:
                answer = self._link.recv()
            except (EOFError, ConnectionResetError):
                self._process.join()
                raise died(self._process.exitcode, task) from None
            if not isinstance(answer, Ended):
                told(answer)
                continue
            self._idle = answer.fit
            if isinstance(answer.given, Problem):
                raise answer.given
            return answer.given

    def close(self) -> None:
        """End it with its whole process group."""
        self._link.close()
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()  # it may not have made its group yet
        self._process.join()


def run(
    task: Task,
    seconds: float,
    unwanted: Unwanted,
    told: Callable[[Progress | Entry], None] = lambda _: None,
) -> Any:
    """Do a task in a process of its own; as `Runner.do`."""
    with closing(Runner()) as runner:
        return runner.do(task, seconds, unwanted, told)


def too_long(seconds: float) -> Problem:
    """The end of a run whose time is over."""
    return Problem(
        "RequestTimeout",
        f"the run was ended after {seconds:g} s",
        hint="Take a smaller extent or coarser cells.",
        facts={"seconds": seconds},
    )


def died(code: int | None, task: Task) -> Problem:
    """The end of a run that said nothing: killed by the system, or by a fault in native code."""
    if code == -signal.SIGKILL:
        told = out_of_memory(memory_of(task))
        return Killed(told.code, told.message, hint=told.hint, facts=told.facts)
    return Problem("Internal", f"the run ended without an answer (exit code {code})")
