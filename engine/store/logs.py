"""Logs of batch jobs, in the order in which they came."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any

from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import IntegrityError

from engine.database import reading, writing
from engine.records import LEVELS, Job
from engine.store.tables import JOBS, LOGS

Json = dict[str, Any]


class Logs:
    """Entries by job."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, job: Job, level: str, message: str, **further: Any) -> None:
        """Write an entry, unless its level is kept by no entry of this job, or the job is gone."""
        rank = LEVELS.index(level)
        if rank > LEVELS.index(job.log_level):
            return
        entry = json.dumps({"message": message, **further}, default=str)
        with (
            suppress(IntegrityError),
            writing(self._engine) as connection,
        ):  # the job is removed at this moment
            if connection.execute(select(JOBS.c.id).where(JOBS.c.id == job.id)).scalar() is not None:
                values = {"job": job.id, "level": rank, "time": time.time(), "entry": entry}
                connection.execute(insert(LOGS).values(values))

    def read(self, job: Job, level: str = "debug", after: int = 0, limit: int | None = None) -> list[Json]:
        """The entries of a job that are as grave as `level`, after the one of that number."""
        wish = (
            select(LOGS)
            .where(LOGS.c.job == job.id, LOGS.c.level <= LEVELS.index(level), LOGS.c.pk > after)
            .order_by(LOGS.c.pk)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            rows = connection.execute(wish).all()
        return [
            {"id": str(r.pk), "level": LEVELS[r.level], "time": r.time, **json.loads(r.entry)} for r in rows
        ]
