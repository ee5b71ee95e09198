"""Which collections there are for whoever asks: those of everybody, and those of owners who let them in."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Select, false, or_

from engine.catalog.changes import full_id
from engine.catalog.model import OF_FEATURES
from engine.catalog.tables import COLLECTIONS

S = TypeVar("S", bound=Select[Any])
ALL = "*"


@dataclass(frozen=True, slots=True)
class Readable:
    """What may be read besides what everybody may."""

    owners: frozenset[str] = frozenset()
    """Owners all of whose collections may be read; `*` among them: all owners."""
    ids: frozenset[str] = frozenset()
    """Ids of further collections, as `owner:name`."""
    data: frozenset[str] = frozenset()
    """Ids of collections which everybody may read, whose data may be read in full, too; `*`: of all."""
    orgs: frozenset[str] = frozenset()
    """Organisations: the data of what they publish may be read in full."""
    public: bool = True
    """Are those of everybody among it?"""
    only_stac: bool = False
    """Are collections of features of other kinds left out?"""

    def allows(self, owner: str, id_: str) -> bool:
        """May the collection of this id be read?"""
        if not owner:
            return self.public
        return ALL in self.owners or owner in self.owners or id_ in self.ids

    def allows_data(self, owner: str, id_: str, org: str | None) -> bool:
        """May the data of the collection of this id be read in full, and not only pictures and metadata of them?"""
        if owner:
            return self.allows(owner, id_)
        return ALL in self.data or id_ in self.data or org in self.orgs

    def narrowed(self, wish: S) -> S:
        """A select over collections, kept to what may be read."""
        if self.only_stac:
            wish = wish.where(COLLECTIONS.c.kind != OF_FEATURES)
        if ALL in self.owners:
            return wish if self.public else wish.where(COLLECTIONS.c.owner != "")
        allowed = [COLLECTIONS.c.owner == "" if self.public else false()]
        if self.owners:
            allowed.append(COLLECTIONS.c.owner.in_(sorted(self.owners)))
        if self.ids:
            allowed.append(COLLECTIONS.c.id.in_(sorted(self.ids)))
        return wish.where(or_(*allowed))


EVERYTHING = Readable(frozenset({ALL}), data=frozenset({ALL}))
PUBLIC = Readable()


def readable_by(user: str, roles: Iterable[str], actions: Collection[str] = ("read",)) -> Readable:
    """What a user may read: what is the user's own, and what roles `rs_catalog_OWNER:COLLECTION_read` give.

    With other `actions`, what the roles of these give.
    """
    owners, ids = {user}, set()
    for role in roles:
        if role == "admin":
            return EVERYTHING
        if (grant := granted(role)) is not None and grant[2] in actions:
            owner, name, _ = grant
            if name == ALL:
                owners.add(owner)
            else:
                ids.add(full_id(owner, name))
    return Readable(frozenset(owners), frozenset(ids))


PREFIX, ACTIONS = "rs_catalog_", ("read", "write", "download")


def granted(role: str) -> tuple[str, str, str] | None:
    """Owner, collection and action of a role `rs_catalog_OWNER:COLLECTION_ACTION`; None for other roles."""
    if not role.startswith(PREFIX) or ":" not in role:
        return None
    owner, _, rest = role.removeprefix(PREFIX).partition(":")
    name, _, action = rest.rpartition("_")
    return (owner, name, action) if owner and name and action in ACTIONS else None
