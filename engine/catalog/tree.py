"""The tree of catalogues and collections: what stands over one, and what stands under it."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select

from engine.catalog.tables import COLLECTIONS, PARENTS


def ancestors(connection: Connection, collection: int) -> list[str]:
    """Ids of all that a collection (by key) stands under, the nearest first."""
    found: dict[int, str] = {}
    level = [collection]
    while level:
        wish = (
            select(COLLECTIONS.c.pk, COLLECTIONS.c.id)
            .join(PARENTS, PARENTS.c.parent == COLLECTIONS.c.pk)
            .where(PARENTS.c.child.in_(level))
            .order_by(COLLECTIONS.c.id)
        )
        level = []
        for row in connection.execute(wish):
            if row.pk not in found and row.pk != collection:
                found[row.pk] = row.id
                level.append(row.pk)
    return list(found.values())


def descendants(connection: Connection, ids: Iterable[str]) -> list[str]:
    """These collections, as far as they are there, and all that stands under them."""
    wish = select(COLLECTIONS.c.pk, COLLECTIONS.c.id).where(COLLECTIONS.c.id.in_(list(ids)))
    found = {row.pk: row.id for row in connection.execute(wish)}
    level = list(found)
    while level:
        wish = (
            select(COLLECTIONS.c.pk, COLLECTIONS.c.id)
            .join(PARENTS, PARENTS.c.child == COLLECTIONS.c.pk)
            .where(PARENTS.c.parent.in_(level))
        )
        new = {row.pk: row.id for row in connection.execute(wish) if row.pk not in found}
        found.update(new)
        level = list(new)
    return sorted(found.values())
