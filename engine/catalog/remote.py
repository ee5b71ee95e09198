"""STAC by its address, whatever answers there: a STAC API that filters for us, or documents to walk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pystac_client import ItemSearch

from engine.catalog.documents import is_remote, links, local_path, record, resolved, self_href, shown
from engine.catalog.model import Entry, Found, Funnel, Json, Query
from engine.catalog.reading import Reader
from engine.catalog.sieve import sift
from engine.catalog.space import split
from engine.catalog.static import collection_of, features, kind_of, listed, walk
from engine.catalog.times import micros, moment
from engine.errors import Problem

PAGE = 500
"""Items to ask of a server at a time; where it gives less at once, there are more pages."""


@dataclass(frozen=True)
class Door:
    """Where an API searches."""

    url: str
    """Address of the search."""
    method: str
    """POST where the API offers it, else GET."""
    sorts: bool
    """Whether it sorts what it finds, if asked."""
    collections: tuple[str, ...] | None = None
    """Collections to search in; None: all."""

    def asks(self, query: Query | None, *, limit: int = PAGE, sortby: str | None = None) -> list[dict[str, Any]]:
        """The parameters that ask for what the query wants: twice where its box crosses the antimeridian."""
        boxes = split(query.bbox) if query is not None and query.bbox is not None else (None,)
        time = [query.start, query.end] if query is not None and query.timed else None
        return [
            ItemSearch(
                self.url, method=self.method, limit=limit, bbox=box, datetime=time, sortby=sortby,
                collections=list(self.collections) if self.collections else None,
            ).get_parameters()
            for box in boxes
        ]  # fmt: skip


def open_stac(url: str, query_without_collection: Query) -> Found:
    """The items at a STAC address that the query wants; its `collection` is not looked at.

    The address is a path or URL of a catalogue, a collection, an item or an item collection, or of a
    STAC API, one of its collections, items or searches. An API filters by box and time itself; the
    exact filter then runs over all that it sends.
    """
    query = query_without_collection
    href = url if is_remote(url) else local_path(url)
    with Reader() as reader:
        found = sift((record(e) for e in reach(reader, href, query) if e.item is not None), query)
        if found.funnel.collection == 0 and is_remote(href) and (query.bbox or query.timed):
            found = replace(found, funnel=_surroundings(reader, href, query) or found.funnel)
        return found


def reach(reader: Reader, href: str, query: Query | None = None, wanted: str | None = None) -> Iterator[Entry]:
    """All that is at a STAC address; an API sends only what the query wants (roughly: the sieve is exact).

    `wanted` is the one collection whose items are read, and the id for items that name none.
    """
    if is_remote(href) and _is_list(href):
        yield from listed(reader, href, None, _narrowed(href, query), wanted)
        return
    doc = reader.json(href)
    kind = kind_of(doc, href)
    if kind == "FeatureCollection" and is_remote(href):
        yield from listed(reader, href, None, wanted=wanted)
    elif kind == "Catalog" and (door := _door(doc, href)) is not None:
        yield from _searched(reader, door, query) if query is not None else _all(reader, doc, href, door, wanted)
    else:
        yield from walk(reader, href, doc, _narrowed("", query), wanted)


def _searched(reader: Reader, door: Door, query: Query | None, home: Json | None = None) -> Iterator[Entry]:
    for ask in door.asks(query):
        for at, page in reader.pages(door.url, door.method, ask):
            yield from features(page, at, home)


def _all(reader: Reader, landing: Json, href: str, door: Door, wanted: str | None) -> Iterator[Entry]:
    """Every collection of an API with its items, or those of the wanted one only."""
    for link in links(landing, "data")[:1]:
        listing = resolved(link["href"], href)
        for at, page in reader.pages(listing):
            for doc in page.get("collections") or []:
                if not isinstance(doc, dict) or not isinstance(doc.get("id"), str):
                    raise Problem("FileContentInvalid", f"{shown(at)} lists a collection without an id.")
                home = collection_of(doc, self_href(doc) or f"{listing.rstrip('/')}/{doc['id']}")
                yield Entry(home, None, shown(at))
                if wanted is None or wanted == doc["id"]:
                    yield from _searched(reader, replace(door, collections=(doc["id"],)), None, home)
        return
    yield from walk(reader, href, landing, _narrowed("", None), wanted)


def _door(landing: Json, href: str) -> Door | None:
    """Where the API with this landing page searches; None where it is no API that does."""
    offers = {str(link.get("method", "GET")).upper(): link["href"] for link in links(landing, "search")}
    sorts = any("#sort" in str(uri) for uri in landing.get("conformsTo") or [])
    for method in ("POST", "GET"):
        if method in offers:
            return Door(resolved(offers[method], href), method, sorts)
    return None


def _is_list(href: str) -> bool:
    return urlsplit(href).path.rstrip("/").endswith(("/items", "/search"))


def _narrowed(href: str, query: Query | None) -> list[Mapping[str, Any]]:
    """Parameters for a list of items; what the address says by itself stays as it says it."""
    said = parse_qs(urlsplit(href).query)
    asks = Door(href, "GET", sorts=False).asks(query)
    return [{name: value for name, value in ask.items() if name not in said} for ask in asks]


def _surroundings(reader: Reader, href: str, query: Query) -> Funnel | None:
    """The server's own counts without our time, without our box, and the dates around the wished time."""
    if _is_list(href):
        return None
    try:
        doc = reader.json(href)
        roots = [resolved(link["href"], href) for link in links(doc, "root")] if kind_of(doc, href) == "Collection" else []
        landing = reader.json(roots[0]) if roots else doc
        door = _door(landing, roots[0] if roots else href)
        if door is None:
            return None
        door = replace(door, collections=(doc["id"],)) if roots else door
        total, near = (_matched(reader, door, wish) for wish in (None, replace(query, start=None, end=None)))
        dates = _around(reader, door, query) if near and query.timed and door.sorts else ()
    except Problem:  # these are facts for a message: that the server does not give them is no failure
        return None
    return Funnel(total or near or 0, near or 0, 0, 0, dates)


def _matched(reader: Reader, door: Door, query: Query | None) -> int | None:
    counts = []
    for ask in door.asks(query, limit=1):
        page = reader.json(door.url, door.method, ask)
        counts.append(page.get("numberMatched", (page.get("context") or {}).get("matched")))
    return sum(counts) if all(isinstance(count, int) for count in counts) else None


def _around(reader: Reader, door: Door, query: Query) -> tuple[Any, ...]:
    """Up to 4 dates: the last before the wished time and the first after it."""
    away: dict[int, int] = {}
    for edge, wish, order in (
        (query.start, replace(query, start=None, end=query.start), "-properties.datetime"),
        (query.end, replace(query, start=query.end, end=None), "+properties.datetime"),
    ):
        for ask in door.asks(wish, limit=4, sortby=order) if edge is not None else ():
            for item in features(reader.json(door.url, door.method, ask), door.url, None):
                first, last = record(item).span
                away[last if order[0] == "-" else first] = abs((last if order[0] == "-" else first) - micros(edge))
    return tuple(moment(date) for date in sorted(away, key=lambda date: (away[date], date))[:4])
