"""A runner process from outside: started, listened to, ended with all that it started."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any, Protocol

from engine.errors import Problem
from engine.jobs.runner import main, memory_of, out_of_memory
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


@cache
def forking() -> Any:
    """The server that runner processes are forked off; it imports the engine once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["engine.jobs.runner", "engine.jobs.warm"])
    return context


def warm_up() -> None:
    """Have the server import what runs need, before the first one waits for it."""
    process = forking().Process(target=int)
    process.start()
    process.join()


def run(
    task: Task,
    seconds: float,
    unwanted: Unwanted,
    told: Callable[[Progress | Entry], None] = lambda _: None,
) -> Any:
    """Do a task in a process of its own, and give what it gave.

    Raises:
        Problem: What the run raised, or that it took too long or too much memory; `Killed` where it was killed.
        Canceled: `unwanted` was set.
    """
    ours, theirs = forking().Pipe(duplex=False)
    process = forking().Process(target=main, args=(task, theirs), daemon=False)
    process.start()
    theirs.close()
    end = time.monotonic() + seconds
    try:
        while True:
            if unwanted.is_set():
                raise Canceled
            if time.monotonic() > end:
                raise too_long(seconds)
            if not ours.poll(GLANCE):
                continue
            try:
                answer = ours.recv()
            except EOFError:
                process.join()
                raise died(process.exitcode, task) from None
            if isinstance(answer, (Progress, Entry)):
                told(answer)
            elif isinstance(answer, Problem):
                raise answer
            else:
                return answer
    finally:
        ours.close()
        kill(process)


def kill(process: Any) -> None:
    """End a runner with its whole process group."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()  # it may not have made its group yet
    process.join()


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
