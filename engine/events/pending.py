"""What came before the collection or catalogue it belongs to, and waits for it."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from engine.catalog.tables import COLLECTIONS
from engine.events.messages import Message, message_of
from engine.events.tables import PENDING
from engine.records import User


@dataclass(frozen=True, slots=True)
class Parked:
    """One message that waits."""

    pk: int
    log: int
    """Number of its entry in the publish log."""
    awaits: str
    """Id of what it waits for."""
    user: User
    """Who sent it, with the roles of that time."""
    time: float
    message: Message


def park(
    connection: Connection, log: int, awaits: str, user: User, message: Message, since: float | None = None
) -> None:
    """Have a message wait."""
    text = json.dumps(message.json())
    row = {
        "log": log, "awaits": awaits, "user": user.id, "roles": json.dumps(sorted(user.roles)),
        "time": since or time.time(), "size": len(text), "message": text,
    }  # fmt: skip
    connection.execute(insert(PENDING).values(row))


def bytes_of(connection: Connection, user: str) -> int:
    """Bytes of all messages of a publisher that wait."""
    wish = select(func.coalesce(func.sum(PENDING.c.size), 0)).where(PENDING.c.user == user)
    return int(connection.execute(wish).scalar_one())


def take(connection: Connection, awaits: str) -> list[Parked]:
    """Take all that waits for something, in the order in which it came."""
    wish = select(PENDING).where(PENDING.c.awaits == awaits).order_by(PENDING.c.pk)
    return _taken(connection, connection.execute(wish).all())


def take_old(connection: Connection, before: float, limit: int) -> list[Parked]:
    """Take what waits since before a moment, the oldest first."""
    wish = select(PENDING).where(PENDING.c.time < before).order_by(PENDING.c.pk).limit(limit)
    return _taken(connection, connection.execute(wish).all())


def come(connection: Connection) -> list[str]:
    """Ids of what is waited for and is there, because it came by another way."""
    wish = select(PENDING.c.awaits).distinct().join(COLLECTIONS, COLLECTIONS.c.id == PENDING.c.awaits)
    return list(connection.execute(wish).scalars())


def is_empty(connection: Connection) -> bool:
    """Does nothing wait?"""
    return connection.execute(select(PENDING.c.pk).limit(1)).one_or_none() is None


def _taken(connection: Connection, rows: Sequence[Any]) -> list[Parked]:
    for row in rows:
        connection.execute(delete(PENDING).where(PENDING.c.pk == row.pk))
    return [
        Parked(
            row.pk, row.log, row.awaits, User(row.user, roles=frozenset(json.loads(row.roles))), row.time,
            message_of(json.loads(row.message)),
        )
        for row in rows
    ]  # fmt: skip
