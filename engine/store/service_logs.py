"""Logs of web services: the latest entries, in the order in which they came."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any

from sqlalchemy import Engine, delete, insert, select
from sqlalchemy.exc import IntegrityError

from engine.database import reading, writing
from engine.records import LEVELS, Service
from engine.store.tables import SERVICE_LOGS, SERVICES

Json = dict[str, Any]


class ServiceLogs:
    """Entries by service."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, service: Service, keep: int, level: str, message: str, **further: Any) -> None:
        """Write an entry, and forget all but the latest `keep` ones.

        Nothing is written where its level is kept by no entry of this service, or where the service is gone.
        """
        rank = LEVELS.index(level)
        if rank > LEVELS.index(service.log_level):
            return
        entry = json.dumps({"message": message, **further}, default=str)
        own = SERVICE_LOGS.c.service == service.id
        oldest = (
            select(SERVICE_LOGS.c.pk)
            .where(own)
            .order_by(SERVICE_LOGS.c.pk.desc())
            .limit(1)
            .offset(keep)
            .scalar_subquery()
        )
        with (
            suppress(IntegrityError),
            writing(self._engine) as connection,
        ):  # the service is removed at this moment
            if connection.execute(select(SERVICES.c.id).where(SERVICES.c.id == service.id)).scalar() is None:
                return
            values = {"service": service.id, "level": rank, "time": time.time(), "entry": entry}
            connection.execute(insert(SERVICE_LOGS).values(values))
            connection.execute(delete(SERVICE_LOGS).where(own, SERVICE_LOGS.c.pk <= oldest))

    def read(
        self, service: Service, level: str = "debug", after: int = 0, limit: int | None = None
    ) -> list[Json]:
        """The entries of a service that are as grave as `level`, after the one of that number."""
        wish = (
            select(SERVICE_LOGS)
            .where(
                SERVICE_LOGS.c.service == service.id,
                SERVICE_LOGS.c.level <= LEVELS.index(level),
                SERVICE_LOGS.c.pk > after,
            )
            .order_by(SERVICE_LOGS.c.pk)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            rows = connection.execute(wish).all()
        return [
            {"id": str(r.pk), "level": LEVELS[r.level], "time": r.time, **json.loads(r.entry)} for r in rows
        ]
