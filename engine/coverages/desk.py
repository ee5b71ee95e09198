"""Coverages for users: what there is of a collection, found out once, and what is wanted of it, as a graph."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

from engine.catalog.model import has_features
from engine.coverages import graph
from engine.coverages.plan import Plan, plan, restricted
from engine.coverages.source import CATEGORY, Source, described, id_of, is_offered, process_of, source_of
from engine.coverages.wish import Wish
from engine.domain.model import Domain
from engine.errors import Problem
from engine.hub import Hub
from engine.jobs.belongings import belongings
from engine.jobs.shared import Share, Shared
from engine.jobs.sync import Sync, Ticket
from engine.jobs.task import Task
from engine.records import User
from engine.settings import Settings
from engine.store import Store

VISITOR = User("@visitor", "Somebody who did not log in", frozenset())
"""Runs what those ask for who did not log in; no account can be called so."""
KEPT = 256
"""Domains that are kept."""
FRESH = 3600.0
"""Seconds for which one is good, unless something happens to the collection."""
CLASSES = ("classification:classes", "classification:bitfields")
"""What the metadata of bands tell of those whose numbers stand for classes."""
Key = tuple[str, str, str]
"""Whose eyes see it, the collection, and the version of the process that makes it."""


@dataclass(frozen=True, slots=True)
class Found:
    """A domain that was found out."""

    domain: Domain
    event: int
    """Number of the catalogue's latest event before that: nothing happened to the collection since."""
    moment: float
    """When, by a clock that only goes forward."""
    narrow: bool = True
    """Do its items tell where and when they are, and lie on one grid, as far as anybody knows?"""


