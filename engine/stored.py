"""Addresses of objects in the server's own storage, as the catalogue keeps them, wherever the server is reached."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote

SCHEME = "gdc-storage://"
"""What such an address begins with; a path follows."""
DOOR = "/api/data/v0/storage/"
"""Where clients find the storage, below the server's address."""
OBJECTS = "storage"
"""What the storage is called in the database."""
OF_PROJECTS = "@project"
"""Whose collections hold the items of projects; no account can be called so."""
Json = dict[str, Any]


def stored(path: str) -> str:
    """The address of an object, as the catalogue keeps it."""
    return SCHEME + quote(path)


def path_of(href: str, bases: tuple[str, ...] = ()) -> str | None:
    """The path of an object by its address: as it is kept, or below one of the server's addresses; else None.

    An address without TLS is one of the server's only where the server itself is reached so.
    """
    if href.startswith(SCHEME):
        return unquote(href.removeprefix(SCHEME))
    for base in bases:
        door = base.rstrip("/") + DOOR
        if href.startswith(door) and "?" not in href and "#" not in href:
            return unquote(href.removeprefix(door))
    return None


def collection_of(path: str) -> str | None:
    """Id of the collection that an object belongs to, by its path; None for other paths."""
    kind, _, rest = path.partition("/")
    name = rest.partition("/")[0]
    if kind == "catalog" and name:
        return name
    if kind == "owned":
        owner, _, more = rest.partition("/")
        collection = more.partition("/")[0]
        return f"{owner}:{collection}" if owner and collection else None
    return f"{OF_PROJECTS}:{name}" if kind == "project" and name else None


def owned_path(owner: str, collection: str, item: str, file: str) -> str:
    """The path of an object of an item in a collection of an owner."""
    return "/".join(("owned", owner, collection, item.replace("/", "_"), file))


def mapped(doc: Json, change: Callable[[str], str]) -> Json:
    """A STAC document with the hrefs of its assets changed."""
    assets = doc.get("assets")
    if not isinstance(assets, dict):
        return doc
    moved = {
        key: {**asset, "href": change(asset["href"])}
        if isinstance(asset, dict) and "href" in asset
        else asset
        for key, asset in assets.items()
    }
    return {**doc, "assets": moved}


def public(doc: Json, base: str) -> Json:
    """A STAC document whose assets in the storage have addresses below the server's."""

    def shown(href: str) -> str:
        path = path_of(href)
        return href if path is None else base.rstrip("/") + DOOR + quote(path)

    return mapped(doc, shown)


def internal(doc: Json, bases: tuple[str, ...]) -> Json:
    """A STAC document whose assets in the storage have addresses as the catalogue keeps them."""

    def kept(href: str) -> str:
        path = path_of(href, bases) if isinstance(href, str) else None
        return href if path is None else stored(path)

    return mapped(doc, kept)
