"""What can be done to the catalogue, as values: items and collections written, changed and removed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from engine.catalog.model import Json

Check = Callable[[Json, Json], Json | None]
"""Looks at an item as it will be, and at its collection as it is stored; raises what is wrong, or gives the item as it
is to be kept (None: as it is)."""


class Mode(StrEnum):
    """What to do where there is one of that id already, or none."""

    CREATE = "create"
    """It has to be new."""
    REPLACE = "replace"
    """It has to be there."""
    UPSERT = "upsert"
    """Either."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes, and by which way."""

    actor: str = ""
    """Identifier of the account; empty: whoever runs the program."""
    source: str = "ingest"
    """The way: `ingest`, `transaction`, `publish`, `owner`, `result` and so on."""


@dataclass(frozen=True, slots=True)
class PutItem:
    """Write an item whole."""

    collection: str
    """Id of its collection, which has to be there."""
    item: Json
    """The STAC item; hrefs of its assets are absolute."""
    mode: Mode = Mode.UPSERT
    tag: str | None = None
    """The state that the item has to have (`Outcome.tag`); None: any."""
    check: Check | None = None
    live: bool = True
    """Is it news, and not old data that comes late?"""


@dataclass(frozen=True, slots=True)
class PatchItem:
    """Change members of an item (JSON merge patch, RFC 7396)."""

    collection: str
    id: str
    patch: Json
    tag: str | None = None
    check: Check | None = None


@dataclass(frozen=True, slots=True)
class RemoveItem:
    """Remove an item."""

    collection: str
    id: str
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class PutCollection:
    """Write a collection, or a catalogue of collections, whole; its items stay."""

    collection: Json
    """The STAC collection or catalogue."""
    mode: Mode = Mode.UPSERT
    owner: str = ""
    """Whose it is; its id is then `owner:name`. Empty: everybody may read it."""
    org: str | None = None
    """The organisation that publishes into it; None leaves what is there."""
    parents: tuple[str, ...] = ()
    """Ids of what it stands under, besides what it stands under already."""
    tag: str | None = None
    live: bool = True


@dataclass(frozen=True, slots=True)
class PatchCollection:
    """Change members of a collection (JSON merge patch, RFC 7396)."""

    id: str
    patch: Json
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class RemoveCollection:
    """Remove a collection with its items."""

    id: str
    tag: str | None = None


Change = PutItem | PatchItem | RemoveItem | PutCollection | PatchCollection | RemoveCollection


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a change did."""

    event: str
    """`created`, `updated` or `deleted`."""
    collection: str
    """Id of the collection."""
    item: str | None
    """Id of the item; None where the change was one of the collection."""
    doc: Json
    """The document as it is now, or was before it went."""
    tag: str
    """Names this state of it; no other state, earlier or later, has the same."""
    seq: int
    """Number of its event in the outbox."""
    left: tuple[str, ...] = ()
    """Hrefs of assets that the item, or an owner's collection with its items, had before and has no more."""


def full_id(owner: str, name: str) -> str:
    """What all the world calls a collection that its owner calls so."""
    return f"{owner}:{name}" if owner else name
