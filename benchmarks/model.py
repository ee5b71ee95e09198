"""The words of the suite: who competes, in what, and how it went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal

Kind = Literal["ours", "limit", "peer"]
Start = Literal["warm", "fresh", "cold"]
Facts = Mapping[str, Any]
"""What a contender is told of its task: JSON."""
Measure = Literal["wall", "cpu", "peak", "lap", "late"]


@dataclass(frozen=True)
class Contender:
    """Somebody who answers a question."""

    name: str
    """Name in tables and goals."""
    work: str
    """`module:function`, which makes a `Work` of the facts."""
    kind: Kind = "ours"
    """Ours, a limit written by hand for this one task, or the software of others."""
    home: str = "project"
    """Environment it runs in: the project's own, or one of `environments.NAMES`."""
    start: Start = "warm"
    """Warm: imported and run once before. Fresh: a new process, kernels on disk. Cold: without those, too."""
    whole: bool = True
    """Does it do the whole task? One that merely reads has no answer to compare."""
    facts: Facts = field(default_factory=dict)
    """Facts that are its own."""


@dataclass(frozen=True)
class Case:
    """One task that contenders are measured in."""

    name: str
    """Name in tables and goals; it starts with the benchmark's."""
    facts: Facts
    """What all of them are told."""
    contenders: Sequence[Contender]
    """Who competes, in the order of a round."""
    truth: str
    """Name of the contender whose answer the others must agree with, and whose figures are 1 in the table."""
    tolerance: float = 1e-3
    """Greatest relative difference of two answers that are called the same."""
    serves: str = ""
    """Folder that an HTTP server has while the case lasts; the facts then have its `url`."""
    seconds: float | None = None
    """Longest time of one run, where it differs from what holds for all."""


@dataclass(frozen=True)
class Run:
    """Figures of one run."""

    wall: float
    """Seconds from start to end."""
    cpu: float
    """Seconds of all cores, of the process and of those it started."""
    peak: float
    """Most memory held at once, in MB, likewise."""
    laps: tuple[float, ...] = ()
    """Seconds of each of the many things that it was, if it was many."""


@dataclass(frozen=True)
class Outcome:
    """How a contender did."""

    contender: Contender
    """Who."""
    runs: tuple[Run, ...] = ()
    """Its timed runs."""
    answer: Mapping[str, float] = field(default_factory=dict)
    """What it found, in a few numbers."""
    fault: str = ""
    """Why there are no figures, or why they do not count."""

    def figure(self, measure: Measure) -> float:
        """The median over the runs; NaN where there is none.

        `lap`: of each thing its best run, and the median of those; `late`: what 95 of 100 things took at most.
        """
        if measure in ("lap", "late"):
            return self.lap() if measure == "lap" else self.late()
        return median(getattr(r, measure) for r in self.runs) if self.runs else float("nan")

    @property
    def has_laps(self) -> bool:
        """Were its runs many small things?"""
        return any(r.laps for r in self.runs)

    def lap(self) -> float:
        """Seconds that one thing takes when nobody is in its way; NaN where runs are not many."""
        best = [min(times) for times in zip(*(r.laps for r in self.runs), strict=True)]
        return median(best) if best else float("nan")

    def late(self) -> float:
        """Seconds that 95 of 100 things took at most, of all runs; NaN where runs are not many."""
        times = sorted(time for r in self.runs for time in r.laps)
        return times[(95 * len(times) - 1) // 100] if times else float("nan")

    @property
    def counts(self) -> bool:
        """Was it measured, doing what it should?"""
        return bool(self.runs) and not self.fault


@dataclass(frozen=True)
class Verdict:
    """A case and how all did in it."""

    case: Case
    """The task."""
    outcomes: tuple[Outcome, ...]
    """One for each contender."""

    def of(self, name: str) -> Outcome | None:
        """How the contender of that name did."""
        return next((o for o in self.outcomes if o.contender.name == name), None)


def difference(answer: Mapping[str, float], truth: Mapping[str, float], tolerance: float) -> str:
    """Where two answers differ, in words; empty where they agree."""
    if not answer:
        return "no answer"
    for name, expected in truth.items():
        found = answer.get(name, float("nan"))
        # A mean may be near zero; what matters then is how it compares to the spread.
        size = max(abs(expected), truth.get("spread", 0.0) if name == "mean" else 0.0)
        if not abs(found - expected) <= tolerance * size:
            return f"{name} is {found:.6g}, not {expected:.6g}"
    return ""
