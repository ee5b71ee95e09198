"""Batch jobs. The row of a job is the queue: a lease, signs of life by the database's clock, a fencing number."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from engine.database import reading, writing
from engine.records import BUSY, Job, Status
from engine.store.logs import Word, is_kept, put
from engine.store.tables import EXECUTIONS, JOBS, LOGS

CLOCKS = {
    "sqlite": "((julianday('now') - 2440587.5) * 86400.0)",
    "postgresql": "extract(epoch from clock_timestamp())",
}
"""Seconds since 1970 by the clock of the database: workers of several machines have one clock."""
WHOLE = select(JOBS, EXECUTIONS.c.request, EXECUTIONS.c.started).select_from(JOBS.outerjoin(EXECUTIONS))
"""Jobs with what they execute."""


class Jobs:
    """Batch jobs by owner and identifier; every change of status is one conditional statement."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._now: ColumnElement[float] = literal_column(CLOCKS[engine.dialect.name])

    # --------------------------------------------------------------------------------- for users
    def create(
        self, owner: str, document: Mapping[str, Any], execution: Mapping[str, Any] | None = None
    ) -> Job:
        """A new job, which waits to be started; with an `execution` it is one of an OGC process."""
        id_ = secrets.token_hex(12)
        row = {
            "id": id_, "owner": owner, "status": Status.CREATED, "document": json.dumps(dict(document)),
            "created": self._now, "updated": self._now, "progress": 0.0, "fence": 0, "attempts": 0, "items": "[]",
        }  # fmt: skip
        with writing(self._engine) as connection:
            connection.execute(insert(JOBS).values(row))
            if execution is not None:
                known = Status.CREATED if execution.get("subscriber") else None
                request = {"job": id_, "request": json.dumps(dict(execution)), "known": known}
                connection.execute(insert(EXECUTIONS).values(request))
            return job_of(connection.execute(WHOLE.where(JOBS.c.id == id_)).one())

    def get(self, owner: str, id_: str) -> Job | None:
        """One job of an owner."""
        with reading(self._engine) as connection:
            row = connection.execute(WHOLE.where(_is(owner, id_))).one_or_none()
        return None if row is None else job_of(row)

    def all(self, owner: str) -> list[Job]:
        """All jobs of an owner, the newest first."""
        wish = WHOLE.where(JOBS.c.owner == owner).order_by(JOBS.c.created.desc(), JOBS.c.id)
        with reading(self._engine) as connection:
            return [job_of(row) for row in connection.execute(wish)]

    def settle(self, job: Job, items: Sequence[str], costs: float, usage: Mapping[str, Any]) -> bool:
        """Publish results of a job that were computed before it was made, as those of a first attempt."""
        values = {
            "status": Status.FINISHED, "items": json.dumps(list(items)), "progress": 100.0, "fence": 1,
            "costs": costs, "usage": json.dumps(dict(usage)), "updated": self._now,
        }  # fmt: skip
        return self._update((JOBS.c.id == job.id) & (JOBS.c.status == Status.CREATED), values)

    def ahead(self, job: Job) -> int:
        """How many jobs were queued before one that is queued, and wait like it."""
        place = select(JOBS.c.queued).where(JOBS.c.id == job.id).scalar_subquery()
        wish = select(func.count()).where(JOBS.c.status == Status.QUEUED, JOBS.c.queued < place)
        with reading(self._engine) as connection:
            return int(connection.execute(wish).scalar_one())

    def change(self, owner: str, id_: str, document: Mapping[str, Any]) -> bool:
        """Give a job another document, unless it is locked; says whether it was done."""
        values = {"document": json.dumps(dict(document)), "updated": self._now}
        return self._update(_is(owner, id_) & JOBS.c.status.not_in(BUSY), values)

    def queue(self, owner: str, id_: str) -> bool:
        """Put a job into the queue, unless it is there or running: its old results and faults are forgotten."""
        values = {
            "status": Status.QUEUED, "queued": self._now, "updated": self._now, "lease": None,
            "progress": 0.0, "attempts": 0, "items": "[]", "problem": None, "costs": 0.0, "usage": None,
        }  # fmt: skip
        return self._update(_is(owner, id_) & JOBS.c.status.not_in(BUSY), values)

    def cancel(self, owner: str, id_: str) -> bool:
        """Take a job out of the queue, or end its attempt, which learns of it by its next sign of life."""
        to = {"updated": self._now, "lease": None}
        queued = self._update(
            _is(owner, id_) & (JOBS.c.status == Status.QUEUED), {**to, "status": Status.CREATED}
        )
        return queued or self._update(
            _is(owner, id_) & (JOBS.c.status == Status.RUNNING), {**to, "status": Status.CANCELED}
        )

    def remove(self, owner: str, id_: str) -> bool:
        """Remove a job with its log; an attempt under way learns of it by its next sign of life."""
        with writing(self._engine) as connection:
            return bool(connection.execute(delete(JOBS).where(_is(owner, id_))).rowcount)

    # ------------------------------------------------------------------------------- for workers
    def claim(self, lease: float) -> Job | None:
        """The job that is next, now running under a new fence: one that waits, or whose worker shows no life.

        Among those that wait, one whose owner has the fewest running goes first, then the one that waits longest.
        """
        others = JOBS.alias()
        running = (
            select(func.count())
            .where(others.c.owner == JOBS.c.owner, others.c.status == Status.RUNNING)
            .scalar_subquery()
        )
        left = (JOBS.c.status == Status.RUNNING) & (JOBS.c.lease < self._now)
        wish = (
            select(JOBS.c.id)
            .where(or_(JOBS.c.status == Status.QUEUED, left))
            .order_by(running, JOBS.c.queued, JOBS.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        with writing(self._engine) as connection:
            id_ = connection.execute(wish).scalar()
            if id_ is None:
                return None
            values = {
                "status": Status.RUNNING, "fence": JOBS.c.fence + 1, "attempts": JOBS.c.attempts + 1,
                "lease": self._now + lease, "updated": self._now, "progress": 0.0,
            }  # fmt: skip
            connection.execute(update(JOBS).where(JOBS.c.id == id_).values(values))
            first = (EXECUTIONS.c.job == id_) & EXECUTIONS.c.started.is_(None)
            connection.execute(update(EXECUTIONS).where(first).values(started=self._now))
            return job_of(connection.execute(WHOLE.where(JOBS.c.id == id_)).one())

    def alive(self, job: Job, lease: float, progress: float) -> bool:
        """A sign of life of an attempt; says whether it is still the one that counts."""
        return self._update(_held(job), {"lease": self._now + lease, "progress": progress})

    def finish(
        self,
        job: Job,
        items: Sequence[str],
        costs: float = 0.0,
        usage: Mapping[str, Any] | None = None,
        words: Sequence[Word] = (),
    ) -> bool:
        """Publish the results of an attempt; says whether it was the one that counts.

        Only then these last words are in its log: with the status, or not at all.
        """
        values = {
            "status": Status.FINISHED, "items": json.dumps(list(items)), "progress": 100.0,
            "costs": costs, "usage": json.dumps(dict(usage or {})),
        }  # fmt: skip
        return self._end(job, {**values, "lease": None}, words)

    def fail(self, job: Job, problem: Mapping[str, Any], words: Sequence[Word] = ()) -> bool:
        """End an attempt with what went wrong, with its last words; says whether it was the one that counts."""
        values = {"status": Status.ERROR, "problem": json.dumps(dict(problem), default=str)}
        return self._end(job, {**values, "lease": None}, words)

    def give_back(self, job: Job) -> bool:
        """Put a job back into the queue, in its old place, because its worker ends; the attempt does not count."""
        values = {"status": Status.QUEUED, "lease": None, "attempts": JOBS.c.attempts - 1}
        return self._update(_held(job), {**values, "updated": self._now})

    def retry(self, job: Job, words: Sequence[Word] = ()) -> bool:
        """Put a job back into the queue, in its old place, with the last words of the attempt, which counts."""
        return self._end(job, {"status": Status.QUEUED, "lease": None}, words)

    def _end(self, job: Job, values: Mapping[str, Any], words: Sequence[Word]) -> bool:
        """End an attempt that is the one that counts, and write its last words, all or nothing."""
        with writing(self._engine) as connection:
            if not _changed(connection, _held(job), {**values, "updated": self._now}):
                return False
            for word in words:
                if is_kept(job, word[0]):
                    put(connection, LOGS.c.job, job.id, word)
        return True

    def _update(self, which: Any, values: Mapping[str, Any]) -> bool:
        with writing(self._engine) as connection:
            return bool(_changed(connection, which, values))


def _changed(connection: Connection, which: Any, values: Mapping[str, Any]) -> int:
    return connection.execute(update(JOBS).where(which).values(dict(values))).rowcount


def _is(owner: str, id_: str) -> Any:
    return (JOBS.c.owner == owner) & (JOBS.c.id == id_)


def _held(job: Job) -> Any:
    return (JOBS.c.id == job.id) & (JOBS.c.fence == job.fence) & (JOBS.c.status == Status.RUNNING)


def job_of(row: Any) -> Job:
    return Job(
        row.id, row.owner, Status(row.status), json.loads(row.document), float(row.created), float(row.updated),
        row.progress, row.fence, row.attempts, tuple(json.loads(row.items)),
        None if row.problem is None else json.loads(row.problem), row.costs,
        None if row.usage is None else json.loads(row.usage),
        None if row.request is None else json.loads(row.request), row.started,
    )  # fmt: skip
