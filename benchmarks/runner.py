"""Measures the contenders of a case: each in its own process, their runs taken in turns."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.child import CORES, descendants
from benchmarks.environments import ROOT, python_of
from benchmarks.model import Case, Contender, Outcome, Run, Verdict, difference
from benchmarks.server import serving

LOOK = 0.1
"""Seconds between two looks at the memory of a contender."""
PAGE = os.sysconf("SC_PAGE_SIZE")
Say = Callable[[str], None]


class Failed(Exception):  # noqa: N818 (it is what happened to the contender)
    """A contender gave no figures: why."""


@dataclass(frozen=True)
class Limits:
    """What no contender may exceed."""

    seconds: float = 300.0
    """Time of one run."""
    megabytes: float = 14_000.0
    """Memory of the contender and of what it starts."""


class Child:
    """A contender's process."""

    def __init__(self, contender: Contender, folder: Path, limits: Limits) -> None:
        self.limits = limits
        self.log = folder / "stderr"
        self.born = time.perf_counter()
        python = python_of(contender.home)
        if not python.exists():
            raise Failed(f"environment '{contender.home}' is not installed (--install-peers)")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [python, "-m", "benchmarks.child"], cwd=ROOT, env=surroundings(folder, contender), stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=log, text=True, bufsize=1, start_new_session=True,
            )  # fmt: skip

    def ask(self, do: str, **said: Any) -> dict[str, Any]:
        """Have one thing done; the answer's peak includes that of processes which the contender started."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps({"do": do, **said}) + "\n")
            others = self.watch()
            answer = json.loads(self.process.stdout.readline())
        except (BrokenPipeError, json.JSONDecodeError):
            raise Failed(self.last_words()) from None
        if "fault" in answer:
            raise Failed(answer["fault"])
        if "peak" in answer:
            answer["peak"] += max(others, answer["others"])
        return answer

    def watch(self) -> float:
        """Wait for an answer; gives the MB that the contender's own processes held at most."""
        assert self.process.stdout is not None
        deadline, most = time.monotonic() + self.limits.seconds, 0.0
        while not select.select([self.process.stdout], [], [], LOOK)[0]:
            others = sum(map(resident, descendants(self.process.pid)))
            most = max(most, others)
            if others + resident(self.process.pid) > self.limits.megabytes:
                raise Failed(f"took more than {self.limits.megabytes / 1e3:.3g} GB of memory")
            if time.monotonic() > deadline:
                raise Failed(f"took longer than {self.limits.seconds:.0f} s")
        return most

    def last_words(self) -> str:
        """What a process that ended by itself left behind."""
        code = self.process.wait()
        lines = self.log.read_text(encoding="utf-8", errors="replace").split("\n")
        said = next((line for line in reversed(lines) if line.strip()), "no word")
        return f"ended ({signal.Signals(-code).name if code < 0 else code}): {said[:300]}"

    def end(self) -> None:
        """End the process and all that it started."""
        for pid in (*descendants(self.process.pid), self.process.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


def resident(pid: int) -> float:
    """MB that a process holds; 0 where it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * PAGE / 1e6
    except OSError:
        return 0.0


def surroundings(folder: Path, contender: Contender) -> dict[str, str]:
    """The environment of a contender: two threads for all alike, caches of its own, no settings of the user's."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GDC_", "PYTHON", "VIRTUAL_ENV"))}
    threads = (
        "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "GDAL_NUM_THREADS",
        "DASK_NUM_WORKERS", "GDC_WORKERS", "RIO_TILER_MAX_THREADS", "CPU_COUNT",
    )  # fmt: skip
    places = {"XDG_CACHE_HOME": "cache", "XDG_DATA_HOME": "home", "TMPDIR": "tmp"}
    if contender.kind == "ours":  # others are never cold, and may keep what they have compiled
        places["NUMBA_CACHE_DIR"] = "cache/numba"
    for place in places.values():
        (folder / place).mkdir(parents=True, exist_ok=True)
    # GDAL would keep the decoded blocks of one run for the next: a small cache, the same for all.
    return (
        kept
        | dict.fromkeys(threads, str(CORES))
        | {k: str(folder / v) for k, v in places.items()}
        | {"GDAL_CACHEMAX": "64", "GDC_ALLOWED_HOSTS": '["127.0.0.1"]'}
    )


class Competitor:
    """One contender on its way through a case."""

    def __init__(self, contender: Contender, facts: Mapping[str, Any], folder: Path, limits: Limits) -> None:
        self.contender = contender
        self.facts = {**facts, **contender.facts}
        self.folder = folder
        self.limits = limits
        self.child: Child | None = None
        self.outcome = Outcome(contender)

    def get_ready(self) -> None:
        """Imports, one run that does not count, and the answer of that."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.contender.start == "cold":
            return
        child = self.child = Child(self.contender, self.folder, self.limits)
        child.ask("open", work=self.contender.work, facts=self.facts)
        child.ask("run", number=0)
        self.outcome = replace(self.outcome, answer=child.ask("answer")["answer"])
        if self.contender.start == "fresh":  # all that this process was for is on disk now
            self.leave()

    def run(self, number: int) -> None:
        """One run that counts."""
        if self.contender.start == "warm":
            assert self.child is not None
            said = self.child.ask("run", number=number)
        else:
            said = self.start_anew()
        self.outcome = replace(self.outcome, runs=(*self.outcome.runs, run_of(said)))

    def start_anew(self) -> dict[str, Any]:
        """A run of a new process; if it is to be cold, nothing of earlier ones is left on disk."""
        if self.contender.start == "cold":
            shutil.rmtree(self.folder)
            self.folder.mkdir()
        child = self.child = Child(self.contender, self.folder, self.limits)
        said = child.ask("once", work=self.contender.work, facts=self.facts, since=child.born)
        self.outcome = replace(self.outcome, answer=child.ask("answer")["answer"])
        self.leave()
        return said

    def attempt(self, act: Callable[[], None]) -> None:
        """Do something unless it failed before; what goes wrong is its outcome."""
        if self.outcome.fault:
            return
        try:
            act()
        except Failed as why:
            self.outcome = replace(self.outcome, runs=(), fault=str(why))
            self.leave()

    def leave(self) -> None:
        """End the process, if there is one."""
        if self.child is not None:
            self.child.end()
            self.child = None


def run_of(said: Mapping[str, Any]) -> Run:
    """A run as its contender told of it."""
    return Run(said["wall"], said["cpu"], said["peak"], tuple(said.get("laps", ())))


def run_case(case: Case, runs: int, limits: Limits, say: Say, together: int = 1) -> Verdict:
    """Measure all contenders of a case, one run of each in turns, and compare what they found.

    So many get ready at once; while the clock runs, a contender is alone.
    """
    if case.seconds is not None:
        limits = replace(limits, seconds=case.seconds)
    with scratch() as folder, ExitStack() as cleared:
        facts = dict(case.facts)
        if case.serves:
            facts["url"] = cleared.enter_context(serving(Path(case.serves)))
        pool = cleared.enter_context(ThreadPoolExecutor(together))
        field = [Competitor(c, facts, folder / str(i), limits) for i, c in enumerate(case.contenders)]
        for one in field:
            cleared.callback(one.leave)  # before the pool waits for its threads, which wait for these
        say(f"{case.name}: {len(field)} contenders get ready")
        list(pool.map(lambda one: one.attempt(one.get_ready), field))
        for number in range(1, runs + 1):
            for one in field:
                say(f"{case.name}: run {number} of {runs}, {one.contender.name}")
                one.attempt(partial(one.run, number))
        return Verdict(case, compared(case, [one.outcome for one in field]))


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="gdc-bench-") as folder:
        yield Path(folder)


def compared(case: Case, outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """The outcomes, with a fault for each that found something else than the truth."""
    truth = next((o for o in outcomes if o.contender.name == case.truth), None)
    if truth is None or not truth.counts:
        return tuple(outcomes)
    told = []
    for outcome in outcomes:
        wrong = ""
        if outcome.counts and outcome.contender.whole:
            wrong = difference(outcome.answer, truth.answer, case.tolerance)
        told.append(replace(outcome, fault=f"wrong result: {wrong}") if wrong else outcome)
    return tuple(told)
