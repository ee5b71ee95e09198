"""Databases of ours: SQLite with a write-ahead log, or PostgreSQL; transactions say at once whether they write."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from sqlite3 import Error as SqliteError
from typing import Any, TypeVar

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    MetaData,
    Table,
    create_engine,
    event,
    func,
    make_url,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, NoSuchModuleError, OperationalError

from engine.errors import Problem

INSERTS: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
TABLES = 7061
"""The lock that is held while tables are made; any number that others do not use."""
PATIENCE = 120.0
"""Seconds that a writer waits for the writers before it."""
STARTING, GLANCE = 60.0, 0.5
"""Seconds that a server which starts waits for a database that is away, and between its attempts."""
LOG = logging.getLogger("geodatacube.database")
T = TypeVar("T")


def connected(url: URL | str) -> Engine:
    """The database at a URL; nothing is asked of it yet.

    Raises:
        Problem: The URL is none of a database, or the driver is not installed.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() != "sqlite":
            if parsed.drivername == "postgresql":
                parsed = parsed.set(drivername="postgresql+psycopg")
            return create_engine(
                parsed, pool_pre_ping=True, connect_args={"client_encoding": "utf8"},
                json_serializer=str, json_deserializer=as_text,
            )  # fmt: skip
        engine = create_engine(parsed, connect_args={"timeout": PATIENCE})
    except (ArgumentError, NoSuchModuleError, ImportError) as cause:
        raise Problem(
            "StorageFailure",
            f"the database URL cannot be used: {cause}",
            hint="Give sqlite:///path or postgresql://user@host/name; the latter needs the extra [postgres].",
        ) from cause
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def as_text(value: bytes | str) -> str:
    """JSON as a database holds it; those who read it parse it, whatever the database."""
    return value if isinstance(value, str) else value.decode()


class Away(Problem):
    """The database cannot be used at this moment."""


@contextmanager
def reading(engine: Engine, what: str = "the database") -> Iterator[Connection]:
    """A transaction that sees one state throughout.

    Raises:
        Away: The database cannot be reached.
    """
    try:
        with engine.connect() as connection, connection.begin():
            yield connection
    except (OperationalError, InterfaceError) as cause:
        raise away(what, cause) from cause


@contextmanager
def writing(engine: Engine, what: str = "the database") -> Iterator[Connection]:
    """A transaction that holds the right to write from its first statement on.

    In SQLite a transaction that begins as a reader and writes later fails at once where another one has written
    in between, however long it would wait.

    Raises:
        Away: The database cannot be reached, is held by others, or its disk is full.
    """
    try:
        with (
            engine.connect().execution_options(begin="BEGIN IMMEDIATE") as connection,
            connection.begin(),
        ):
            yield connection
    except (OperationalError, InterfaceError) as cause:
        raise away(what, cause) from cause


def away(what: str, cause: DBAPIError) -> Away:
    """What keeps from using a database."""
    words = str(cause.orig).strip()
    if "locked" in words:
        hint = f"Others have been writing for {PATIENCE:g} s; try again later."
        return Away("InfrastructureBusy", f"{what} could not be written: {words}.", hint=hint)
    if "full" in words or "readonly" in words or "disk I/O" in words:
        return Away("StorageFailure", f"{what} could not be written: {words}.", hint="Is the disk full?")
    return Away("InfrastructureBusy", f"{what} cannot be used: {words}.", hint="Try again in a moment.")


def awaited(action: Callable[[], T], seconds: float = STARTING) -> T:
    """What the action gives; where a database is away, it is tried again for a while: it may be about to start.

    Raises:
        Away: It is away all the time.
    """
    end, told = time.monotonic() + seconds, False
    while True:
        try:
            return action()
        except Away as problem:
            if time.monotonic() > end:
                raise
            if not told:
                LOG.warning("waiting for up to %g s: %s", seconds, problem)
            told = True
        time.sleep(GLANCE)


def put(connection: Connection, table: Table, key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Write a row; what one of that key had in these columns is replaced, whoever wrote it meanwhile."""
    insert = INSERTS[connection.dialect.name](table).values({**key, **values})
    connection.execute(insert.on_conflict_do_update(index_elements=list(key), set_=dict(values)))


def put_first(
    connection: Connection, table: Table, key: Mapping[str, Any], values: Mapping[str, Any]
) -> None:
    """Write a row, unless there is one of that key."""
    insert = INSERTS[connection.dialect.name](table).values({**key, **values})
    connection.execute(insert.on_conflict_do_nothing(index_elements=list(key)))


def make_tables(connection: Connection, metadata: MetaData) -> None:
    """Make the tables that are not there; servers that start at once do so one after the other."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(TABLES)))
    metadata.create_all(connection)


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
