"""The outbox: what happened to the catalogue, in the order in which it was committed, for all who want to know."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, select, text

from engine.catalog.changes import Author
from engine.catalog.model import Json
from engine.catalog.rows import new_keys, put_rows
from engine.catalog.tables import COLLECTIONS, ITEMS, OUTBOX
from engine.catalog.texts import from_text
from engine.catalog.times import micros
from engine.catalog.tree import ancestors

ORDER = 7062
"""The lock under which events get their numbers: who has a lower one has committed."""
TURN = text("SELECT pg_advisory_xact_lock(:order)")
AT_ONCE = 500
WRITTEN = (
    "seq", "time", "collection", "owner", "parents", "actor", "source",
    "event", "kind", "item", "live",
)  # fmt: skip
"""Columns of an event: first what is the same for all of a change."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    seq: int
    """Its number; later events have higher ones."""
    time: int
    """Microseconds since 1970."""
    event: str
    """`created`, `updated` or `deleted`."""
    kind: str
    """`Item`, `Collection` or `Catalog`."""
    collection: str
    """Id of the collection, or of the catalogue itself."""
    owner: str
    """Whose the collection is; empty: everybody may read it."""
    item: str | None
    """Id of the item."""
    parents: tuple[str, ...]
    """Ids of all that the collection stands under, the nearest first."""
    actor: str
    source: str
    live: bool
    """Is it news, and not old data that came late?"""
    doc: Json | None = None
    """The item as it is now; None where it is gone, or where the event is about a collection."""


@dataclass(frozen=True, slots=True)
class News:
    """An event before it has a number."""

    event: str
    kind: str
    item: str | None = None
    live: bool = True


class Place(NamedTuple):
    """The collection that an event is about."""

    pk: int
    id: str
    owner: str


def post(connection: Connection, place: Place, news: Sequence[News], author: Author) -> list[int]:
    """Write events of one collection down within the transaction that made them; gives their numbers.

    The transaction has to have its turn (`in_turn`).
    """
    if not news:
        return []
    parents = json.dumps(ancestors(connection, place.pk))
    same = micros(datetime.now(UTC)), place.id, place.owner, parents, author.actor, author.source
    numbers = new_keys(connection, OUTBOX, len(news))
    told = ((n.event, n.kind, n.item, int(n.live)) for n in news)
    rows = ((number, *same, *each) for number, each in zip(numbers, told, strict=True))
    put_rows(connection, OUTBOX.name, WRITTEN, rows, len(news))
    return list(numbers)


def in_turn(connection: Connection) -> None:
    """Wait for the writers before this one; SQLite has them wait when they begin."""
    if connection.dialect.name == "postgresql":
        connection.execute(TURN, {"order": ORDER})


def events(
    connection: Connection, after: int, limit: int = AT_ONCE, collections: Iterable[str] | None = None
) -> list[Event]:
    """Events with higher numbers than `after`, in order, items as they are now."""
    wish = select(OUTBOX).where(OUTBOX.c.seq > after).order_by(OUTBOX.c.seq).limit(limit)
    if collections is not None:
        wish = wish.where(OUTBOX.c.collection.in_(list(collections)))
    rows = connection.execute(wish).all()
    docs = _docs(connection, {(row.collection, row.item) for row in rows if row.item is not None})
    return [
        Event(
            row.seq, row.time, row.event, row.kind, row.collection, row.owner, row.item,
            tuple(json.loads(row.parents)), row.actor, row.source, bool(row.live),
            from_text(kept) if (kept := docs.get((row.collection, row.item))) else None,
        )
        for row in rows
    ]  # fmt: skip


def last_number(connection: Connection) -> int:
    """The number of the latest event; 0 where there is none."""
    return int(connection.execute(select(func.coalesce(func.max(OUTBOX.c.seq), 0))).scalar_one())


def has_news(connection: Connection, collection: str, after: int) -> bool:
    """Did anything happen to a collection or its items after the event of that number?"""
    wish = select(OUTBOX.c.seq).where(OUTBOX.c.seq > after, OUTBOX.c.collection == collection).limit(1)
    return connection.execute(wish).first() is not None


def forget(connection: Connection, before: int, upto: int, limit: int) -> list[int]:
    """Remove the oldest events; gives their numbers. The latest one stays.

    Args:
        before: Only those from before an instant, in microseconds since 1970.
        upto: Only those up to a number.
        limit: At most so many.
    """
    last = min(upto, last_number(connection) - 1)
    wish = select(OUTBOX.c.seq, OUTBOX.c.time).where(OUTBOX.c.seq <= last).order_by(OUTBOX.c.seq).limit(limit)
    old = [row.seq for row in takewhile(lambda row: row.time < before, connection.execute(wish).all())]
    if old:
        connection.execute(delete(OUTBOX).where(OUTBOX.c.seq <= old[-1]))
    return old


def _docs(connection: Connection, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for collection in {pair[0] for pair in wanted}:
        ids = [item for of, item in wanted if of == collection]
        wish = (
            select(ITEMS.c.id, ITEMS.c.doc)
            .join(COLLECTIONS, COLLECTIONS.c.pk == ITEMS.c.collection)
            .where(COLLECTIONS.c.id == collection, ITEMS.c.id.in_(ids))
        )
        found.update(((collection, row.id), row.doc) for row in connection.execute(wish))
    return found
