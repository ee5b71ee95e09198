"""Items whose time is over: those of owners that say when they expire."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, literal_column

from engine.catalog.find import HITS, Hit, hit_of
from engine.catalog.tables import COLLECTIONS, EXPIRES


def expired(connection: Connection, before: str, limit: int) -> list[Hit]:
    """Items of owners whose `expires` lies before another time, both as `2024-02-11T12:09:32Z`.

    There are at most so many, those that expired first.
    """
    rows = connection.execute(wanted(connection.dialect.name, before, limit))
    return [hit_of(row) for row in rows]


def wanted(dialect: str, before: str, limit: int) -> Select[Any]:
    """The query for them; it follows an index."""
    ends: ColumnElement[str] = literal_column(EXPIRES[dialect])
    return HITS.where(COLLECTIONS.c.owner != "", ends < before).order_by(ends).limit(limit)
