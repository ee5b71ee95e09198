"""The publish log: what became of each message, the latest of each publisher, and how many there were."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from engine.database import INSERTS
from engine.events.tables import PUBLISH_COUNTS, PUBLISH_LOG

Json = dict[str, Any]


class State(StrEnum):
    """What became of a message."""

    ACCEPTED = "accepted"
    """It is in the catalogue."""
    PENDING = "pending"
    """It waits for what it belongs to."""
    REJECTED = "rejected"
    """It is not in the catalogue, and will not be."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one message."""

    state: State
    kind: str | None = None
    """`Item`, `Collection` or `Catalog`."""
    id: str | None = None
    collection: str | None = None
    """Id of the collection of an item."""
    org: str | None = None
    """In whose name it was published."""
    reason: str | None = None
    """Why it was rejected, or what it waits for."""
    seq: int | None = None
    """Number of its event."""
    senseless: bool = False
    """Was it no message at all, or no sound STAC?"""


def note(connection: Connection, user: str, *receipts: Receipt) -> int:
    """Write down what became of messages; gives the number of the last entry."""
    now = time.time()
    rows = [
        {
            "time": now, "user": user, "org": one.org, "kind": one.kind, "id": one.id,
            "collection": one.collection, "state": one.state, "reason": one.reason, "seq": one.seq,
        }
        for one in receipts
    ]  # fmt: skip
    for state, count in Counter(one.state for one in receipts).items():
        _count(connection, user, state, count)
    if rows[1:]:
        connection.execute(insert(PUBLISH_LOG), rows[:-1])
    made = connection.execute(insert(PUBLISH_LOG).values(rows[-1]).returning(PUBLISH_LOG.c.pk))
    return int(made.scalar_one())


def settle(connection: Connection, user: str, number: int, receipt: Receipt) -> None:
    """Write down what became of a message that waited."""
    values = {"state": receipt.state, "reason": receipt.reason, "seq": receipt.seq}
    connection.execute(update(PUBLISH_LOG).where(PUBLISH_LOG.c.pk == number).values(values))
    _count(connection, user, State.PENDING, -1)
    _count(connection, user, receipt.state, 1)


def trim(connection: Connection, user: str, keep: int) -> None:
    """Forget all but the latest entries of a publisher."""
    own, pk = PUBLISH_LOG.c.user == user, PUBLISH_LOG.c.pk
    oldest = select(pk).where(own).order_by(pk.desc()).limit(1).offset(keep).scalar_subquery()
    connection.execute(delete(PUBLISH_LOG).where(own, pk <= oldest))


def counts(connection: Connection, user: str) -> dict[str, int]:
    """How many messages of a publisher came to which end."""
    rows = connection.execute(
        select(PUBLISH_COUNTS.c.state, PUBLISH_COUNTS.c.total).where(PUBLISH_COUNTS.c.user == user)
    )
    return {state.value: 0 for state in State} | {row.state: row.total for row in rows}


def entries(connection: Connection, user: str, limit: int) -> list[Json]:
    """The latest entries of a publisher, the newest first."""
    own = PUBLISH_LOG.c.user == user
    rows = connection.execute(select(PUBLISH_LOG).where(own).order_by(PUBLISH_LOG.c.pk.desc()).limit(limit))
    return [dict(row._mapping) for row in rows]


def _count(connection: Connection, user: str, state: State, change: int) -> None:
    table = PUBLISH_COUNTS
    made = INSERTS[connection.dialect.name](table).values(user=user, state=state.value, total=max(change, 0))
    connection.execute(
        made.on_conflict_do_update(index_elements=["user", "state"], set_={"total": table.c.total + change})
    )
