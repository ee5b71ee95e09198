"""The inside of a runner process: one task, limits, one answer.

The process is forked off a server that has imported this module and started no thread: it is warm after
milliseconds and shares nothing with other runs.
"""

from __future__ import annotations

import ctypes
import logging
import os
import resource
import signal
from multiprocessing.connection import Connection
from typing import Any

from engine.errors import Problem, Problems
from engine.jobs.task import File, Progress, Task
from engine.maps.draw import drawn
from engine.plan import machine
from engine.service import Engine

PR_SET_PDEATHSIG = 1
ROOM = 2
"""Address space for data, in terms of the memory that a run may hold: the allocator keeps some that it does not use."""


def main(task: Task, answers: Connection) -> None:
    """Do the task; the last message is what it gave, or the `Problem`."""
    confine(task)
    try:
        answers.send(perform(task, answers))
    except Problems as problems:
        answers.send(problems)
    except Problem as problem:
        answers.send(problem)
    except MemoryError:
        answers.send(out_of_memory(memory_of(task)))
    except Exception:  # whatever it was: the log has it, the user a reference
        logging.getLogger("geodatacube.runner").exception("internal error")
        answers.send(Problem("Internal", "the run met an internal error, which has been logged"))


def confine(task: Task) -> None:
    """A process group of its own that ends with its parent, a limit on memory, no core dumps."""
    os.setsid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    limit = ROOM * memory_of(task)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def memory_of(task: Task) -> int:
    """Bytes that the task may hold."""
    return task.settings.max_memory or machine.memory()


def perform(task: Task, answers: Connection) -> Any:
    """What the task gives: files, problems, or what is drawn."""
    with Engine(task.settings, task.processes) as engine:
        if task.kind == "validate":
            return engine.validate(task.graph)
        if task.drawing is not None:
            return drawn(engine, task.graph, task.drawing)
        assert task.folder is not None
        task.folder.mkdir(parents=True, exist_ok=True)
        written = engine.deliver(task.graph, task.folder, progress=lambda d, n: answers.send(Progress(d, n)))
        return [File(asset.href, asset.media_type) for w in written for asset in w.assets]


def out_of_memory(limit: int) -> Problem:
    """The end of a run that took more than it was given."""
    return Problem(
        "ProcessGraphComplexity",
        f"the run took more memory than there is for it ({limit / 1e9:.1f} GB)",
        hint="Take a smaller extent or coarser cells.",
        facts={"limit": limit},
    )
