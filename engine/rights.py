"""Who may read and write which objects: those who may so the collection or the project that these belong to."""

from __future__ import annotations

from engine.hub import Hub, may_write
from engine.objects import checked
from engine.records import User
from engine.stored import OF_PROJECTS, collection_of, stored

WRITERS = frozenset({"admin", "storage_write"})
READERS = WRITERS | {"storage_read"}
"""Roles that write, or read, the objects of all collections."""
TESTING = "--qa"
"""Behind the name of a collection that is tried out; its objects are those of the one without."""


class Rights:
    """Rights to objects, by the collections of the catalogue. Paths that can be no names are refused."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def may_write(self, user: User, path: str) -> bool:
        """May the user store and remove an object of this name? Its collection may come later."""
        name = checked(path)
        collection = collection_of(name)
        if collection is None or name.count("/") < 2:
            return False
        if collection.startswith(f"{OF_PROJECTS}:"):
            return self._works_in(user, collection)
        if not WRITERS.isdisjoint(user.roles):
            return True
        return any(self._may_write(user, id_) for id_ in (collection, collection + TESTING))

    def may_read(self, user: User, path: str) -> bool:
        """May the user read an object of this name, whether it is there or not? Pictures are for all who know the item."""
        if self.may_write(user, path) or not READERS.isdisjoint(user.roles):
            return True
        name = checked(path)
        collection = collection_of(name)
        if collection is None or collection.startswith(f"{OF_PROJECTS}:"):
            return False
        catalog = self._hub.seen_by(user)
        return catalog.allows_data(collection) or catalog.is_picture(stored(name))

    def _works_in(self, user: User, collection: str) -> bool:
        return "admin" in user.roles or self._hub.seen_by(user).readable.allows(OF_PROJECTS, collection)

    def _may_write(self, user: User, id_: str) -> bool:
        if self._hub.has(id_):
            owner, name = self._hub.owner_of(id_)
        else:
            owner, _, name = id_.rpartition(":")
        return may_write(user, owner, name)
