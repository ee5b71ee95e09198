"""Many rows into a table at once, by the shortest way that each database has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

from sqlalchemy import Connection, Table, func, select, text
from sqlalchemy.exc import DBAPIError

TAKEN = text(
    "SELECT setval(s, nextval(s) + :count - 1) FROM CAST(pg_get_serial_sequence(:table, :key) AS regclass) AS s"
)
"""The last of so many new keys of PostgreSQL, which nobody else takes."""
LAST_GIVEN = text("SELECT seq FROM sqlite_sequence WHERE name = :table")
"""Where SQLite notes the highest key there ever was, of tables whose keys never come again."""


def put_rows(
    connection: Connection, table: str, names: Sequence[str], rows: Iterable[Sequence[Any]], count: int = 0
) -> None:
    """Write rows, each with values for the columns of these names: one statement, however many they are.

    Args:
        count: How many rows there are, where that is known.
    """
    told = f"{table} ({', '.join(names)})"
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    insert = f"INSERT INTO {told} VALUES ({', '.join([mark] * len(names))})"  # noqa: S608 (names are ours)
    with _driver(connection) as cursor:
        if count == 1:  # a COPY goes back and forth twice
            cursor.execute(insert, *rows)
        elif connection.dialect.name == "sqlite":
            cursor.executemany(insert, rows)
        else:
            with cursor.copy(f"COPY {told} FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)


def new_keys(connection: Connection, table: Table, count: int) -> Sequence[int]:
    """So many keys for new rows, ascending; in PostgreSQL whoever asks has to have its turn, as all writers."""
    (key,) = table.primary_key.columns
    if connection.dialect.name == "postgresql":
        wish = {"table": table.name, "key": key.name, "count": count}
        last = connection.execute(TAKEN, wish).scalar_one() - count
    elif table.dialect_options["sqlite"]["autoincrement"]:
        last = connection.execute(LAST_GIVEN, {"table": table.name}).scalar_one_or_none() or 0
    else:
        last = connection.execute(select(func.coalesce(func.max(key), 0))).scalar_one()
    return range(last + 1, last + 1 + count)


@contextmanager
def _driver(connection: Connection) -> Iterator[Any]:
    """The driver itself, which takes rows as they come; its errors are told as SQLAlchemy tells them."""
    driver = connection.dialect.loaded_dbapi
    try:
        with closing(connection.connection.cursor()) as cursor:
            yield cursor
    except driver.Error as cause:
        raise DBAPIError.instance(None, None, cause, driver.Error, dialect=connection.dialect) from cause
