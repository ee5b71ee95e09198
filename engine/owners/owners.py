"""The catalogue of owners: which collections are meant, who may do what with them, and changes with their files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from engine.catalog import (
    Catalog,
    Hit,
    Home,
    Mode,
    Outcome,
    PutCollection,
    PutItem,
    RemoveCollection,
    RemoveItem,
    Search,
)
from engine.database import Away
from engine.errors import Problem
from engine.hub import Hub, may
from engine.owners.assets import Parcel, folder_of, packed, remove_all, store_of, unpacked
from engine.owners.documents import collection_of, home_meant, item_of, moment, refused
from engine.records import User
from engine.settings import Settings
from processes.cubes.exchange import merge_patch

Json = dict[str, Any]
SOURCE = "owner"
SERVER = User("", roles=frozenset({"admin"}))
"""Who removes what has expired."""
AT_ONCE = 500
RACED = ("PreconditionFailed", "AlreadyExists")
ATTEMPTS = 5
"""How often a change is begun again because somebody else was faster."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An item as somebody wants it."""

    id: str
    make: Callable[[Json | None], Any]
    """Gives the item as it comes, from how it was until now."""
    mode: Mode
    tag: str | None = None
    """The state that it has to have."""


class Owners:
    """The catalogue of owners, for users."""

    def __init__(self, settings: Settings, hub: Hub) -> None:
        self._settings, self._hub = settings, hub
        self.store = store_of(settings)
        """Where files of items lie; None: items bring none along, and their assets stay what they are."""

    # ------------------------------------------------------------------------------- what there is
    def catalog(self, user: User, *actions: str) -> Catalog:
        """The collections of owners, as far as a user may do any of these with them; without any, read them."""
        return self._hub.owned(user, *actions)

    def home(self, user: User, called: str, *actions: str, owner: str | None = None) -> Home:
        """The collection that a user means: by `owner:name`, or by the name of one's own or the only one there is.

        Args:
            user: Who asks.
            called: What the collection is called.
            actions: What the user may do with it, one of these; without any, read it.
            owner: Whose it is, where that is told.

        Raises:
            Problem: There is none that the user may do this with, or several that may be meant.
        """
        if owner is not None:
            called = f"{owner}:{called.removeprefix(f'{owner}:')}"
        found = [h for h in self.catalog(user, *actions).homes(called) if called in (h.id, h.name)]
        best = best_of(found, user, called)
        if not best:
            raise Problem("CollectionNotFound", f"there is no collection {called!r}", facts={"id": called})
        if len(best) > 1:
            raise ambiguous(called, best, "CollectionNotFound")
        return best[0]

    def searched(self, user: User, names: Sequence[str]) -> tuple[str, ...]:
        """Ids of the collections that a search names, also as `owner_name`; what is not there is left out.

        Raises:
            Problem: Several may be meant by a name.
        """
        catalog, found = self.catalog(user), []
        for called in names:
            best = best_of(catalog.homes(called), user, called)
            if len(best) > 1:
                raise ambiguous(called, best, "ParameterInvalid")
            found += [home.id for home in best]
        return tuple(dict.fromkeys(found))

    def within(self, user: User, home: Home, wish: Search) -> Search:
        """The search kept to one collection; where it names only others, it finds nothing."""
        named = wish.collections is None or home.id in self.searched(user, wish.collections)
        return replace(wish, collections=(home.id,) if named else ())

    # ------------------------------------------------------------------------------- collections
    def create_collection(self, user: User, body: Mapping[str, Any]) -> tuple[Home, Outcome]:
        """Make a collection; its owner is who makes it, unless it says otherwise."""
        home = home_meant(body, user.id)
        change = PutCollection(collection_of(body, home), Mode.CREATE, home.owner)
        return home, self._hub.apply(user, [change], SOURCE)[0]

    def replace_collection(
        self, user: User, home: Home, body: Mapping[str, Any], tag: str | None = None
    ) -> Outcome:
        """Replace a collection; its items stay."""
        if body.get("id", home.name) not in (home.name, home.id, home.joined):
            raise refused(f"the collection's id {str(body['id'])[:80]!r} is not that of the address")
        if body.get("owner", home.owner) != home.owner:
            raise refused(f"the collection's owner {str(body['owner'])[:80]!r} is not that of the address")
        change = PutCollection(collection_of(body, home), Mode.REPLACE, home.owner, tag=tag)
        return self._hub.apply(user, [change], SOURCE)[0]

    def remove_collection(self, user: User, home: Home, tag: str | None = None) -> None:
        """Remove a collection with its items and their files."""
        self._hub.apply(user, [RemoveCollection(home.id, tag)], SOURCE)

    # ------------------------------------------------------------------------------- items
    def put_items(
        self, user: User, home: Home, bodies: Sequence[Any], mode: Mode, tag: str | None = None
    ) -> list[Outcome]:
        """Write items with their files, all of them or none.

        Raises:
            Problem: The user may not; or one of them is there already, or is not there, or is not sound, or brings
                files along that are not where they have to be.
        """
        wanted = [Wanted(id_of(body), lambda _, body=body: body, mode, tag) for body in bodies]  # type: ignore[misc]
        if len({w.id for w in wanted}) < len(wanted):
            raise refused("an item comes twice")
        return self._written(user, home, wanted)

    def patch_item(
        self, user: User, home: Home, id_: str, patch: Json, tag: str | None = None
    ) -> list[Outcome]:
        """Change members of an item (JSON merge patch, RFC 7396)."""

        def patched(stored: Json | None) -> Any:
            return {**merge_patch(stored, patch), "id": id_, "collection": home.id}

        return self._written(user, home, [Wanted(id_, patched, Mode.REPLACE, tag)])

    def remove_item(self, user: User, home: Home, id_: str, tag: str | None = None) -> None:
        """Remove an item with its files."""
        self._hub.apply(user, [RemoveItem(home.id, id_, tag)], SOURCE)

    def expire(self) -> int:
        """Remove items whose time is over, with their files; says how many."""
        count, catalog = 0, self.catalog(SERVER)
        while hits := catalog.expired(moment(datetime.now(UTC)), AT_ONCE):
            gone = sum(self._expired(hit) for hit in hits)
            count += gone
            if not gone:
                break
        return count

    def _expired(self, hit: Hit) -> bool:
        try:
            self.remove_item(SERVER, home_of(hit), hit.doc["id"], hit.tag)
        except Problem as problem:  # somebody changed or removed it meanwhile
            if problem.code not in ("PreconditionFailed", "ItemNotFound", "CollectionNotFound"):
                raise
            return False
        return True

    def address(self, user: User, home: Home, item: str, key: str) -> tuple[str, bool]:
        """Where the file of an asset is, and whether it is in the catalogue's own storage.

        Raises:
            Problem: The user may not fetch it, or there is none.
        """
        self._demand(user, "download", home)
        asset = self.catalog(user, "read", "download").item(home.id, item).doc["assets"].get(key)
        if asset is None:
            raise Problem("NotFound", f"item {item!r} has no asset {key!r}")
        return asset["href"], self.keeps(home, item, asset["href"])

    def keeps(self, home: Home, item: str, href: str) -> bool:
        """Is it a file of this item, in the catalogue's own storage?"""
        return self.store is not None and self.store.is_kept(href, folder_of(home, item))

    def discard(self, outcome: Outcome) -> None:
        """Remove files that a change left without anything that refers to them; it may have come any way."""
        owner, _, name = outcome.collection.partition(":")
        if self.store is not None and name:
            within = folder_of(Home(outcome.collection, owner, name), outcome.item)
            remove_all(self.store, [href for href in outcome.left if self.store.is_kept(href, within)])

    # ------------------------------------------------------------------------------- within
    def _written(self, user: User, home: Home, wanted: Sequence[Wanted]) -> list[Outcome]:
        self._demand(user, "write", home)
        for attempt in range(ATTEMPTS):
            try:
                return self._attempt(user, home, wanted)
            except Problem as problem:  # the item was written or removed since it was looked at
                raced = problem.code in RACED and all(w.tag is None for w in wanted)
                if any(w.mode is Mode.CREATE for w in wanted) or not raced or attempt == ATTEMPTS - 1:
                    raise
        raise AssertionError

    def _attempt(self, user: User, home: Home, wanted: Sequence[Wanted]) -> list[Outcome]:
        """Copy files, write items, remove the uploads: what ends in between leaves copies that nobody refers to."""
        stored = self._stored(user, home, [w.id for w in wanted])
        for one in wanted:
            demand_state(one, stored.get(one.id), home)
        parcels = self._packed(home, wanted, stored)
        copies: dict[str, str] = {}
        try:
            items = [unpacked(self.store, home, p, copies) if self.store else p.item for p in parcels]
        except BaseException:
            self._remove(copies)
            raise
        changes = []
        for item in items:
            before = stored.get(item["id"])
            mode = Mode.CREATE if before is None else Mode.REPLACE
            changes.append(PutItem(home.id, item, mode, before.tag if before else None))
        try:
            outcomes = self._hub.apply(user, changes, SOURCE)
        except Problem as problem:
            if not isinstance(problem, Away):  # then nobody knows whether it was written
                self._remove(copies)
            raise
        self._remove(copies.values())
        return outcomes

    def _packed(self, home: Home, wanted: Sequence[Wanted], stored: Mapping[str, Hit]) -> list[Parcel]:
        now, parcels, faults = datetime.now(UTC), [], []
        for one in wanted:
            before = stored[one.id].doc if one.id in stored else None
            item = item_of(one.make(before), home, before, self._settings.owner_days, now)
            if self.store is None:
                parcels.append(Parcel(item, {}))
                continue
            parcel, found = packed(self.store, home, item, before)
            parcels.append(parcel)
            faults += [f"{fault} (item {one.id!r})" if len(wanted) > 1 else fault for fault in found]
        if faults:
            raise Problem(
                "FileContentInvalid",
                f"files of the item cannot be taken in: {'; '.join(faults)}",
                hint=f"Upload them to {self._settings.upload_storage} first."
                if str(self._settings.upload_storage).startswith("s3://")
                else "Upload them first.",
                facts={"faults": faults},
            )
        return parcels

    def _stored(self, user: User, home: Home, ids: Sequence[str]) -> dict[str, Hit]:
        catalog = self.catalog(user, "read", "write")
        found: dict[str, Hit] = {}
        for at in range(0, len(ids), AT_ONCE):
            some = tuple(ids[at : at + AT_ONCE])
            page = catalog.find(Search(collections=(home.id,), ids=some, limit=len(some)))
            found |= {hit.doc["id"]: hit for hit in page.hits}
        return found

    def _demand(self, user: User, action: str, home: Home) -> None:
        if not may(user, action, home.owner, home.name):
            raise Problem(
                "PermissionsInsufficient",
                f"you may not {action} what is in collection {home.id!r}",
                hint=f"Its owner or an administrator can give you the role `rs_catalog_{home.id}_{action}`.",
            )

    def _remove(self, addresses: Iterable[str]) -> None:
        if self.store is not None:
            remove_all(self.store, list(dict.fromkeys(addresses)))


