"""The columns of an item's row that filters ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement


@dataclass(frozen=True)
class Columns:
    """Where the parts of an item stand; any expression of SQLAlchemy does."""

    id: ColumnElement[Any]
    """Text."""
    collection: ColumnElement[Any]
    """The id of the collection, text."""
    t0: ColumnElement[Any]
    """First instant, microseconds since 1970."""
    t1: ColumnElement[Any]
    """Last instant, included, microseconds since 1970."""
    dt: ColumnElement[Any]
    """The item's `datetime`, microseconds since 1970; null where that is null."""
    shape: ColumnElement[Any]
    """The footprint (WKB), longitudes in one piece; null where the item lies nowhere, as the box is."""
    west: ColumnElement[Any]
    """Degrees; west > east across the antimeridian."""
    south: ColumnElement[Any]
    east: ColumnElement[Any]
    north: ColumnElement[Any]
    properties: ColumnElement[Any]
    """JSON text in SQLite, JSONB in PostgreSQL."""
    geom: ColumnElement[Any] | None = None
    """The footprint as geometry(Geometry, 4326), in PostgreSQL."""
    numbers: Mapping[str, ColumnElement[Any]] = field(default_factory=dict)
    """In SQLite, properties that have a column of their own: as doubles, null where they are no number."""
    texts: Mapping[str, ColumnElement[Any]] = field(default_factory=dict)
    """Likewise, null where they are no text."""
