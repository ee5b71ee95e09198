"""The inside of a runner process: tasks, limits, answers.

The process is forked off a server that has imported this module and started no thread: it is warm after
milliseconds and shares nothing with the runs of other users.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Lock
from typing import Any

from engine.billing import within_budget
from engine.catalog import Catalog
from engine.domain.alike import refuse_other
from engine.domain.cubes import domain_of
from engine.errors import Problem, Problems
from engine.http import Egress, egress_of
from engine.jobs.task import Done, Estimate, File, Progress, Task
from engine.jobs.words import listening
from engine.load import all_watched, look_anew
from engine.maps.draw import drawn
from engine.plan import machine
from engine.plan.cost import Cost
from engine.queryables import Queryable
from engine.service import Engine

LOG = logging.getLogger("geodatacube.runner")
PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15
NICE = 10
"""How far runs stand back behind the server, which has to answer meanwhile."""
IDLE = 60.0
"""Seconds that a process waits for its next task."""
SPARE = 256 * 2**20
"""Bytes that a process may hold more after its tasks than before: one that holds more does no other."""
ROOM = 2
"""Address space for data, in terms of the memory that a run may hold: the allocator keeps some that it does not use."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The last word of a run."""

    given: Any
    """What the task gave, or the `Problem`."""
    fit: bool
    """May this process do another task?"""


def serve(link: Connection, rehearse: Callable[[], None]) -> None:
    """Do the tasks that come through the link, one after the other, until it is closed.

    It ends, too, where none comes for a while after one was done.
    """
    stand_alone()
    try:
        rehearse()
    except Exception:  # runs tell their own users what is wrong
        LOG.warning("the rehearsal of a run failed", exc_info=True)
    gc.freeze()  # what is here stays; to look through it again and again takes longer than small runs
    begin, patience = held(), None
    while link.poll(patience):
        try:
            task = link.recv()
        except EOFError:
            return
        named(b"gdc-run")
        ended = done(task, link, begin)
        named(b"gdc-wait")
        link.send(ended)
        patience = IDLE


def done(task: Task, link: Connection, begin: int) -> Ended:
    """Do a task; all but its end is told through the link as it happens."""
    limit(task)
    look_anew()
    with telling(link) as say, listening(say):
        try:
            given = perform(task, say)
        except (Problems, Problem) as problem:
            given = problem
        except MemoryError:
            return Ended(out_of_memory(memory_of(task)), fit=False)
        except Exception:  # whatever it was: the log has it, the user a reference
            LOG.exception("internal error")
            told = "the run met an internal error, which has been logged"
            return Ended(Problem("Internal", told), fit=False)
    return Ended(given, fit=alone() and all_watched() and held() - begin < SPARE)


@contextmanager
def telling(link: Connection) -> Iterator[Callable[[Any], None]]:
    """What tells something through the link; nothing any more once this has ended, whichever thread still calls it."""
    turn, over = Lock(), False

    def say(message: Any) -> None:
        with turn:
            if not over:
                link.send(message)

    try:
        yield say
    finally:
        with turn:
            over = True


def stand_alone() -> None:
    """A process group of its own that ends with its parent, manners, no core dumps."""
    os.setsid()
    os.nice(NICE)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    named(b"gdc-wait")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def named(name: bytes) -> None:
    """Tell who looks at the system's processes what this one does."""
    ctypes.CDLL(None).prctl(PR_SET_NAME, name)


def limit(task: Task) -> None:
    """Limit the memory of this process; another task may not get more."""
    most = ROOM * memory_of(task)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def held() -> int:
    """Bytes of memory that this process holds, but for files."""
    resident, shared = map(int, Path("/proc/self/statm").read_text().split()[1:3])
    return (resident - shared) * resource.getpagesize()


def alone() -> bool:
    """Have all processes ended that this one started?"""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue
    except ChildProcessError:
        return True
    return False


def memory_of(task: Task) -> int:
    """Bytes that the task may hold."""
    return task.settings.max_memory or machine.memory()


def perform(task: Task, say: Callable[[Any], None]) -> Any:
    """What the task gives: files, problems, an estimate, a domain, or what is drawn."""
    own, settings = task.own, task.settings
    lent = partial(catalog_at, settings.catalog_place, egress_of(settings), settings.queryables)
    with Engine(settings, own.processes, own.results, own.readable, lent) as engine:
        if task.kind == "validate":
            return engine.validate(task.graph)
        if task.kind == "estimate":
            return estimated(engine.explain(task.graph).cost, task)
        if task.kind == "domain":
            return domain_of(engine.lazy(task.graph))
        if task.drawing is not None:
            return drawn(engine, task.graph, task.drawing)
        assert task.folder is not None
        meter, price = Meter.begin(), 0.0

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
            lasting=task.lasting,
        )
        files = tuple(File(asset.href, asset.media_type) for w in written for asset in w.assets)
        return Done(files, price, meter.usage())


@lru_cache(maxsize=1)
def catalog_at(place: str, egress: Egress, declared: tuple[Queryable, ...]) -> Catalog:
    """A catalogue, which stays open for the next task."""
    return Catalog(place, egress, declared=declared)


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


@dataclass(frozen=True, slots=True)
class Meter:
    """What a task takes, from the moment when this is made."""

    start: float
    spent: float
    """Seconds of processors that this process had taken before, with those that it started."""

    @classmethod
    def begin(cls) -> Meter:
        """Begin to measure; the peak of memory is set back."""
        with suppress(OSError):  # where that may not be written it is the peak since this process began
            Path("/proc/self/clear_refs").write_text("5")
        return cls(time.monotonic(), spent())

    def usage(self) -> dict[str, Any]:
        """What was taken since, as openEO tells it."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return {
            "cpu": {"value": round(spent() - self.spent, 2), "unit": "cpu-seconds"},
            "duration": {"value": round(time.monotonic() - self.start, 2), "unit": "seconds"},
            "memory": {"value": round(peak / 1000), "unit": "mb"},
        }


def spent() -> float:
    """Seconds of processors that this process took, with those that it started and that have ended."""
    taken = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in taken)


def out_of_memory(limit: int) -> Problem:
    """The end of a run that took more than it was given."""
    return Problem(
        "ProcessGraphComplexity",
        f"the run took more memory than there is for it ({limit / 1e9:.1f} GB)",
        hint="Take a smaller extent or coarser cells.",
        facts={"limit": limit},
    )
