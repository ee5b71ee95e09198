"""Jobs as OGC tells them: their status, and which of them a list wants."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from engine.errors import Problem
from engine.records import BUSY, Job, Status

STATES: Mapping[Status, str] = MappingProxyType(
    {
        Status.CREATED: "accepted",
        Status.QUEUED: "accepted",
        Status.RUNNING: "running",
        Status.FINISHED: "successful",
        Status.ERROR: "failed",
        Status.CANCELED: "dismissed",
    }
)
"""OGC's words by openEO's."""
TYPE = "process"
"""What all jobs are of."""


@dataclass(frozen=True, slots=True)
class Sieve:
    """What a list of jobs wants."""

    types: frozenset[str] = frozenset()
    """Of these types; empty: of any."""
    processes: frozenset[str] = frozenset()
    """Executions of these processes."""
    states: frozenset[str] = frozenset()
    """In these states."""
    since: float | None = None
    """Made at this time or later, in seconds since 1970."""
    until: float | None = None
    shortest: float | None = None
    """Running for so many seconds, or more."""
    longest: float | None = None

    def takes(self, job: Job) -> bool:
        """Does the list want the job?"""
        seconds = duration(job)
        return (
            (not self.types or TYPE in self.types)
            and (not self.processes or process_of(job) in self.processes)
            and (not self.states or state_of(job) in self.states)
            and (self.since is None or job.created >= self.since)
            and (self.until is None or job.created <= self.until)
            and (self.shortest is None or (seconds is not None and seconds >= self.shortest))
            and (self.longest is None or (seconds is not None and seconds <= self.longest))
        )


def state_of(job: Job) -> str:
    """The state of a job."""
    return STATES[job.status]


def process_of(job: Job) -> str:
    """The process that a job executes."""
    return str((job.execution or {}).get("process"))


def ended_at(job: Job) -> float | None:
    """When a job came to its end; none where it did not."""
    return None if job.status in (*BUSY, Status.CREATED) else job.updated


def duration(job: Job) -> float | None:
    """Seconds that a job has been running, or ran; none where it has not begun."""
    if job.started is None:
        return None
    end = ended_at(job)
    return (time.time() if end is None else end) - job.started


def sieve_of(given: Mapping[str, list[str]]) -> Sieve:
    """What parameters of a list ask for.

    Raises:
        Problem: One has no sense.
    """
    states = listed(given.get("status"))
    if unknown := states - set(STATES.values()):
        raise invalid(
            "status", f"there is no {sorted(unknown)[0][:40]!r}; there are {', '.join(STATES.values())}"
        )
    since, until = moments(given["datetime"][-1]) if "datetime" in given else (None, None)
    return Sieve(
        listed(given.get("type")), listed(given.get("processID")), states, since, until,
        seconds("minDuration", given), seconds("maxDuration", given),
    )  # fmt: skip


def listed(values: list[str] | None) -> frozenset[str]:
    """Values of a parameter that is repeated, or has commas."""
    return frozenset(word for value in values or () for word in value.split(",") if word)


def seconds(name: str, given: Mapping[str, list[str]]) -> float | None:
    """A number of seconds."""
    if name not in given:
        return None
    text = given[name][-1]
    if not text.isascii() or not text.isdecimal() or len(text) > 12:
        raise invalid(name, f"it is a number of seconds, not {text[:40]!r}")
    return float(text)


def moments(text: str) -> tuple[float | None, float | None]:
    """The ends of an interval, or twice a moment."""
    first, slash, last = text.partition("/")
    if not slash:
        return moment(first), moment(first)
    return tuple(None if end in ("", "..") else moment(end) for end in (first, last))  # type: ignore[return-value]


def moment(text: str) -> float:
    """A time in seconds since 1970."""
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise invalid(
            "datetime", f"it is a time, or an interval of two with a slash, not {text[:60]!r}"
        ) from None


def invalid(name: str, why: str) -> Problem:
    """A parameter that makes no sense."""
    return Problem("ParameterInvalid", f"{name}: {why}", facts={"parameter": name})


def not_ready(job: Job) -> Problem:
    """The refusal of results that are not there yet."""
    return Problem("ResultNotReady", f"job {job.id!r} is {state_of(job)}", hint="Ask again later.")


def failure_of(job: Job) -> Problem:
    """Why a job failed."""
    told: Mapping[str, Any] = job.problem or {}
    return Problem(
        str(told.get("code", "Internal")), str(told.get("message", "the job failed")), hint=told.get("hint")
    )
