"""What is known about objects, by the place that holds them and their path; their bytes lie elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, delete, func, select

from engine.database import put, reading, writing
from engine.records import Stored
from engine.store.tables import OBJECTS


class ObjectFacts:
    """Facts about objects. What they say holds as long as the object has the same version, its `etag`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self, store: str, path: str) -> Stored | None:
        """What is known about an object."""
        with reading(self._engine) as connection:
            row = connection.execute(select(OBJECTS).where(_is(store, path))).one_or_none()
        return None if row is None else _stored(row)

    def put(self, store: str, stored: Stored, still: Callable[[], bool]) -> None:
        """Note facts in place of those that were known, if `still` says that they hold.

        It is asked when nobody else can note anything about this object: of two who store an object under one name,
        the facts of the one whose bytes are there are noted last.
        """
        values = {
            "size": stored.size, "media_type": stored.media_type, "md5": stored.md5, "crc32c": stored.crc32c,
            "etag": stored.etag, "modified": stored.modified, "owner": stored.owner,
        }  # fmt: skip
        created = select(OBJECTS.c.created).where(_is(store, stored.path))
        with writing(self._engine) as connection:
            since = connection.execute(created).scalar_one_or_none()
            values["created"] = stored.modified if since is None else since
            put(connection, OBJECTS, {"store": store, "path": stored.path}, values)
            if not still():
                connection.rollback()

    def remove(self, store: str, path: str, gone: Callable[[], bool]) -> None:
        """Forget an object, if `gone` says that it is there no more."""
        with writing(self._engine) as connection:
            connection.execute(delete(OBJECTS).where(_is(store, path)))
            if not gone():
                connection.rollback()

    def bytes_of(self, owner: str) -> int:
        """Bytes of all objects of an account, wherever they lie."""
        total = select(func.coalesce(func.sum(OBJECTS.c.size), 0)).where(OBJECTS.c.owner == owner)
        with reading(self._engine) as connection:
            return int(connection.execute(total).scalar_one())


def _is(store: str, path: str) -> Any:
    return (OBJECTS.c.store == store) & (OBJECTS.c.path == path)


def _stored(row: Any) -> Stored:
    return Stored(
        row.path, row.size, row.media_type, bytes(row.md5), row.crc32c, row.etag, row.modified, row.owner,
        row.created,
    )  # fmt: skip
