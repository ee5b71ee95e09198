"""The queue of deliveries: what is to be told to webhooks, claimed by one server at a time."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, exists, func, select, update

from engine.catalog import Event
from engine.catalog.outbox import events, last_number
from engine.database import put, put_first
from engine.events.desk import Desk
from engine.events.tables import CURSORS, DELIVERIES, WEBHOOKS
from engine.events.webhooks import Webhook, enabled
from engine.events.wording import body_of

CURSOR = "webhooks"
AT_ONCE = 200
"""Events that are looked at in one transaction."""
WAITING, DELIVERED, FAILED = "waiting", "delivered", "failed"


@dataclass(frozen=True, slots=True)
class Parcel:
    """One delivery that this server has to make."""

    pk: int
    webhook: str
    """Identifier of the webhook."""
    url: str
    secret: str
    seq: int
    """Number of the event."""
    body: str
    attempts: int
    """Attempts before this one."""
    until: float
    """Until when other servers leave it alone; it names this claim, too."""

    @property
    def id(self) -> str:
        """What the receiver knows it by: the same for every attempt."""
        return f"{self.webhook}-{self.seq}"


class Deliveries:
    """The queue."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def begin(self) -> None:
        """Look at events from now on, unless it is known from where."""
        with self._desk.changing() as connection:
            put_first(connection, CURSORS, {"name": CURSOR}, {"seq": last_number(connection)})

    def gather(self) -> bool:
        """Put deliveries of new events into the queue; says whether there may be more of them.

        Each event is looked at once, whichever server does it.
        """
        with self._desk.looking() as connection:
            hooks = enabled(connection)
            if not hooks or last_number(connection) <= max(_cursor(connection), _first(hooks)):
                return False
        with self._desk.changing() as connection:
            hooks = enabled(connection)
            if not hooks:
                return False
            found = events(connection, max(_cursor(connection), _first(hooks)), AT_ONCE)
            for event in found:
                self._enqueue(connection, [hook for hook in hooks if hook.wants(event)], event)
            if found:
                put(connection, CURSORS, {"name": CURSOR}, {"seq": found[-1].seq})
        return len(found) == AT_ONCE

    def claim(self, lease: float, busy: Mapping[str, int], each: int, limit: int) -> list[Parcel]:
        """Deliveries that are due. Of each item a webhook is told in order: what comes later waits.

        Args:
            lease: Seconds for which other servers leave them alone.
            busy: How many are under way by this server, by webhook.
            each: How many of one webhook may be under way.
            limit: How many are wanted.
        """
        if not self._due():
            return []
        now, under_way = time.time(), Counter(busy)
        parcels: list[Parcel] = []
        full = [id_ for id_, count in busy.items() if count >= each]
        with self._desk.changing() as connection:
            for row in connection.execute(_next(now, full, each)).all():
                if under_way[row.webhook] >= each or len(parcels) == limit:
                    continue
                under_way[row.webhook] += 1
                until = now + lease
                connection.execute(update(DELIVERIES).where(DELIVERIES.c.pk == row.pk).values(next=until))
                parcels.append(
                    Parcel(row.pk, row.webhook, row.url, row.secret, row.seq, row.body, row.attempts, until)
                )
        return parcels

    def delivered(self, parcel: Parcel, answer: int, keep: int) -> None:
        """It is told. All but the latest `keep` that ended are forgotten."""
        self._end(parcel, DELIVERED, answer, None, keep)

    def failed(self, parcel: Parcel, answer: int | None, error: str, keep: int) -> None:
        """It is given up."""
        self._end(parcel, FAILED, answer, error, keep)

    def again(self, parcel: Parcel, answer: int | None, error: str, pause: float) -> None:
        """It is tried again after a pause."""
        values = {
            "attempts": parcel.attempts + 1,
            "answer": answer,
            "error": error,
            "next": time.time() + pause,
        }
        with self._desk.changing() as connection:
            connection.execute(update(DELIVERIES).where(_held(parcel)).values(values))

    def _end(self, parcel: Parcel, status: str, answer: int | None, error: str | None, keep: int) -> None:
        values = {
            "status": status, "attempts": parcel.attempts + 1, "answer": answer, "error": error,
            "ended": time.time(),
        }  # fmt: skip
        own = (DELIVERIES.c.webhook == parcel.webhook) & (DELIVERIES.c.status != WAITING)
        oldest = (
            select(DELIVERIES.c.pk).where(own).order_by(DELIVERIES.c.pk.desc()).limit(1).offset(keep)
        ).scalar_subquery()
        with self._desk.changing() as connection:
            connection.execute(update(DELIVERIES).where(_held(parcel)).values(values))
            connection.execute(delete(DELIVERIES).where(own, DELIVERIES.c.pk <= oldest))

    def _due(self) -> bool:
        wish = select(DELIVERIES.c.pk).where(DELIVERIES.c.status == WAITING, DELIVERIES.c.next <= time.time())
        with self._desk.looking() as connection:
            return connection.execute(wish.limit(1)).one_or_none() is not None

    def _enqueue(self, connection: Connection, hooks: Sequence[Webhook], event: Event) -> None:
        now = time.time()
        for hook in hooks:
            body = json.dumps(body_of(event, hook.base), separators=(",", ":"))
            row = {
                "collection": event.collection, "item": event.item, "body": body, "status": WAITING,
                "attempts": 0, "next": now, "created": now,
            }  # fmt: skip
            put_first(connection, DELIVERIES, {"webhook": hook.id, "seq": event.seq}, row)


def told(connection: Connection) -> int:
    """The number up to which no webhook needs events any more."""
    hooks = enabled(connection)
    return max(_cursor(connection), _first(hooks)) if hooks else last_number(connection)


def _cursor(connection: Connection) -> int:
    found = connection.execute(select(CURSORS.c.seq).where(CURSORS.c.name == CURSOR)).scalar()
    return int(found or 0)


def _first(hooks: Sequence[Webhook]) -> int:
    return min(hook.since for hook in hooks)


def _held(parcel: Parcel) -> Any:
    return (DELIVERIES.c.pk == parcel.pk) & (DELIVERIES.c.next == parcel.until)


def _next(now: float, full: Sequence[str], each: int) -> Any:
    """What is due, of each webhook's items the earliest; of webhooks the one that waits longest first."""
    earlier = DELIVERIES.alias()
    before = exists().where(
        earlier.c.webhook == DELIVERIES.c.webhook, earlier.c.collection == DELIVERIES.c.collection,
        earlier.c.item == DELIVERIES.c.item, earlier.c.seq < DELIVERIES.c.seq, earlier.c.status == WAITING,
    )  # fmt: skip
    rank = func.row_number().over(partition_by=DELIVERIES.c.webhook, order_by=DELIVERIES.c.next)
    due = (
        select(DELIVERIES, WEBHOOKS.c.url, WEBHOOKS.c.secret, rank.label("rank"))
        .join(WEBHOOKS, WEBHOOKS.c.id == DELIVERIES.c.webhook)
        .where(DELIVERIES.c.status == WAITING, DELIVERIES.c.next <= now, WEBHOOKS.c.enabled == 1)
        .where(~before, DELIVERIES.c.webhook.not_in(list(full)))
        .subquery()
    )
    return select(due).where(due.c.rank <= each).order_by(due.c.rank, due.c.next).limit(100)