class Coverages:
    """What there is of collections, as coverages."""

    def __init__(self, settings: Settings, store: Store, sync: Sync, hub: Hub) -> None:
        self._settings = settings
        self._store = store
        self._sync = sync
        self._hub = hub
        self._shared = Shared()
        self._lock = Lock()
        self._known: OrderedDict[Key, Found] = OrderedDict()

    def known(self, user: User | None, collection: str) -> Domain | None:
        """The domain of a collection, where it was found out lately.

        Raises:
            Problem: There is no such collection, for this user.
        """
        return self._domain(user, self.source(user, collection))

    def _domain(self, user: User | None, source: Source) -> Domain | None:
        catalog, key = self._hub.seen_by(user), key_of(user, source)
        with self._lock:
            found = self._known.get(key)
        if found is None or time.monotonic() - found.moment > FRESH:
            return None
        now = catalog.last_event()
        if now != found.event:
            if catalog.has_news(source.collection, found.event):
                return None
            with self._lock:
                self._known[key] = replace(found, event=now)
        return found.domain

    def source(self, user: User | None, collection: str) -> Source:
        """What a collection is made of.

        Raises:
            Problem: There is no such collection, for this user, or it is no coverage.
        """
        return source_of(self._store, self._hub.seen_by(user), user, collection)

    def offered(self, user: User | None) -> list[dict[str, Any]]:
        """The stored processes that are offered as collections, as STAC has them."""
        catalog = self._hub.seen_by(user)
        marked = self._store.processes.marked(f'"{CATEGORY}"')
        stored = [p for p in marked if is_offered(p, user) and not catalog.has(id_of(p))]
        return [found for process in stored if (found := described(process, catalog)) is not None]

    def described(self, user: User | None, collection: str) -> dict[str, Any] | None:
        """A collection that a stored process makes, as STAC has it; none where it is no such one.

        Raises:
            Problem: The process is no coverage: why.
        """
        process = process_of(self._store, self._hub.seen_by(user), user, collection)
        if process is None:
            return None
        self.source(user, collection)
        return described(process, self._hub.seen_by(user))

    def survey(self, user: User | None, collection: str) -> Share:
        """Find out the domain of a collection; all who want it at a time share one run.

        Raises:
            Problem: There is no such collection, for this user, or too much to do already.
        """
        catalog, runner, source = self._hub.seen_by(user), user or VISITOR, self.source(user, collection)
        document, event = catalog.collection(source.collection), catalog.last_event()
        if has_features(document):
            raise Problem(
                "NotFound",
                f"collection {source.collection!r} holds features, and is no coverage",
                hint=f"Read them at /collections/{source.collection}/items.",
            )
        key = key_of(user, source)

        def begin() -> Ticket:
            process = graph.whole(source)
            own = belongings(self._store, self._settings, runner, process)
            task = Task("domain", process, self._settings.of_user(runner.id), own)
            return self._sync.take(runner.id, task)

        def done(domain: Domain) -> None:
            with self._lock:
                self._known[key] = Found(with_classes(domain, document), event, time.monotonic())
                while len(self._known) > KEPT:
                    self._known.popitem(last=False)

        return self._shared.take((*key, event), begin, done, lambda _: None)

    def found(self, user: User | None, collection: str) -> Domain:
        """The domain of a collection as it was just found out, whatever happened since."""
        key = key_of(user, self.source(user, collection))
        with self._lock:
            found = self._known.get(key)
        if found is None:
            raise changed(collection)
        return found.domain

    def narrowed(self, domain: Domain, wish: Wish) -> Domain | None:
        """What a request leaves of a domain; none where nothing is.

        Raises:
            Problem: The request does not fit the domain.
        """
        return restricted(domain, wish)

    def plan(self, user: User | None, collection: str, domain: Domain, wish: Wish, form: str) -> Plan | None:
        """The graph that gives what is asked for, in one of `FORMS`; none where nothing of it is there.

        Raises:
            Problem: The request does not fit the domain, or is for too much.
        """
        return self._plan(user, self.source(user, collection), domain, wish, form)

    def plan_of_known(
        self, user: User | None, collection: str, wish: Wish, form: str
    ) -> tuple[bool, Plan | None]:
        """Was the domain of a collection found out lately, and the plan over it, as `plan`.

        Raises:
            Problem: As `known` and `plan`.
        """
        source = self.source(user, collection)
        domain = self._domain(user, source)
        return (False, None) if domain is None else (True, self._plan(user, source, domain, wish, form))

    def _plan(self, user: User | None, source: Source, domain: Domain, wish: Wish, form: str) -> Plan | None:
        with self._lock:
            found = self._known.get(key_of(user, source))
        narrow = found is None or found.narrow
        return plan(source, domain, wish, form, self._settings.max_coverage_bytes, narrow=narrow)

    def forget(self, user: User | None, collection: str) -> None:
        """What was found out of a collection is not so (any more): it is found out anew."""
        with self._lock:
            self._known.pop(key_of(user, self.source(user, collection)), None)

    def look_wide(self, user: User | None, collection: str) -> None:
        """From now on look through all of a collection: its items do not tell where they are, or lie on several grids."""
        key = key_of(user, self.source(user, collection))
        with self._lock:
            if (found := self._known.get(key)) is not None:
                self._known[key] = replace(found, narrow=False)


def key_of(user: User | None, source: Source) -> Key:
    """What a domain is kept under."""
    return (user or VISITOR).id, source.id, source.state


def changed(collection: str) -> Problem:
    """The refusal where a collection changes while it is looked at."""
    return Problem("InfrastructureBusy", f"the collection {collection!r} has just changed", hint="Ask again.")


def with_classes(domain: Domain, document: Mapping[str, Any]) -> Domain:
    """The domain, with those fields marked whose numbers stand for classes, as the collection tells it."""
    marked = classified_bands(document)
    fields = tuple(replace(field, classified=field.name in marked) for field in domain.fields)
    return replace(domain, fields=fields)


def classified_bands(document: Mapping[str, Any]) -> set[str]:
    """The names of bands that hold classes."""
    found: set[str] = set()
    assets = document.get("item_assets")
    for key, asset in assets.items() if isinstance(assets, Mapping) else ():
        given = [asset.get(name) for name in ("bands", "raster:bands")] if isinstance(asset, Mapping) else []
        bands = [
            band
            for listed in given
            if isinstance(listed, list)
            for band in listed
            if isinstance(band, Mapping)
        ]
        if given and any(name in asset for name in CLASSES):
            found |= {str(key), *(str(band.get("name")) for band in bands)}
        marked = [band for band in bands if any(name in band for name in CLASSES)]
        found |= {str(band.get("name") or key) for band in marked}
    return found
