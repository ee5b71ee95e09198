"""A search in the store: boxes by an index, then the exact test, time, properties; every step counted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import shapely
from sqlalchemy import Connection, func, select

from engine.catalog.model import Box, Found, Funnel, Query
from engine.catalog.sieve import as_item, holds
from engine.catalog.space import inside, split, touches
from engine.catalog.tables import BOXES_COUNT, BY_BOXES, BY_COLLECTION, BY_GEOMETRY, ITEMS, NOWHERE
from engine.catalog.texts import from_text
from engine.catalog.times import in_time, nearest

FEW = 20_000
"""Boxes up to which the way from the R*Tree to the items is shorter than through the whole collection."""
AT_ONCE = 500


def search(connection: Connection, collection: int, query: Query) -> Found:
    """What the query finds in the collection of this key, all within one transaction."""
    near = _near(connection, collection, query)
    timely = [row for row in near if in_time((row.t0, row.t1), query)]
    dates = nearest(((row.t0, row.t1) for row in near), query) if near and not timely else ()
    docs = _wanted(connection, [row.pk for row in timely], query)
    docs.sort(key=lambda found: (found[0], found[1]))
    items = tuple(as_item(from_text(doc)) for _, _, doc in docs)
    total = _total(connection, collection) if query.counted or not items else None
    return Found(items, Funnel(total, len(near), len(timely), len(items), dates))


def _total(connection: Connection, collection: int) -> int:
    wish = select(func.count()).select_from(ITEMS).where(ITEMS.c.collection == collection)
    return connection.execute(wish).scalar_one()


def _near(connection: Connection, collection: int, query: Query) -> list[Any]:
    """Keys and times of the items that touch the box, and of those that lie nowhere."""
    if query.bbox is None:
        wish = select(ITEMS.c.pk, ITEMS.c.t0, ITEMS.c.t1).where(ITEMS.c.collection == collection)
        return list(connection.execute(wish))
    boxes = split(query.bbox)
    candidates = {row.pk: row for box in boxes for row in _candidates(connection, collection, box)}
    within: list[Any] = []
    edge: list[Any] = []
    for row in candidates.values():
        whole = inside((row.west, row.south, row.east, row.north), boxes)
        (within if whole else edge).append(row)
    hits = touches(shapely.from_wkb([row.shape for row in edge]), boxes)
    touching = [row for row, hit in zip(edge, hits, strict=True) if hit]
    return [*within, *touching, *connection.execute(NOWHERE, {"collection": collection})]


def _candidates(connection: Connection, collection: int, box: Box) -> Iterator[Any]:
    """Items whose own box meets this one: from the few boxes to items, or through the whole collection."""
    west, south, east, north = box
    wish = {"west": west, "south": south, "east": east, "north": north}
    if connection.dialect.name == "postgresql":
        yield from connection.execute(BY_GEOMETRY, {**wish, "collection": collection})
        return
    count = connection.execute(BOXES_COUNT, {**wish, "most": FEW + 1}).scalar_one()
    yield from connection.execute(
        BY_BOXES if count <= FEW else BY_COLLECTION, {**wish, "collection": collection}
    )


def _wanted(connection: Connection, keys: Sequence[int], query: Query) -> list[tuple[int, str, str]]:
    """Time, id and document of those of these items that the predicates let pass."""
    out: list[tuple[int, str, str]] = []
    for at in range(0, len(keys), AT_ONCE):
        some = keys[at : at + AT_ONCE]
        if query.properties:
            told = connection.execute(select(ITEMS.c.pk, ITEMS.c.properties).where(ITEMS.c.pk.in_(some)))
            some = [row.pk for row in told if holds(json.loads(row.properties), query)]
        wish = select(ITEMS.c.t0, ITEMS.c.id, ITEMS.c.doc).where(ITEMS.c.pk.in_(some))
        out.extend((row.t0, row.id, row.doc) for row in connection.execute(wish))
    return out
