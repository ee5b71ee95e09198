"""Logs of batch jobs and of web services, in the order in which their entries came."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from sqlalchemy import Column, Connection, Engine, Table, delete, insert, select
from sqlalchemy.exc import IntegrityError

from engine.database import reading, writing
from engine.records import LEVELS, Job, Service
from engine.store.tables import JOBS, LOGS, SERVICE_LOGS, SERVICES

Json = dict[str, Any]


Word = tuple[str, Mapping[str, Any]]
"""An entry: its level, and what it says."""


def put(connection: Connection, about: Column[str], id_: str, word: Word) -> None:
    """Write an entry within a transaction; `about` is the column that names what it is about."""
    level, told = word
    row = {about.name: id_, "level": LEVELS.index(level), "time": time.time()}
    entry = json.dumps(dict(told), default=str)
    connection.execute(insert(about.table).values({**row, "entry": entry}))


def is_kept(about: Job | Service, level: str) -> bool:
    """Are entries of this level kept?"""
    return LEVELS.index(level) <= LEVELS.index(about.log_level)


class Entries:
    """Entries of one table, by what they are about."""

    def __init__(self, engine: Engine, table: Table, about: Column[str], owners: Table) -> None:
        self._engine = engine
        self._table = table
        self._about = about
        """The column that names what an entry is about."""
        self._owners = owners
        """The table of what entries are about."""

    def read(
        self, about: Job | Service, level: str = "debug", after: int = 0, limit: int | None = None
    ) -> list[Json]:
        """The entries that are as grave as `level`, after the one of that number."""
        c = self._table.c
        wish = (
            select(self._table)
            .where(self._about == about.id, c.level <= LEVELS.index(level), c.pk > after)
            .order_by(c.pk)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            rows = connection.execute(wish).all()
        return [
            {"id": str(r.pk), "level": LEVELS[r.level], "time": r.time, **json.loads(r.entry)} for r in rows
        ]

    def _write(
        self, about: Job | Service, level: str, told: Mapping[str, Any], keep: int | None = None
    ) -> None:
        """Write an entry, and forget all but the latest `keep` ones.

        Nothing is written where its level is not kept, or where what it is about is gone.
        """
        if not is_kept(about, level):
            return
        known = select(self._owners.c.id).where(self._owners.c.id == about.id)
        # Its owner may be removed at this very moment.
        with suppress(IntegrityError), writing(self._engine) as connection:
            if connection.execute(known).scalar() is None:
                return
            put(connection, self._about, about.id, (level, told))
            if keep is not None:
                own, pk = self._about == about.id, self._table.c.pk
                oldest = select(pk).where(own).order_by(pk.desc()).limit(1).offset(keep).scalar_subquery()
                connection.execute(delete(self._table).where(own, pk <= oldest))


class Logs(Entries):
    """What batch jobs tell."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine, LOGS, LOGS.c.job, JOBS)

    def add(self, job: Job, level: str, message: str, **further: Any) -> None:
        """Write an entry, unless its level is kept by no entry of this job, or the job is gone."""
        self._write(job, level, {"message": message, **further})


class ServiceLogs(Entries):
    """What web services tell; the latest entries are kept."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine, SERVICE_LOGS, SERVICE_LOGS.c.service, SERVICES)

    def add(self, service: Service, keep: int, level: str, message: str, **further: Any) -> None:
        """Write an entry, unless its level is kept by no entry of this service; all but the latest `keep` are forgotten."""
        self._write(service, level, {"message": message, **further}, keep)
