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
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from threading import Lock
from typing import Any

from engine.billing import within_budget
from engine.domain.alike import refuse_other
from engine.domain.cubes import domain_of
from engine.errors import Problem, Problems
from engine.jobs.task import Done, Estimate, File, Progress, Task
from engine.jobs.words import listen
from engine.maps.draw import drawn
from engine.plan import machine
from engine.plan.cost import Cost
from engine.service import Engine

PR_SET_PDEATHSIG = 1
NICE = 10
"""How far runs stand back behind the server, which has to answer meanwhile."""
ROOM = 2
"""Address space for data, in terms of the memory that a run may hold: the allocator keeps some that it does not use."""


def main(task: Task, answers: Connection) -> None:
    """Do the task; the last message is what it gave, or the `Problem`."""
    confine(task)
    turn = Lock()

    def say(message: Any) -> None:
        with turn:
            answers.send(message)

    listen(say)
    try:
        say(perform(task, say))
    except (Problems, Problem) as problem:
        say(problem)
    except MemoryError:
        say(out_of_memory(memory_of(task)))
    except Exception:  # whatever it was: the log has it, the user a reference
        logging.getLogger("geodatacube.runner").exception("internal error")
        say(Problem("Internal", "the run met an internal error, which has been logged"))


def confine(task: Task) -> None:
    """A process group of its own that ends with its parent, manners, a limit on memory, no core dumps."""
    os.setsid()
    os.nice(NICE)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    limit = ROOM * memory_of(task)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def memory_of(task: Task) -> int:
    """Bytes that the task may hold."""
    return task.settings.max_memory or machine.memory()


def perform(task: Task, say: Callable[[Any], None]) -> Any:
    """What the task gives: files, problems, an estimate, a domain, or what is drawn."""
    with Engine(task.settings, task.own.processes, task.own.results, task.own.readable) as engine:
        if task.kind == "validate":
            return engine.validate(task.graph)
        if task.kind == "estimate":
            return estimated(engine.explain(task.graph).cost, task)
        if task.kind == "domain":
            return domain_of(engine.lazy(task.graph))
        if task.drawing is not None:
            return drawn(engine, task.graph, task.drawing)
        assert task.folder is not None
        start, price = time.monotonic(), 0.0

        def approve(cost: Cost) -> None:
            nonlocal price
            price = admitted(cost, task)

        def look(value: Any) -> None:
            if task.foretold is not None:
                refuse_other(task.foretold, domain_of(value))

        task.folder.mkdir(parents=True, exist_ok=True)
        written = engine.deliver(
            task.graph,
            task.folder,
            look=look,
            approve=approve if task.plan.paid or task.patience is not None else None,
            progress=lambda done, planned: say(Progress(done, planned)),
        )
        files = tuple(File(asset.href, asset.media_type) for w in written for asset in w.assets)
        return Done(files, price, usage_since(start))


def admitted(cost: Cost, task: Task) -> float:
    """The price of what it will cost.

    Raises:
        Problem: It takes too long for a request that somebody waits for, or is too dear.
    """
    seconds = cost.seconds.total - cost.seconds.start  # this process is warm
    if task.patience is not None and seconds > task.patience:
        raise Problem(
            "ProcessGraphComplexity",
            f"this takes about {seconds:.0f} s, more than the {task.patience:g} s that a request may wait",
            hint="Make it a batch job: `POST /jobs`, then `POST /jobs/{job_id}/results`.",
            facts={"seconds": seconds, "limit": task.patience},
        )
    price = task.plan.charge(cost)
    within_budget(price, task.budget)
    return price


def estimated(cost: Cost, task: Task) -> Estimate:
    """A cost as users are told it."""
    return Estimate(
        costs=task.plan.charge(cost),
        seconds=cost.seconds.total - cost.seconds.start,
        size=cost.bytes_out,
        usage={
            "cells": {"value": cost.cells, "unit": "cells"},
            "disk": {"value": cost.bytes_packed, "unit": "b"},
            "memory": {"value": cost.memory.total, "unit": "b"},
        },
    )


def usage_since(start: float) -> dict[str, Any]:
    """What this process took, with those that it started, as openEO tells it."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    seconds = time.monotonic() - start
    return {
        "cpu": {"value": round(sum(s.ru_utime + s.ru_stime for s in spent), 2), "unit": "cpu-seconds"},
        "duration": {"value": round(seconds, 2), "unit": "seconds"},
        "memory": {"value": round(spent[0].ru_maxrss / 1000), "unit": "mb"},
    }


def out_of_memory(limit: int) -> Problem:
    """The end of a run that took more than it was given."""
    return Problem(
        "ProcessGraphComplexity",
        f"the run took more memory than there is for it ({limit / 1e9:.1f} GB)",
        hint="Take a smaller extent or coarser cells.",
        facts={"limit": limit},
    )
