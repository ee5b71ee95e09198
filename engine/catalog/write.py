"""Writes: entries are checked, and written in a single transaction, with news of each; all of them or none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from engine.catalog.changes import Author, full_id
from engine.catalog.documents import Record, checked_collection, is_bare
from engine.catalog.features import record_of
from engine.catalog.fields import glance as glance_at_feature
from engine.catalog.model import OF_FEATURES, Added, Entry, Json, has_features
from engine.catalog.outbox import News, Place, post
from engine.catalog.rows import new_keys, put_rows
from engine.catalog.summaries import glance
from engine.catalog.tables import ASSETS, BOXES, BOXES_DROP, COLLECTIONS, ITEMS, KNOWN
from engine.catalog.texts import as_text
from engine.catalog.times import micros
from engine.errors import Problem

CHECKED = (
    "id", "t0", "t1", "dt", "west", "south", "east", "north", "shape", "properties", "doc", "varies", "layout",
)  # fmt: skip
"""Columns of items that are read off the documents."""
GIVEN = ("pk", "collection", "created", "updated", "version")
"""Those that the catalogue knows."""
ASSET = ("key", "href", "type", "roles")
BOX = ("west", "east", "south", "north")


Boxes = tuple[tuple[float, ...], ...]
"""Values of the columns `BOX`, of one box or two."""
Assets = Iterable[tuple[str | None, ...]]
"""Values of the columns `ASSET`; they are read off the document when it is their turn, and once."""


@dataclass(frozen=True, slots=True)
class Row:
    """One item, ready to be written."""

    id: str
    values: tuple[Any, ...]
    """Of the columns that are `CHECKED`."""
    boxes: Boxes
    assets: Assets


@dataclass(frozen=True)
class Batch:
    """All that is to be written to one collection."""

    collection: Json
    """The STAC collection, checked."""
    items: dict[str, Row | Entry] = field(default_factory=dict)
    """The items by id, checked or not yet; one that came twice is here as it came last."""


def gather(entries: Iterable[Entry], progress: Callable[[int], None] | None = None) -> list[Batch]:
    """Check all entries and sort them by collection. The first that is not sound ends it: nothing is written yet."""
    batches: dict[str, Batch] = {}
    count = 0
    for entry in entries:
        id_ = str(entry.collection.get("id"))
        if id_ not in batches:
            batches[id_] = Batch(checked_collection(entry.collection, entry.where))
        if entry.item is not None:
            row = row_of(record_of(entry))
            batches[id_].items[row.id] = row
            count += 1
            if progress is not None:
                progress(count)
    return list(batches.values())


def at_hand(collection: Json, items: Iterable[Any]) -> Batch:
    """Items that are there already: each is checked when it is its turn to be written, as the database does its part.

    Those are checked at once that a later one of the same id replaces, and whose id may be none.
    """
    batch = Batch(collection)
    for item in items:
        entry = Entry(collection, item)
        id_ = item.get("id") if isinstance(item, dict) else None
        if not isinstance(id_, str) or not id_.isascii():
            id_ = record_of(entry).id
        if id_ in batch.items:
            _row(batch.items[id_])
        batch.items[id_] = entry
    return batch


def store(connection: Connection, batch: Batch, author: Author) -> Added:
    """Write a batch within the transaction of `connection`, which must be one that writes.

    Raises:
        Problem: An item is not sound; the transaction has to end without a trace.
    """
    now = micros(datetime.now(UTC))
    pk, owner, event = put_collection(connection, batch.collection, now)
    known = known_rows(connection, pk, list(batch.items)) if event != "created" else {}
    new = [id_ for id_ in batch.items if id_ not in known]
    insert_rows(connection, pk, (_row(batch.items[id_]) for id_ in new), len(new), now)
    old = [id_ for id_ in batch.items if id_ in known]
    update_rows(connection, [(known[id_], _row(batch.items[id_])) for id_ in old], now)
    touch(connection, pk, now, rewritten=bool(old))
    news = [News(event, "Collection")] if event is not None else []
    news += [News("created", "Item", id_) for id_ in new]
    news += [News("updated", "Item", id_) for id_ in old]
    post(connection, Place(pk, batch.collection["id"], owner), news, author)
    return Added(batch.collection["id"], len(new), len(old))


def put_collection(connection: Connection, collection: Json, now: int) -> tuple[int, str, str | None]:
    """Insert or update; a collection that only names itself leaves what is stored of it.

    Gives its key, whose it is, and what happened: `created`, `updated` or nothing.
    """
    table, id_ = COLLECTIONS.c, collection["id"]
    stored = connection.execute(
        select(table.pk, table.owner, table.doc, table.kind).where(table.id == id_).with_for_update()
    ).one_or_none()
    if stored is None:
        pk = insert_collection(connection, collection, now, kind=collection["type"].lower())
        return pk, "", "created"
    if has_features(collection) != (stored.kind == OF_FEATURES):
        there, new = ("features", "STAC items") if stored.kind == OF_FEATURES else ("STAC items", "features")
        raise Problem(
            "AlreadyExists",
            f"collection {id_!r} holds {there}, and the source has {new}.",
            hint="Give the collection another id (`--collection ID`).",
        )
    doc = as_text(collection)
    if is_bare(collection) or doc == stored.doc:
        return int(stored.pk), stored.owner, None
    connection.execute(update(COLLECTIONS).where(table.pk == stored.pk).values(doc=doc))
    return int(stored.pk), stored.owner, "updated"


def insert_collection(
    connection: Connection, collection: Json, now: int, owner: str = "", **more: Any
) -> int:
    """A new collection, called by its `id` within what its owner has; gives its key."""
    id_ = full_id(owner, collection["id"])
    values = {
        "id": id_, "owner": owner, "name": collection["id"], "doc": as_text({**collection, "id": id_}),
        "version": 0, "created": now, "updated": now, **more,
    }  # fmt: skip
    connection.execute(insert(COLLECTIONS).values(values))
    return int(connection.execute(select(COLLECTIONS.c.pk).where(COLLECTIONS.c.id == id_)).scalar_one())


def touch(connection: Connection, collection: int, now: int, *, rewritten: bool = False) -> None:
    """Note that a collection (by key) or its items changed; `rewritten`: some that were there are others now."""
    version = COLLECTIONS.c.version + 1
    more = {"rewritten": version} if rewritten else {}
    change = update(COLLECTIONS).where(COLLECTIONS.c.pk == collection)
    connection.execute(change.values(version=version, updated=now, **more))


def insert_rows(connection: Connection, collection: int, rows: Iterable[Row], count: int, now: int) -> None:
    """So many new items of a collection (by key); rows are taken as the database asks for them."""
    if not count:
        return
    keys, parts = new_keys(connection, ITEMS, count), []

    def values() -> Iterator[tuple[Any, ...]]:
        for pk, row in zip(keys, rows, strict=True):
            parts.append((pk, row.boxes, row.assets))
            yield pk, collection, now, now, 1, *row.values

    put_rows(connection, ITEMS.name, GIVEN + CHECKED, values(), count)
    _store_parts(connection, parts)


def update_rows(connection: Connection, rows: Sequence[tuple[int, Row]], now: int) -> None:
    """Items that are there (by key), as they are to be from now on."""
    if not rows:
        return
    new = [f"new_{name}" for name in CHECKED]
    change = update(ITEMS).where(ITEMS.c.pk == bindparam("of"))
    change = change.values(
        updated=now,
        version=ITEMS.c.version + 1,
        **{name: bindparam(told) for name, told in zip(CHECKED, new, strict=True)},
    )
    connection.execute(change, [{"of": pk, **dict(zip(new, row.values, strict=True))} for pk, row in rows])
    _drop_parts(connection, [pk for pk, _ in rows])
    _store_parts(connection, [(pk, row.boxes, row.assets) for pk, row in rows])


def remove_rows(connection: Connection, keys: Sequence[int]) -> None:
    """Remove items (by key)."""
    _drop_parts(connection, keys)
    connection.execute(delete(ITEMS).where(ITEMS.c.pk == bindparam("key")), [{"key": key} for key in keys])


def _row(item: Row | Entry) -> Row:
    return item if isinstance(item, Row) else row_of(record_of(item))


def row_of(item: Record) -> Row:
    """An item as the tables have it."""
    look = (glance if "assets" in item.doc else glance_at_feature)(item)
    ground = item.footprint
    west, south, east, north = ground.box if ground is not None else (None,) * 4
    first, last = item.span
    properties = item.doc["properties"]
    instant = first if item.is_instant else None
    wkb, parts = (ground.wkb, ground.parts) if ground is not None else (None, ())
    values = (
        item.id, first, last, instant, west, south, east, north, wkb,
        as_text(properties), item.text, look.varies, look.layout,
    )  # fmt: skip
    boxes = tuple((w, e, s, n) for w, s, e, n in parts)
    return Row(item.id, values, boxes, _assets(item.doc))


def known_rows(connection: Connection, collection: int, ids: Sequence[str]) -> dict[str, int]:
    """Which of these items are there already, with their keys."""
    name = connection.dialect.name
    told = as_text(list(ids)) if name == "sqlite" else list(ids)
    found = connection.execute(KNOWN[name], {"collection": collection, "ids": told})
    return {row.id: row.pk for row in found}


def _store_parts(connection: Connection, parts: Sequence[tuple[int, Boxes, Assets]]) -> None:
    if connection.dialect.name == "sqlite":
        boxes = ((2 * pk + n, *box) for pk, some, _ in parts for n, box in enumerate(some))
        put_rows(connection, BOXES, ("id", *BOX), boxes)
    assets = ((pk, *asset) for pk, _, some in parts for asset in some)
    put_rows(connection, ASSETS.name, ("item", *ASSET), assets)


def _drop_parts(connection: Connection, keys: Sequence[int]) -> None:
    if connection.dialect.name == "sqlite":
        connection.execute(BOXES_DROP, [{"pk": key} for key in keys])
    connection.execute(delete(ASSETS).where(ASSETS.c.item == bindparam("pk")), [{"pk": key} for key in keys])


def _assets(doc: Json) -> Iterator[tuple[str | None, ...]]:
    for key, asset in doc.get("assets", {}).items():
        roles, media = asset.get("roles"), asset.get("type")
        kind = media if isinstance(media, str) else None
        yield key, asset["href"], kind, as_text(roles) if isinstance(roles, list) else None
