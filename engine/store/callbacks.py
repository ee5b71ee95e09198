"""What subscribers of executions are to be told: found by the status of jobs, kept until it is told or given up."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine, delete, exists, insert, select, update

from engine.database import reading, writing
from engine.records import Callback, Job
from engine.store.jobs import WHOLE, job_of
from engine.store.tables import CALLBACKS, EXECUTIONS, JOBS


class Callbacks:
    """The queue of callbacks."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def moved(self, limit: int) -> list[Job]:
        """Executions whose status is another one than their subscriber knows."""
        wish = WHOLE.where(EXECUTIONS.c.known != JOBS.c.status).order_by(JOBS.c.updated).limit(limit)
        with reading(self._engine) as connection:
            return [job_of(row) for row in connection.execute(wish)]

    def put(self, job: Job, url: str | None, secret: str, body: str) -> bool:
        """Note that the subscriber knows the status of a job, and what is to be told; without a URL nothing is.

        Says whether it was this server that noted it.
        """
        is_moved = (EXECUTIONS.c.job == job.id) & (EXECUTIONS.c.known != job.status)
        with writing(self._engine) as connection:
            first = bool(
                connection.execute(update(EXECUTIONS).where(is_moved).values(known=job.status)).rowcount
            )
            if first and url is not None:
                row = {
                    "job": job.id,
                    "url": url,
                    "secret": secret,
                    "body": body,
                    "attempts": 0,
                    "next": time.time(),
                }
                connection.execute(insert(CALLBACKS).values(row))
        return first

    def claim(self, lease: float, busy: Mapping[str, int], each: int, limit: int) -> list[Callback]:
        """What is due; nobody else takes it for `lease` seconds. Of each job subscribers are told in order."""
        now, under_way, earlier = time.time(), Counter(busy), CALLBACKS.alias()
        before = exists().where(earlier.c.job == CALLBACKS.c.job, earlier.c.pk < CALLBACKS.c.pk)
        due = select(CALLBACKS).where(CALLBACKS.c.next <= now, ~before).order_by(CALLBACKS.c.pk).limit(100)
        with reading(self._engine) as connection:
            if connection.execute(due.limit(1)).one_or_none() is None:
                return []
        found: list[Callback] = []
        with writing(self._engine) as connection:
            for row in connection.execute(due.with_for_update(skip_locked=True, of=CALLBACKS)).all():
                if under_way[row.job] >= each or len(found) == limit:
                    continue
                under_way[row.job] += 1
                connection.execute(update(CALLBACKS).where(CALLBACKS.c.pk == row.pk).values(next=now + lease))
                found.append(
                    Callback(row.pk, row.job, row.url, row.secret, row.body, row.attempts, now + lease)
                )
        return found

    def end(self, pk: int, until: float) -> None:
        """It is told, or given up."""
        with writing(self._engine) as connection:
            connection.execute(delete(CALLBACKS).where(_held(pk, until)))

    def again(self, pk: int, until: float, attempts: int, pause: float) -> None:
        """It is tried again after a pause."""
        values = {"attempts": attempts, "next": time.time() + pause}
        with writing(self._engine) as connection:
            connection.execute(update(CALLBACKS).where(_held(pk, until)).values(values))


def _held(pk: int, until: float) -> Any:
    return (CALLBACKS.c.pk == pk) & (CALLBACKS.c.next == until)
