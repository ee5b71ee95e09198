"""Opens the catalogue's SQLite file: write-ahead log, transactions that say at once that they write."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Error as SqliteError
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError

from engine.catalog.tables import BOXES_TABLE, METADATA, SCHEMA_VERSION
from engine.errors import Problem

PATIENCE = 120.0
"""Seconds that a writer waits for the writers before it."""


def connect(path: Path) -> Engine:
    """The database at `path`, made and given its tables on first use."""
    engine = create_engine(URL.create("sqlite", database=str(path)), connect_args={"timeout": PATIENCE})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with writing(engine) as connection:
            _make(connection, path)
    except (DBAPIError, SqliteError, OSError) as cause:
        engine.dispose()
        raise Problem(
            "StorageFailure",
            f"{path} cannot be opened as a catalogue: {getattr(cause, 'orig', cause)}.",
            hint="Give a file that this program may write and that no other program made.",
        ) from cause
    except Problem:
        engine.dispose()
        raise
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that sees one state of the catalogue throughout."""
    with engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that holds the right to write from its first statement on.

    A transaction that begins as a reader and writes later fails at once where another one has written
    in between, however long it would wait.
    """
    try:
        with (
            engine.connect().execution_options(begin="BEGIN IMMEDIATE") as connection,
            connection.begin(),
        ):
            yield connection
    except OperationalError as cause:
        busy = "locked" in str(cause.orig)
        raise Problem(
            "InfrastructureBusy" if busy else "StorageFailure",
            f"the catalogue could not be written: {cause.orig}.",
            hint=f"Others have been writing for {PATIENCE:g} s; try again later."
            if busy
            else "Is the disk full?",
        ) from cause


def _prepare(raw: Any, _record: Any) -> None:
    raw.isolation_level = None  # the driver begins no transactions behind our back
    cursor = raw.cursor()
    try:
        _use_log(cursor)
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA synchronous = FULL")
    finally:
        cursor.close()


def _use_log(cursor: Any) -> None:
    """Switch to the write-ahead log. SQLite does not wait for this lock by itself, whatever the time limit."""
    give_up = time.monotonic() + PATIENCE
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except SqliteError as cause:
            if "locked" not in str(cause) or time.monotonic() > give_up:
                raise
            time.sleep(0.02)
        else:
            return


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


def _make(connection: Connection, path: Path) -> None:
    version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    if version > SCHEMA_VERSION:
        raise Problem(
            "StorageFailure",
            f"{path} has catalogue version {version}; this program knows version {SCHEMA_VERSION}.",
            hint="Use the newer program that made it.",
        )
    METADATA.create_all(connection)
    connection.execute(BOXES_TABLE)
    connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION:d}")
