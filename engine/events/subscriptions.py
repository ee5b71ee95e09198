"""Subscriptions: which events are of a package, for whoever may have it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from engine.access import readable_of
from engine.catalog import Event, Readable, Search
from engine.catalog.filters import Filter
from engine.errors import Problem
from engine.events.desk import Desk
from engine.events.filters import Condition, checked, matches, read
from engine.packages import Package
from engine.records import User
from engine.settings import Settings


@dataclass(frozen=True, slots=True)
class Subscription:
    """A package as one user has it."""

    package: Package
    readable: Readable

    def wants(self, event: Event) -> bool:
        """Is the event news of an item of the package, which the user may read?"""
        return (
            event.live
            and event.kind == "Item"
            and event.doc is not None
            and self.readable.allows(event.owner, event.collection)
            and is_under(event, self.package.collections)
            and (self.package.filter is None or matches(self.package.filter, event.doc))
        )


class Packages:
    """The packages of a server.

    Raises:
        Problem: The condition of one of them is none.
    """

    def __init__(self, desk: Desk, settings: Settings) -> None:
        self._desk = desk
        self._settings = settings
        self._packages = {package.name: package for package in settings.packages}
        for package in self._packages.values():
            if package.filter is not None:
                checked(package.filter)

    def of(self, user: User, name: str) -> Subscription:
        """A package for a user.

        Raises:
            Problem: There is none of that name, or it is not for the user.
        """
        package = self._packages.get(name)
        if package is None:
            raise Problem("NotFound", f"there is no package {name[:100]!r}")
        if package.members is not None and user.id not in package.members and "admin" not in user.roles:
            raise Problem("PermissionsInsufficient", f"the package {name!r} is not for you")
        return Subscription(package, readable_of(self._settings, user))

    def search(self, package: Package, **wish: Any) -> Search:
        """A search for items of a package."""
        homes = None if package.collections is None else tuple(self._desk.catalog.under(package.collections))
        return Search(collections=homes, filters=compiled(package.filter), **wish)


def is_under(event: Event, ids: Iterable[str] | None) -> bool:
    """Is the event about one of these collections, or about one under them? None: all."""
    return ids is None or not {event.collection, *event.parents}.isdisjoint(ids)


def compiled(condition: Condition | None) -> tuple[Filter, ...]:
    """A condition as searches have it."""
    return () if condition is None else (read(condition),)
