"""Subscribers of executions are told how these go, by the same courier that tells webhooks."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from engine.errors import Problem
from engine.events.courier import Courier
from engine.events.deliveries import Parcel
from engine.executions.model import execution_of
from engine.records import Job, Status
from engine.settings import Settings
from engine.store import Store

Render = Callable[[Job], Mapping[str, Any]]
"""Says what is told of a job: its results, or its status."""
TOLD_OF: Mapping[Status, str] = {
    Status.RUNNING: "progress",
    Status.FINISHED: "success",
    Status.ERROR: "failure",
    Status.CANCELED: "failure",
}
"""Which address of a subscriber a status is told to."""
SECRET = "callbacks"  # noqa: S105 (the name of one)
AT_ONCE = 20
"""Jobs that are looked at in one go."""


class Told:
    """What subscribers are to be told, as the courier takes it."""

    def __init__(self, store: Store, render: Render) -> None:
        self._store = store
        self._render = render

    def begin(self) -> None:
        """There is nothing to prepare."""

    def gather(self) -> bool:
        """Put what happened to jobs into the queue; says whether there may be more."""
        moved = self._store.callbacks.moved(AT_ONCE)
        for job in moved:
            subscriber = execution_of(job.execution or {}).subscriber
            url = subscriber.get(TOLD_OF.get(job.status, ""))
            body = "" if url is None else json.dumps(self._rendered(job), default=str)
            secret = subscriber.get("secret") or self._store.secret(SECRET)
            self._store.callbacks.put(job, url, secret, body)
        return len(moved) == AT_ONCE

    def claim(self, lease: float, busy: Mapping[str, int], each: int, limit: int) -> list[Parcel]:
        """What is due."""
        found = self._store.callbacks.claim(lease, busy, each, limit)
        return [Parcel(c.pk, c.job, c.url, c.secret, c.pk, c.body, c.attempts, c.until) for c in found]

    def delivered(self, parcel: Parcel, answer: int, keep: int) -> None:  # noqa: ARG002 (the words are the courier's)
        """It is told."""
        self._store.callbacks.end(parcel.pk, parcel.until)

    def failed(self, parcel: Parcel, answer: int | None, error: str, keep: int) -> None:  # noqa: ARG002
        """It is given up."""
        self._store.callbacks.end(parcel.pk, parcel.until)

    def again(self, parcel: Parcel, answer: int | None, error: str, pause: float) -> None:  # noqa: ARG002
        """It is tried again after a pause."""
        self._store.callbacks.again(parcel.pk, parcel.until, parcel.attempts + 1, pause)

    def _rendered(self, job: Job) -> Mapping[str, Any]:
        try:
            return self._render(job)
        except Problem as problem:  # results that are too large for a message, or gone
            return {"jobID": job.id, **problem.json()}


def courier(store: Store, settings: Settings, render: Render) -> Courier:
    """A courier for subscribers."""
    return Courier(Told(store, render), settings, lambda: None)
