"""Collections by what their owners call them: which are meant by a name, of those that somebody may read."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, or_, select

from engine.catalog.readable import Readable
from engine.catalog.tables import COLLECTIONS


@dataclass(frozen=True, slots=True)
class Home:
    """A collection of an owner."""

    id: str
    """What all the world calls it: `owner:name`."""
    owner: str
    name: str
    """What the owner calls it."""

    @property
    def joined(self) -> str:
        """Owner and name as some clients join them in searches; it cannot be taken apart again."""
        return f"{self.owner}_{self.name}"


def homes(
    connection: Connection, readable: Readable, called: str | None = None, owner: str | None = None
) -> list[Home]:
    """Collections of owners, sorted by id: all, those that a name may mean, or those of one owner."""
    table = COLLECTIONS.c
    wish = select(table.id, table.owner, table.name).where(table.owner != "", table.kind == "collection")
    if called is not None:
        joined = table.owner + "_" + table.name
        wish = wish.where(or_(table.id == called, table.name == called, joined == called))
    if owner is not None:
        wish = wish.where(table.owner == owner)
    rows = connection.execute(readable.narrowed(wish).order_by(table.id))
    return [Home(row.id, row.owner, row.name) for row in rows]
