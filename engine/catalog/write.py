"""The one write path of the store: entries are checked first, then written in a single transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import shapely
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from engine.catalog.documents import Record, checked_collection, is_bare, record
from engine.catalog.model import Added, Entry, Json
from engine.catalog.summaries import glance
from engine.catalog.tables import ASSETS, BOXES_DROP, BOXES_PUT, COLLECTIONS, ITEMS
from engine.catalog.times import micros

AT_ONCE = 500
"""Ids in one statement; SQLite takes a limited number of parameters."""


@dataclass(frozen=True)
class Row:
    """One item, ready to be written."""

    columns: Json
    """Values of the `items` table."""
    boxes: tuple[Json, ...]
    """Values of the index of boxes, without id."""
    assets: tuple[Json, ...]
    """Values of the `assets` table, without item."""


@dataclass(frozen=True)
class Batch:
    """All that is to be written to one collection."""

    collection: Json
    """The STAC collection, checked."""
    rows: dict[str, Row] = field(default_factory=dict)
    """The items by id; one that came twice is here as it came last."""


def gather(entries: Iterable[Entry], progress: Callable[[int], None] | None = None) -> list[Batch]:
    """Check all entries and sort them by collection. The first that is not sound ends it: nothing is written yet."""
    batches: dict[str, Batch] = {}
    count = 0
    for entry in entries:
        id_ = str(entry.collection.get("id"))
        if id_ not in batches:
            batches[id_] = Batch(checked_collection(entry.collection, entry.where))
        if entry.item is not None:
            row = _row(record(entry))
            batches[id_].rows[row.columns["id"]] = row
            count += 1
            if progress is not None:
                progress(count)
    return list(batches.values())


def store(connection: Connection, batch: Batch) -> Added:
    """Write a batch within the transaction of `connection`, which must be one that writes."""
    now = micros(datetime.now(UTC))
    pk = _store_collection(connection, batch.collection, now)
    known = _known(connection, pk, list(batch.rows))
    new = [row for id_, row in batch.rows.items() if id_ not in known]
    old = [(known[id_], row) for id_, row in batch.rows.items() if id_ in known]
    first = int(connection.execute(select(func.coalesce(func.max(ITEMS.c.pk), 0))).scalar_one()) + 1
    fresh = list(enumerate(new, start=first))
    if fresh:
        own = {"collection": pk, "created": now, "updated": now, "version": 1}
        connection.execute(insert(ITEMS), [{"pk": n, **own, **row.columns} for n, row in fresh])
    if old:
        _update(connection, old, now)
    _store_parts(connection, [*fresh, *old])
    return Added(batch.collection["id"], len(fresh), len(old))


def _store_collection(connection: Connection, collection: Json, now: int) -> int:
    """Insert or update; a collection that only names itself leaves what is stored of it."""
    table, id_ = COLLECTIONS.c, collection["id"]
    stored = connection.execute(select(table.pk, table.doc).where(table.id == id_)).one_or_none()
    if stored is None:
        values = {"id": id_, "doc": _text(collection), "version": 1, "created": now, "updated": now}
        connection.execute(insert(COLLECTIONS).values(values))
        return int(connection.execute(select(table.pk).where(table.id == id_)).scalar_one())
    doc = stored.doc if is_bare(collection) else _text(collection)
    change = update(COLLECTIONS).where(table.pk == stored.pk)
    connection.execute(change.values(doc=doc, version=table.version + 1, updated=now))
    return int(stored.pk)


def _known(connection: Connection, collection: int, ids: Sequence[str]) -> dict[str, int]:
    """Which of these items are there already, with their keys."""
    known: dict[str, int] = {}
    for some in _portions(ids):
        wish = select(ITEMS.c.id, ITEMS.c.pk).where(ITEMS.c.collection == collection, ITEMS.c.id.in_(some))
        known.update((row.id, row.pk) for row in connection.execute(wish))
    return known


def _update(connection: Connection, old: Sequence[tuple[int, Row]], now: int) -> None:
    names = [name for name in old[0][1].columns if name != "id"]
    change = update(ITEMS).where(ITEMS.c.pk == bindparam("of"))
    change = change.values(
        updated=now, version=ITEMS.c.version + 1, **{n: bindparam(f"new_{n}") for n in names}
    )
    connection.execute(change, [{"of": pk, **{f"new_{n}": row.columns[n] for n in names}} for pk, row in old])
    keys = [{"pk": pk} for pk, _ in old]
    connection.execute(BOXES_DROP, keys)
    connection.execute(delete(ASSETS).where(ASSETS.c.item == bindparam("pk")), keys)


def _store_parts(connection: Connection, rows: Sequence[tuple[int, Row]]) -> None:
    boxes = [{"id": 2 * pk + n, **box} for pk, row in rows for n, box in enumerate(row.boxes)]
    assets = [{"item": pk, **asset} for pk, row in rows for asset in row.assets]
    if boxes:
        connection.execute(BOXES_PUT, boxes)
    if assets:
        connection.execute(insert(ASSETS), assets)


def _row(item: Record) -> Row:
    look, ground = glance(item), item.footprint
    west, south, east, north = ground.box if ground is not None else (None,) * 4
    columns = {
        "id": item.id,
        "t0": item.span[0],
        "t1": item.span[1],
        "west": west,
        "south": south,
        "east": east,
        "north": north,
        "shape": shapely.to_wkb(ground.shape) if ground is not None else None,
        "properties": _text(item.doc["properties"]),
        "doc": _text(item.doc),
        "varies": _text(look.varies),
        "layout": _text(look.layout),
    }
    parts = ground.parts if ground is not None else ()
    boxes = tuple({"west": w, "south": s, "east": e, "north": n} for w, s, e, n in parts)
    return Row(columns, boxes, tuple(_assets(item.doc)))


def _assets(doc: Json) -> Iterator[Json]:
    for key, asset in doc["assets"].items():
        roles = asset.get("roles")
        media = asset.get("type")
        yield {
            "key": key,
            "href": asset["href"],
            "type": media if isinstance(media, str) else None,
            "roles": _text(roles) if isinstance(roles, list) else None,
        }


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def _portions(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[at : at + AT_ONCE] for at in range(0, len(ids), AT_ONCE))
