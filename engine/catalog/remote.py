"""STAC by its address, whatever answers there: a STAC API that filters for us, or documents to walk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from engine.catalog.documents import bare, is_remote, links, local_path, record, resolved, self_href, shown
from engine.catalog.door import Door, door_of, is_list, narrowed
from engine.catalog.model import Entry, Found, Json, Query
from engine.catalog.reading import Reader
from engine.catalog.sieve import sift
from engine.catalog.static import collection_of, features, kind_of, listed, walk
from engine.catalog.surroundings import surroundings
from engine.catalog.vectors import is_plain, of_geojson
from engine.errors import Problem
from engine.http import GUARDED, Egress


def open_stac(url: str, query_without_collection: Query, egress: Egress = GUARDED) -> Found:
    """The items at a STAC address that the query wants; its `collection` is not looked at.

    The address is a path or URL of a catalogue, a collection, an item or an item collection, or of a
    STAC API, one of its collections, items or searches. An API filters by box and time itself; the
    exact filter then runs over all that it sends. On the web only what `egress` allows is asked.
    """
    query = query_without_collection
    href = url if is_remote(url) else local_path(url)
    with Reader(egress) as reader:
        found = sift((record(e) for e in reach(reader, href, query) if e.item is not None), query)
        if found.funnel.collection == 0 and is_remote(href) and (query.bbox is not None or query.timed):
            return replace(found, funnel=surroundings(reader, href, query) or found.funnel)
        return found


def open_files(paths: Iterable[Path], query: Query) -> Found:
    """What the query wants of the items in these files, and of those they lead to on this machine."""
    with Reader(GUARDED) as reader:
        entries = (entry for path in paths for entry in reach(reader, str(path), query))
        return sift((record(e) for e in entries if e.item is not None), query)


def reach(
    reader: Reader, href: str, query: Query | None = None, wanted: str | None = None, time: Sequence[str] = ()
) -> Iterator[Entry]:
    """All that is at a STAC address. An API sends only what touches the query, more or less.

    `wanted` is the one collection whose items are read, and the id for items that name none. Features in a file that
    are no items are taken as they are, unless there is a query; `time` names their properties that tell when they are.
    """
    if is_remote(href) and is_list(href):
        yield from _listed(reader, href, query, wanted, time)
        return
    doc = reader.json(href)
    kind = kind_of(doc, href)
    door = door_of(doc, href) if kind == "Catalog" else None
    if kind == "FeatureCollection" and (is_remote(href) or query is None):
        yield from _listed(reader, href, query, wanted, time)
    elif door is not None and query is not None:
        yield from _searched(reader, door, query)
    elif kind == "Catalog" and links(doc, "data"):
        yield from _all(reader, _collections(reader, doc, href), door, query, wanted)
    else:
        yield from walk(reader, href, doc, narrowed("", query), wanted)


def _listed(
    reader: Reader, href: str, query: Query | None, wanted: str | None, time: Sequence[str]
) -> Iterator[Entry]:
    """The items of a list, page by page; without a query also features that are no items."""
    if query is not None:
        yield from listed(reader, href, None, narrowed(href, query), wanted)
        return
    pages = reader.pages(href)
    first = next(pages)
    if is_plain(first[1]):
        yield from of_geojson((page for _, page in chain((first,), pages)), href, wanted, time)
        return
    home = bare(wanted) if wanted is not None else None
    for at, page in chain((first,), pages):
        yield from features(page, at, home)


def _searched(reader: Reader, door: Door, query: Query | None, home: Json | None = None) -> Iterator[Entry]:
    for ask in door.asks(query):
        for at, page in reader.pages(door.url, door.method, ask):
            yield from features(page, at, home)


def _all(
    reader: Reader,
    collections: Iterable[tuple[str, Json]],
    door: Door | None,
    query: Query | None,
    wanted: str | None,
) -> Iterator[Entry]:
    """Every collection of an API with its items; of the others only their names where one is wanted."""
    for href, doc in collections:
        if door is None:
            yield from walk(reader, href, doc, narrowed("", query), wanted)
            continue
        home = collection_of(doc, href)
        yield Entry(home, None, shown(href))
        if wanted is None or wanted == home["id"]:
            yield from _searched(reader, replace(door, collections=(home["id"],)), query, home)


def _collections(reader: Reader, landing: Json, href: str) -> Iterator[tuple[str, Json]]:
    """The collections that an API lists, each with its address."""
    listing = resolved(links(landing, "data")[0]["href"], href)
    for at, page in reader.pages(listing):
        found = page.get("collections")
        for doc in found if isinstance(found, list) else []:
            if not isinstance(doc, dict):
                raise Problem(
                    "FileContentInvalid", f"{shown(at)} lists {type(doc).__name__} among its collections."
                )
            listed_at = f"{listing.partition('?')[0].rstrip('/')}/{doc.get('id')}"
            yield self_href(doc, listed_at) or listed_at, doc
