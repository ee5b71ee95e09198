"""Opens the catalogue's SQLite file, and gives it its tables."""

from __future__ import annotations

from pathlib import Path
from sqlite3 import Error as SqliteError

from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import DBAPIError

from engine.catalog.tables import BOXES_TABLE, METADATA, SCHEMA_VERSION
from engine.database import connected, writing
from engine.errors import Problem


def connect(path: Path) -> Engine:
    """The database at `path`, made and given its tables on first use."""
    engine = connected(URL.create("sqlite", database=str(path)))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with writing(engine, "the catalogue") as connection:
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
