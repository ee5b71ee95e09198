"""Where a published document goes: into which collection, under which parents, by which change of the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, insert, select

from engine.catalog import Author, Change, Mode, PutCollection, PutItem, readable_by
from engine.catalog.apply import apply, put_items
from engine.catalog.tables import COLLECTIONS, PARENTS
from engine.catalog.tree import ancestors
from engine.errors import Problem
from engine.events.messages import Message, linked, unsound
from engine.events.rights import Standing
from engine.hub import check_assets

SOURCE = "publish"


class Awaited(Exception):  # noqa: N818 (it is no fault)
    """What a document belongs to is not there yet."""

    def __init__(self, id_: str) -> None:
        super().__init__(id_)
        self.id = id_
        """Id of the collection or catalogue."""


def place(connection: Connection, standing: Standing, message: Message) -> int:
    """Write a published document; gives the number of its event.

    Raises:
        Awaited: It has to wait.
        Problem: It may not be written there, or is not sound.
    """
    if message.kind == "Item":
        return _place_item(connection, standing, message)
    return _place_collection(connection, standing, message)


def place_items(connection: Connection, standing: Standing, messages: Sequence[Message]) -> list[int]:
    """Write published items of one collection, of different ids; gives the numbers of their events.

    Raises:
        Awaited: They have to wait.
        Problem: They may not be written there, or one is not sound.
    """
    home = _home(connection, standing, messages[0])
    for message in messages:
        check_assets(PutItem(home.id, message.data), "publish")
    items = [message.data for message in messages]
    author = Author(standing.user.id, SOURCE)
    return put_items(connection, home.id, items, author, live=messages[0].live)


def stub(connection: Connection, standing: Standing, message: Message) -> None:
    """Make the collection of an item that waits for it, where the parent is the publisher's.

    Raises:
        Problem: The publisher may not.
    """
    parent = _found(connection, standing, message.parent)
    home = message.home
    if message.kind != "Item" or parent is None or home is None or parent.org not in standing.own:
        raise Problem("CollectionNotFound", f"{message.home or message.parent!r} did not come in time")
    if _found(connection, standing, home) is None:
        words = f"Items that were published without their collection, under {parent.id}."
        bare = {"type": "Collection", "id": home, "description": words}
        _write(connection, standing, PutCollection(bare, Mode.CREATE, org=standing.org, parents=(parent.id,)))


def _place_item(connection: Connection, standing: Standing, message: Message) -> int:
    home = _home(connection, standing, message)
    return _write(connection, standing, PutItem(home.id, message.data, Mode.UPSERT, live=message.live))


def _home(connection: Connection, standing: Standing, message: Message) -> Any:
    """The collection of an item, put under the parent that the message names."""
    if message.home is None:
        raise unsound("an item names its collection, or has it as active_parent")
    home = _found(connection, standing, message.home)
    if home is None:
        raise Awaited(message.home)
    _demand(standing, home)
    if home.kind != "collection":
        raise unsound(f"{message.home!r} is a catalogue; items are in collections")
    if message.parent not in (None, message.home):
        parent = _found(connection, standing, message.parent)
        if parent is not None and standing.may_write(parent):
            _hang(connection, parent, home)
    return home


def _place_collection(connection: Connection, standing: Standing, message: Message) -> int:
    stored = _found(connection, standing, message.id)
    if stored is not None:
        _demand(standing, stored)
        if stored.kind != message.kind.lower():
            raise Problem("AlreadyExists", f"{message.id!r} is a {stored.kind} already")
    parents = _parents(connection, standing, message, stored)
    owner, name = ("", message.id) if stored is None else (stored.owner, stored.name)
    change = PutCollection(
        {**message.data, "id": name}, Mode.UPSERT, owner, standing.org if stored is None else None,
        parents, live=message.live,
    )  # fmt: skip
    seq = _write(connection, standing, change)
    written = connection.execute(select(COLLECTIONS).where(COLLECTIONS.c.id == message.id)).one()
    for id_ in linked(message.data, "child"):
        child = _found(connection, standing, id_)
        if child is not None and standing.may_write(child):
            _hang(connection, written, child)
    return seq


def _parents(connection: Connection, standing: Standing, message: Message, stored: Any) -> tuple[str, ...]:
    """Ids of what a collection is put under: the parent, and what its links of that kind lead to."""
    found = []
    if message.parent is not None:
        parent = _found(connection, standing, message.parent)
        if parent is None:
            raise Awaited(message.parent)
        if parent.id == message.id or (stored is not None and _is_over(connection, stored, parent)):
            raise unsound(f"{message.id!r} would stand under itself")
        _demand(standing, parent)
        found.append(parent.id)
    for id_ in linked(message.data, "parent"):
        parent = _found(connection, standing, id_)
        if parent is None or parent.id == message.id or not standing.may_write(parent):
            continue
        if stored is None or not _is_over(connection, stored, parent):
            found.append(parent.id)
    return tuple(dict.fromkeys(found))


def _hang(connection: Connection, parent: Any, child: Any) -> None:
    """Put one collection under another, unless it is there, or a circle would arise."""
    if parent.pk == child.pk or parent.id in ancestors(connection, child.pk):
        return
    if not _is_over(connection, child, parent):
        connection.execute(insert(PARENTS).values(child=child.pk, parent=parent.pk))


def _is_over(connection: Connection, one: Any, other: Any) -> bool:
    """Does one collection stand over another?"""
    return one.id in ancestors(connection, other.pk)


def _found(connection: Connection, standing: Standing, id_: str | None) -> Any:
    """The row of a collection, as far as the publisher may know of it."""
    if id_ is None:
        return None
    row = connection.execute(select(COLLECTIONS).where(COLLECTIONS.c.id == id_)).one_or_none()
    user = standing.user
    if row is None or not readable_by(user.id, user.roles).allows(row.owner, row.id):
        return None
    return row


def _demand(standing: Standing, collection: Any) -> None:
    if not standing.may_write(collection):
        raise Problem(
            "PermissionsInsufficient",
            f"{collection.id!r} is not a collection of {standing.org!r}",
            hint="Publish into your own, or into those of an organisation you publish for.",
        )


def _write(connection: Connection, standing: Standing, change: Change) -> int:
    check_assets(change, "publish")
    return apply(connection, change, Author(standing.user.id, SOURCE)).seq
