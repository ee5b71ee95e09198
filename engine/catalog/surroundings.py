"""Where a STAC API sends nothing: its own counts without our wishes, and the dates around our time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from engine.catalog.documents import links, record, resolved
from engine.catalog.door import Door, door_of, is_list
from engine.catalog.model import Funnel, Query
from engine.catalog.reading import Reader
from engine.catalog.static import features, kind_of
from engine.catalog.times import Span, nearest
from engine.errors import Problem


def surroundings(reader: Reader, href: str, query: Query) -> Funnel | None:
    """The funnel of a search that an API answered with nothing; None where the API does not tell."""
    try:
        door = None if is_list(href) else _search_at(reader, href)
        if door is None:
            return None
        total = _matched(reader, door, None)
        near = _matched(reader, door, replace(query, start=None, end=None))
        spans = list(_around(reader, door, query)) if near and query.timed and door.sorts else []
    except Problem:  # these are facts for a message; a server that does not give them is no failure
        return None
    return Funnel(total or near or 0, near or 0, 0, 0, nearest(spans, query))


def _search_at(reader: Reader, href: str) -> Door | None:
    """The search of an API, by its landing page or, restricted to it, by one of its collections."""
    doc = reader.json(href)
    if kind_of(doc, href) != "Collection":
        return door_of(doc, href)
    for link in links(doc, "root"):
        root = resolved(link["href"], href)
        door = door_of(reader.json(root), root)
        return replace(door, collections=(str(doc["id"]),)) if door is not None else None
    return None


def _matched(reader: Reader, door: Door, query: Query | None) -> int | None:
    """How many items the server says it has; None where it does not say."""
    counts: list[int] = []
    for ask in door.asks(query, limit=1):
        page = reader.json(door.url, door.method, ask)
        count = page.get("numberMatched", (page.get("context") or {}).get("matched"))
        if not isinstance(count, int):
            return None
        counts.append(count)
    return sum(counts)


def _around(reader: Reader, door: Door, query: Query) -> Iterator[Span]:
    """The last items before the wished time and the first after it."""
    before = replace(query, start=None, end=query.start), "-properties.datetime"
    after = replace(query, start=query.end, end=None), "+properties.datetime"
    for wish, order in (before, after):
        for ask in door.asks(wish, limit=4, sortby=order) if wish.timed else ():
            page = reader.json(door.url, door.method, ask)
            for entry in features(page, door.url, None):
                yield record(entry).span
