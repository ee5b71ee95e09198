"""Declared queryables: an index for each, made when the catalogue is opened with it and kept from then on.

In SQLite a filter by a property finds its index only where the property has a column; such columns are computed, and
take no room. PostgreSQL knows the expression of the filter again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, inspect, literal_column

from engine.catalog.filters import Columns
from engine.catalog.tables import CLOUD, ITEMS, PLATFORM, computed, expression
from engine.queryables import Queryable

ALWAYS = frozenset({CLOUD, PLATFORM})
"""What has an index whoever declares it."""


def with_declared(columns: Columns, declared: Sequence[Queryable]) -> Columns:
    """The columns that filters ask, with those of declared queryables in SQLite."""
    numbers, texts = dict(columns.numbers), dict(columns.texts)
    for one in declared:
        kept: dict[str, ColumnElement[Any]] = numbers if one.type == "number" else texts
        if one.name not in ALWAYS:
            kept[one.name] = literal_column(f"items.{column_of(one)}")
    return replace(columns, numbers=numbers, texts=texts)


def index_sqlite(connection: Connection, declared: Sequence[Queryable]) -> None:
    """Give SQLite the columns and indexes that it has not."""
    if not declared:
        return
    rows = connection.exec_driver_sql(f"PRAGMA table_xinfo({ITEMS.name})").all()
    known = {row.name for row in rows}
    for one in declared:
        column = column_of(one)
        if one.name in ALWAYS:
            continue
        if column not in known:
            connection.exec_driver_sql(computed(column, one.name, one.type))
        connection.exec_driver_sql(f"CREATE INDEX IF NOT EXISTS items_{column} ON items ({column})")


def index_postgres(connection: Connection, declared: Sequence[Queryable]) -> None:
    """Give PostgreSQL the indexes that it has not."""
    known = {index["name"] for index in inspect(connection).get_indexes(ITEMS.name)} if declared else set()
    for one in declared:
        name = f"items_{column_of(one)}"
        if name in known or one.name in ALWAYS:
            continue
        value = expression(one.name, one.type) + (' COLLATE "C"' if one.type == "string" else "")
        connection.exec_driver_sql(f"CREATE INDEX IF NOT EXISTS {name} ON items (({value}))")


def column_of(one: Queryable) -> str:
    """A name for its column and its index: that of the property has characters that SQL has not."""
    return f"q_{hashlib.sha256(f'{one.type} {one.name}'.encode()).hexdigest()[:16]}"
