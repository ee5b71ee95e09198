"""The hub: the catalogue as users of a server see and change it, each within what is theirs to read and to write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from engine.access import readable_of
from engine.catalog import (
    Author,
    Catalog,
    Change,
    Mode,
    Outcome,
    PatchCollection,
    PatchItem,
    PutCollection,
    PutItem,
    RemoveItem,
)
from engine.catalog.changes import full_id
from engine.catalog.model import Json
from engine.catalog.readable import ALL, granted, readable_by
from engine.catalog.relations import Relations
from engine.errors import Problem
from engine.records import User
from engine.settings import Settings
from engine.stored import path_of

WRITERS = frozenset({"admin", "catalog_write"})
"""Roles that may write all collections which everybody may read; `catalog_write:ID` may write one."""
FETCHED = frozenset({"http", "https"})
"""Schemes of assets that others may name; files of this machine, and buckets that it may read, are not their business."""

OWN_RULES = frozenset({"datacosmos", "owner"})
"""Ways into the catalogue that have looked at where in the server's own storage assets lie."""
STRANGE = frozenset("/?#%\\")
"""What addresses give a meaning of its own."""
LONGEST = 500
"""Characters of an id."""
TAKEN_IN = ("owner", "s3")
"""Files of items of owners are taken into the catalogue's storage, and are called so there."""


class Hub:
    """The catalogue of a server."""

    def __init__(
        self, settings: Settings, catalog: Callable[[], Catalog], done: Callable[[Outcome], None]
    ) -> None:
        self._settings = settings
        self._catalog = catalog
        self._done = done
        """Is told of each change, whichever way it came."""

    @property
    def relations(self) -> Relations:
        """Items that are related to projects."""
        return self._catalog().relations

    def seen_by(self, user: User | None) -> Catalog:
        """The catalogue with what a user may read; None: somebody who did not log in."""
        return self._catalog().seen_by(readable_of(self._settings, user))

    def owned(self, user: User, *actions: str) -> Catalog:
        """The collections of owners, as far as a user may do any of these with them; without any, read them."""
        readable = readable_by(user.id, user.roles, actions or ("read",))
        return self._catalog().seen_by(replace(readable, public=False))

    def has(self, id_: str) -> bool:
        """Is there a collection of this id, whoever may read it?"""
        return self._catalog().has(id_)

    def owner_of(self, id_: str) -> tuple[str, str]:
        """Whose a collection is, and what the owner calls it, whoever may read it."""
        return self._catalog().owner_of(id_)

    def apply(
        self, user: User, changes: Sequence[Change], source: str, *, trusted: bool = False
    ) -> list[Outcome]:
        """Carry changes of a user out, all of them or none; `source` is the way by which they came.

        Args:
            trusted: The caller has made sure that the user may.

        Raises:
            Problem: The user may not write there, an asset is where it may not be, or a change is not sound.
        """
        for change in changes:
            check_name(change)
            if not trusted:
                self._demand_right(user, change)
            check_assets(change, source)
        outcomes = self._catalog().apply(changes, Author(user.id, source))
        for outcome in outcomes:
            self._done(outcome)
        return outcomes

    def _demand_right(self, user: User, change: Change) -> None:
        if isinstance(change, PutCollection):
            owner, name = change.owner, str(change.collection.get("id"))
        else:
            id_ = change.collection if isinstance(change, PutItem | PatchItem | RemoveItem) else change.id
            readable = readable_by(user.id, user.roles, ("read", "write"))
            owner, name = self._catalog().seen_by(readable).owner_of(id_)
        if not may_write(user, owner, name):
            raise Problem(
                "PermissionsInsufficient",
                f"you may not write to collection {full_id(owner, name)!r}",
                hint="Ask an administrator for the role `catalog_write` or for one of its owner.",
            )


def check_name(change: Change) -> None:
    """Refuse ids that no address can have, or that collections of owners have.

    Raises:
        Problem: It has a slash, a space or a control character; or, of a new collection, a colon.
    """
    if isinstance(change, PutItem):
        what, id_, strange = "item", change.item.get("id"), STRANGE
    elif isinstance(change, PutCollection) and change.mode is not Mode.REPLACE:
        what, id_, strange = "collection", change.collection.get("id"), STRANGE | {":"}
    else:
        return
    bad = [c for c in str(id_) if c in strange or c.isspace() or not c.isprintable()]
    if isinstance(id_, str) and (bad or len(id_) > LONGEST):
        why = f"has {bad[0]!r} in it" if bad else f"has more than {LONGEST} characters"
        raise Problem(
            "FileContentInvalid", f"the id {id_[:80]!r} of the {what} {why}", hint="Choose another id.",
            facts={"field": "id"},
        )  # fmt: skip


def may_write(user: User, owner: str, name: str) -> bool:
    """May a user write to a collection of this owner? An empty owner: everybody reads it."""
    if owner:
        return may(user, "write", owner, name)
    return not WRITERS.isdisjoint(user.roles) or f"catalog_write:{name}" in user.roles


def may(user: User, action: str, owner: str, name: str) -> bool:
    """May a user `read`, `write` or `download` what is in this collection of an owner?"""
    if "admin" in user.roles or owner == user.id:
        return True
    grants = (granted(role) for role in user.roles)
    return any(g is not None and g[0] == owner and g[1] in (ALL, name) and g[2] == action for g in grants)


def check_assets(change: Change, source: str) -> None:
    """Refuse assets that lie on this machine, or among the objects of others: who computes with the item reads them."""
    doc: Json = {}
    if isinstance(change, PutItem):
        doc = change.item
    elif isinstance(change, PatchItem | PatchCollection):
        doc = change.patch
    elif isinstance(change, PutCollection):
        doc = change.collection
    assets = doc.get("assets")
    for key, asset in assets.items() if isinstance(assets, dict) else ():
        href = asset.get("href") if isinstance(asset, dict) else None
        if not isinstance(href, str):
            continue
        kept = source in OWN_RULES and path_of(href) is not None
        scheme = urlsplit(href).scheme.lower()
        if scheme not in FETCHED and not kept and (source, scheme) != TAKEN_IN:
            raise Problem(
                "FileContentInvalid",
                f"asset {key!r} has the href {href[:200]!r}, which is no http or https address.",
                hint="Put the file where everybody can read it, and name its address.",
            )
