"""Forgetting: events of the outbox that are old, and told to all webhooks, are removed; it is known up to which number."""

from __future__ import annotations

import time

from sqlalchemy import Connection, func, select

from engine.catalog.outbox import forget
from engine.database import put
from engine.events.deliveries import told
from engine.events.desk import Desk
from engine.events.tables import CURSORS

FORGOTTEN = "forgotten"
AT_ONCE = 5000
"""Events that are removed in one transaction, so that writers need not wait long."""


class Forgetting:
    """Keeps the outbox from growing without end; any number of servers may do so."""

    def __init__(self, desk: Desk, days: float) -> None:
        self._desk = desk
        self._days = days

    def forget(self) -> int:
        """Remove what is older than so many days; says how many events."""
        before = int((time.time() - 86_400 * self._days) * 1e6)
        count = 0
        while True:
            with self._desk.changing() as connection:
                gone = forget(connection, before, told(connection), AT_ONCE)
                if gone:
                    put(connection, CURSORS, {"name": FORGOTTEN}, {"seq": max(gone)})
            count += len(gone)
            if len(gone) < AT_ONCE:
                return count

    def last(self) -> int:
        """The number up to which events may be missing; 0 where none was removed yet."""
        with self._desk.looking() as connection:
            return last_forgotten(connection)


def last_forgotten(connection: Connection) -> int:
    """The number up to which events may be missing; 0 where none was removed yet."""
    wish = select(func.coalesce(func.max(CURSORS.c.seq), 0)).where(CURSORS.c.name == FORGOTTEN)
    return int(connection.execute(wish).scalar_one())