def home_of(hit: Hit) -> Home:
    """The collection of an item that was found."""
    id_ = hit.doc["collection"]
    return Home(id_, hit.owner, id_.removeprefix(f"{hit.owner}:"))


def best_of(found: Sequence[Home], user: User, called: str) -> list[Home]:
    """Those that are meant first by a name: the one of that id, those of the user, or all."""
    exact = [home for home in found if home.id == called]
    return exact or [home for home in found if home.owner == user.id] or list(found)


def ambiguous(called: str, found: Sequence[Home], code: str) -> Problem:
    """Several collections may be meant."""
    ids = [home.id for home in found]
    return Problem(
        code,
        f"several collections are called {called[:80]!r}",
        hint=f"Say which one: {', '.join(ids[:10])}.",
        facts={"ids": ids},
    )


def demand_state(wanted: Wanted, stored: Hit | None, home: Home) -> None:
    """Is the item there, or not, and in the state that is asked for?"""
    what = f"item {wanted.id!r} of {home.id!r}"
    if wanted.tag is not None and (stored is None or wanted.tag not in ("*", stored.tag)):
        raise Problem(
            "PreconditionFailed",
            f"{what} is not in the state {wanted.tag!r} (any more)",
            hint="Read it again, and make your change to what it is now.",
        )
    if stored is not None and wanted.mode is Mode.CREATE:
        raise Problem("AlreadyExists", f"{what} exists already", hint="Replace it by PUT.")
    if stored is None and wanted.mode is Mode.REPLACE:
        raise Problem("ItemNotFound", f"there is no {what}")


def id_of(body: Any) -> str:
    """The id of an item.

    Raises:
        Problem: It has none.
    """
    found = body.get("id") if isinstance(body, dict) else None
    if not isinstance(found, str):
        raise refused(f"the id {str(found)[:80]!r} is none of an item")
    return found
