"""Walks STAC by its links: catalogues, collections, items and item collections, on disk or on the web."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from engine.catalog.documents import (
    anchored,
    bare,
    checked_collection,
    is_remote,
    links,
    resolved,
    self_href,
    shown,
)
from engine.catalog.model import Entry, Json
from engine.catalog.reading import Reader
from engine.errors import Problem

KINDS = ("Catalog", "Collection", "Feature", "FeatureCollection")
OF_THE_TREE = frozenset(
    ("root", "parent", "self", "child", "item", "items", "collection", "prev", "next", "data", "search")
)
"""Links that say where a document stands in the tree it came from, which is not ours."""

EVERYTHING: tuple[Mapping[str, Any], ...] = ({},)
"""What to ask of a server's list of items, where no box and no time is wished."""


def walk(
    reader: Reader,
    href: str,
    doc: Json,
    asks: Sequence[Mapping[str, Any]] = EVERYTHING,
    wanted: str | None = None,
) -> Iterator[Entry]:
    """All collections and items that can be reached from `doc`, which was read from `href`.

    An item belongs to the collection it stands under, else to `wanted`, else to the one it names.
    Items of collections other than the wanted one are not read. Each document is read once, so that
    circles of links end. `asks` are the parameters for lists of items on a server.
    """
    seen = {href}
    loose = bare(wanted) if wanted is not None else None
    todo: list[tuple[str, Json, Json | None]] = [(href, doc, loose)]
    while todo:
        here, doc, home = todo.pop()
        kind = kind_of(doc, here)
        if kind == "Feature":
            yield entry(doc, here, home)
            continue
        if kind == "FeatureCollection":
            yield from features(doc, here, home)
            continue
        if kind == "Collection":
            home = collection_of(doc, here)
            yield Entry(home, None, shown(here))
        if wanted is None or (home or {}).get("id") == wanted:
            below = _unseen(links(doc, "item"), here, seen)
            yield from (entry(item, at, home, doc) for at, item in reader.many(below))
            for link in _unseen(links(doc, "items"), here, seen):
                yield from listed(reader, link, home, asks)
        children = reader.many(_unseen(links(doc, "child"), here, seen))
        todo.extend(reversed([(at, child, home) for at, child in children]))


def listed(
    reader: Reader,
    href: str,
    home: Json | None,
    asks: Sequence[Mapping[str, Any]] = EVERYTHING,
    wanted: str | None = None,
) -> Iterator[Entry]:
    """The items of a list on a server (or in a file), page by page to the end."""
    home = bare(wanted) if home is None and wanted is not None else home
    for ask in asks:
        for at, page in reader.pages(href, parameters=ask if is_remote(href) else None):
            yield from features(page, at, home)


def features(page: Json, href: str, home: Json | None) -> Iterator[Entry]:
    """The items of one page or item collection."""
    found = page.get("features")
    if not isinstance(found, list):
        raise Problem(
            "FileContentInvalid",
            f"{shown(href)} should be an item collection, but its features are {type(found).__name__}, not a list.",
        )
    for item in found:
        at = self_href(item, href) if isinstance(item, dict) else None
        yield entry(item, at or href, home, page, href)


def entry(item: Any, href: str, home: Json | None, above: Json | None = None, where: str = "") -> Entry:
    """An item with the collection it belongs to; its hrefs count from `href`."""
    told = shown(where or href)
    if not isinstance(item, dict):
        return Entry(home or bare("?"), item, told)
    placed = anchored(item, href)
    if not where and not links(placed, "self"):  # read from a document of its own
        placed["links"] = [
            *placed.get("links", []),
            {"rel": "self", "href": href, "type": "application/geo+json"},
        ]
    return Entry(home or bare(_own_collection(item, href, above)), placed, told)


def kind_of(doc: Json, href: str) -> str:
    """`Catalog`, `Collection`, `Feature` or `FeatureCollection`; anything else is refused."""
    kind = doc.get("type")
    if kind is None and "stac_version" in doc and "links" in doc:  # STAC before 1.0 has no type here
        kind = "Collection" if "extent" in doc else "Catalog"
    if kind not in KINDS:
        raise Problem(
            "FileContentInvalid",
            f"{shown(href)} is no STAC document: its type is {kind!r}, which should be one of {', '.join(KINDS)}.",
            facts={"href": shown(href), "type": str(kind)},
        )
    return str(kind)


def collection_of(doc: Json, href: str) -> Json:
    """The collection with absolute hrefs, without links into its old tree, with one back to its source."""
    out = checked_collection(anchored(doc, href), shown(href))
    kept = [
        link for link in out.get("links", []) if isinstance(link, dict) and link.get("rel") not in OF_THE_TREE
    ]
    source = {"rel": "via", "href": href, "type": "application/json"}
    return {**out, "links": [link for link in kept if link.get("href") != href] + [source]}


def _own_collection(item: Json, href: str, above: Json | None) -> str:
    named = item.get("collection") or (above or {}).get("id")
    return str(named) if named else PurePosixPath(urlsplit(href).path).stem or "items"


def _unseen(found: list[Json], start: str, seen: set[str]) -> list[str]:
    fresh = [href for link in found if (href := resolved(link["href"], start)) not in seen]
    fresh = list(dict.fromkeys(fresh))
    seen.update(fresh)
    return fresh
