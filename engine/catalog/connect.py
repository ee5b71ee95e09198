"""Opens the catalogue's database, SQLite or PostgreSQL, and gives it its tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from sqlite3 import Error as SqliteError
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    bindparam,
    event,
    func,
    inspect,
    make_url,
    select,
    text,
    update,
)
from sqlalchemy.exc import ArgumentError, DBAPIError

from engine.catalog.declared import index_postgres, index_sqlite
from engine.catalog.filters import POSTGRES_DDL, install
from engine.catalog.tables import (
    ARRIVAL,
    ATTRIBUTES,
    BOXES_TABLE,
    COLLECTIONS,
    EXPIRY,
    GEOMETRY,
    HAS_LZ4,
    ITEMS,
    METADATA,
    OWN_COLUMNS,
    QUICKLY_COMPRESSED,
    SCHEMA_VERSION,
)
from engine.catalog.times import instant_of
from engine.database import TABLES, connected, writing
from engine.errors import Problem
from engine.queryables import Queryable

CACHE = 32_768
"""KiB that a connection to SQLite may hold of the database."""


def connect(place: str | Path, declared: Sequence[Queryable] = ()) -> Engine:
    """The database at a path or URL, made and given its tables on first use, and an index of what is declared.

    Raises:
        Problem: It cannot be opened, or is no catalogue of ours.
    """
    url = url_of(place)
    engine = connected(url)
    is_sqlite = url.get_backend_name() == "sqlite"
    event.listen(engine, "connect", lambda raw, _: (_prepare_sqlite if is_sqlite else _be_quick)(raw))
    shown = url.database if is_sqlite else url.render_as_string(hide_password=True)
    try:
        if is_sqlite and url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        with writing(engine, "the catalogue") as connection:
            if is_sqlite:
                _make_sqlite(connection, str(shown))
                index_sqlite(connection, declared)
            else:
                _make_postgres(connection, str(shown))
                index_postgres(connection, declared)
    except (DBAPIError, SqliteError, OSError) as cause:
        engine.dispose()
        raise Problem(
            "StorageFailure",
            f"{shown} cannot be opened as a catalogue: {getattr(cause, 'orig', cause)}.",
            hint="Give a file that this program may write and that no other program made,"
            " or the URL of a PostgreSQL database with PostGIS.",
        ) from cause
    except Problem:
        engine.dispose()
        raise
    return engine


def _prepare_sqlite(raw: Any) -> None:
    """What filters call, and room for what a large transaction writes, which would go to the disk and back."""
    install(raw)
    raw.execute(f"PRAGMA cache_size = -{CACHE:d}")


def _be_quick(raw: Any) -> None:
    """PostgreSQL compiles what it thinks is expensive; that takes longer than any of our searches."""
    raw.execute("SET jit = off")
    raw.commit()


def url_of(place: str | Path) -> URL:
    """The database that a path or a URL names."""
    if "://" not in str(place):
        return URL.create("sqlite", database=str(place))
    try:
        return make_url(str(place))
    except ArgumentError as cause:
        raise Problem("StorageFailure", f"the catalogue's URL cannot be used: {cause}") from cause


def _make_sqlite(connection: Connection, shown: str) -> None:
    version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    _refuse_newer(version, shown)
    if version == 1:
        _take_to_version_2(connection)
    METADATA.create_all(connection)
    there = {column["name"] for column in inspect(connection).get_columns(ITEMS.name)}
    for column, statements in OWN_COLUMNS.items():
        for statement in statements if column not in there else ():
            connection.exec_driver_sql(statement)
    if "items_arrival" not in {index["name"] for index in inspect(connection).get_indexes(ITEMS.name)}:
        connection.exec_driver_sql(ARRIVAL)
    connection.execute(BOXES_TABLE)
    if version != SCHEMA_VERSION:  # each run opens the catalogue, and should not have to wait for the disk
        connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION:d}")


def _make_postgres(connection: Connection, shown: str) -> None:
    connection.execute(select(func.pg_advisory_xact_lock(TABLES)))  # servers that start at once take turns
    is_new = not inspect(connection).has_table(ITEMS.name)
    METADATA.create_all(connection)
    if is_new:
        quickly = [QUICKLY_COMPRESSED] if connection.execute(HAS_LZ4).scalar_one() else []
        with closing(connection.connection.cursor()) as cursor:  # as it stands: a % is no placeholder
            for statement in (*GEOMETRY, *POSTGRES_DDL, *ATTRIBUTES, *quickly):
                cursor.execute(statement)
    if connection.exec_driver_sql("SELECT to_regclass('items_expires')").scalar_one() is None:
        connection.exec_driver_sql(EXPIRY)
    if connection.exec_driver_sql("SELECT to_regclass('items_arrival')").scalar_one() is None:
        connection.exec_driver_sql(ARRIVAL)
    connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS catalog_version (version integer NOT NULL)")
    version = connection.exec_driver_sql("SELECT max(version) FROM catalog_version").scalar_one()
    _refuse_newer(version or 0, shown)
    if version != SCHEMA_VERSION:
        connection.execute(text("INSERT INTO catalog_version VALUES (:version)"), {"version": SCHEMA_VERSION})


def _refuse_newer(version: int, shown: str) -> None:
    if version > SCHEMA_VERSION:
        raise Problem(
            "StorageFailure",
            f"{shown} has catalogue version {version}; this program knows version {SCHEMA_VERSION}.",
            hint="Use the newer program that made it.",
        )


def _take_to_version_2(connection: Connection) -> None:
    """Owners of collections, and instants of items in a column of their own."""
    for table, column in (
        ("collections", "owner TEXT NOT NULL DEFAULT ''"),
        ("collections", "name TEXT NOT NULL DEFAULT ''"),
        ("collections", "kind TEXT NOT NULL DEFAULT 'collection'"),
        ("collections", "org TEXT"),
        ("collections", "rewritten INTEGER NOT NULL DEFAULT 0"),
        ("items", "dt BIGINT"),
    ):
        connection.execute(text(f"ALTER TABLE {table} ADD COLUMN {column}"))
    connection.execute(update(COLLECTIONS).values(name=COLLECTIONS.c.id, rewritten=COLLECTIONS.c.version))
    told = connection.execute(select(ITEMS.c.pk, ITEMS.c.properties)).all()
    rows = [{"of": row.pk, "at": instant_of(json.loads(row.properties))} for row in told]
    if rows:
        connection.execute(
            update(ITEMS).where(ITEMS.c.pk == bindparam("of")).values(dt=bindparam("at")), rows
        )
