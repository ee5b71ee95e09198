"""Processes that users stored, each user's own."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Engine, delete, select

from engine.database import put, reading, writing
from engine.records import UserProcess
from engine.store.tables import PROCESSES


class Processes:
    """Stored processes by owner and identifier."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def put(self, process: UserProcess) -> None:
        """Store a process; one of the same identifier is replaced as a whole."""
        text = json.dumps(dict(process.document))
        with writing(self._engine) as connection:
            put(connection, PROCESSES, {"owner": process.owner, "id": process.id}, {"document": text})

    def get(self, owner: str, id_: str) -> UserProcess | None:
        """One process of an owner."""
        with reading(self._engine) as connection:
            row = connection.execute(select(PROCESSES).where(_is(owner, id_))).one_or_none()
        return None if row is None else _process(row)

    def all(self, owner: str) -> list[UserProcess]:
        """All processes of an owner, by identifier."""
        wish = select(PROCESSES).where(PROCESSES.c.owner == owner).order_by(PROCESSES.c.id)
        with reading(self._engine) as connection:
            return [_process(row) for row in connection.execute(wish)]

    def marked(self, text: str) -> list[UserProcess]:
        """All processes whose documents have a text in them, by owner and identifier."""
        wish = select(PROCESSES).where(PROCESSES.c.document.contains(text, autoescape=True))
        with reading(self._engine) as connection:
            rows = connection.execute(wish.order_by(PROCESSES.c.owner, PROCESSES.c.id))
            return [_process(row) for row in rows]

    def remove(self, owner: str, id_: str) -> bool:
        """Remove one process of an owner; says whether it was there."""
        with writing(self._engine) as connection:
            return bool(connection.execute(delete(PROCESSES).where(_is(owner, id_))).rowcount)


def _is(owner: str, id_: str) -> Any:
    return (PROCESSES.c.owner == owner) & (PROCESSES.c.id == id_)


def _process(row: Any) -> UserProcess:
    return UserProcess(row.id, row.owner, json.loads(row.document))
