"""A contender in a process of its own: it is told over a pipe what to run, and answers with lines of JSON.

Standard library alone, for it is run by the Python of each peer's environment.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import resource
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TICKS = os.sysconf("SC_CLK_TCK")
CORES = 2
"""Cores and threads that a contender gets."""


@dataclass(frozen=True)
class Work:
    """What a contender does."""

    run: Callable[[Any], Any]
    """The task itself, which is timed; it gets what `before` gave."""
    answer: Callable[[Any], Mapping[str, float]] = lambda _: {}
    """A few numbers that tell the result of `run`; not timed."""
    before: Callable[[int], Any] = lambda number: number
    """What is to be made ready for the run of that number; not timed."""
    laps: Callable[[Any], Sequence[float]] = lambda _: ()
    """Seconds of each of the many things that a run may be."""


class Contestant:
    """Runs one work as it is told."""

    def __init__(self) -> None:
        self.work = Work(run=lambda _: None)
        self.result: Any = None

    def open(self, work: str, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Import the work and have it get ready."""
        module, _, name = work.partition(":")
        self.work = getattr(importlib.import_module(module), name)(facts)
        return {}

    def run(self, number: int) -> dict[str, Any]:
        """One run of a warm process."""
        self.result = None
        given = self.work.before(number)
        tidy()
        start, cpu, ended = time.perf_counter(), cpu_seconds(), ended_seconds()
        self.result = self.work.run(given)
        wall = time.perf_counter() - start
        others = ended_peak() if ended_seconds() > ended else 0.0
        told = {"wall": wall, "cpu": cpu_seconds() - cpu, "peak": peak(), "others": others}
        return {**told, "laps": list(self.work.laps(self.result))}

    def once(self, work: str, facts: Mapping[str, Any], since: float) -> dict[str, Any]:
        """The first run of a process, everything included since somebody asked for it."""
        self.open(work, facts)
        self.result = self.work.run(self.work.before(0))
        return {
            "wall": time.perf_counter() - since,
            "cpu": cpu_seconds(),
            "peak": peak(),
            "others": ended_peak(),
        }

    def answer(self) -> dict[str, Any]:
        """What the last run found."""
        return {"answer": {k: float(v) for k, v in self.work.answer(self.result).items()}}


def tidy() -> None:
    """Give back what earlier runs left behind, and forget their peak."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak() -> float:
    """MB that this process held at most; those it started are added by who watches it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1e3


def cpu_seconds() -> float:
    """Seconds that this process and all that it started have computed for."""
    return time.process_time() + ended_seconds() + sum(map(cpu_of, descendants(os.getpid())))


def ended_seconds() -> float:
    """Seconds that processes which this one started, and which have ended, have computed for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def ended_peak() -> float:
    """MB that the largest of them held at most."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3


def cpu_of(pid: int) -> float:
    """Seconds of a living process and of those it has waited for; 0 where it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / TICKS


def descendants(pid: int) -> Iterator[int]:
    """All living processes that a process started, and those that they started."""
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = listed.read_text(encoding="ascii").split()
        except OSError:
            continue
        for child in map(int, children):
            yield child
            yield from descendants(child)


def main() -> None:
    """Do what each line says, until there are no more."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not stand between the answers
    warnings.simplefilter("ignore")
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    contestant = Contestant()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            said = getattr(contestant, request.pop("do"))(**request)
        except Exception as fault:  # noqa: BLE001 (any fault of a contender is an answer)
            said = {"fault": f"{type(fault).__name__}: {fault}"[:500]}
        print(json.dumps(said), file=answers, flush=True)
    os._exit(0)  # pools and clusters of a contender have no say in when it ends


if __name__ == "__main__":
    main()
