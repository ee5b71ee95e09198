"""The store: collections and items in one SQLite file, for many readers and writers at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Connection, select

from engine.catalog.connect import connect
from engine.catalog.documents import anchored, checked_collection, self_href
from engine.catalog.model import Added, Entry, Found, Json, Query
from engine.catalog.search import search
from engine.catalog.sources import read, unknown
from engine.catalog.summaries import Glance, describe
from engine.catalog.tables import COLLECTIONS, ITEMS
from engine.catalog.write import Batch, gather, store
from engine.database import reading, writing
from engine.http import GUARDED, Egress


class Catalog:
    """The embedded catalogue: what can be loaded, and where it is.

    It holds the SQLite file open and, per collection, the description computed last. It knows of no
    pixels. One object serves all threads of a process; each process opens its own.
    """

    def __init__(self, path: Path, egress: Egress = GUARDED) -> None:
        self.path = Path(path)
        self.egress = egress
        """Where on the web sources may be."""
        self._engine = connect(self.path)
        self._writer = Lock()  # threads queue here in fairness; processes queue at SQLite
        self._described: dict[int, tuple[int, str]] = {}

    def add(
        self,
        source: str | Path,
        *,
        collection: str | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> tuple[Added, ...]:
        """Take in all that a source holds, or nothing of it where anything in it is not sound.

        Args:
            source: A STAC catalogue, collection, item or item collection or a STAC API, as path or URL;
                or a folder of GeoTIFF, NetCDF and Zarr, or one such file.
            collection: Which of the source's collections; where it names none, the id to give.
            progress: Called with the number of items read so far.
        """
        return self._store(gather(read(source, collection, self.egress), progress))

    def put(self, collection: Json, items: Iterable[Json]) -> Added:
        """Write a STAC collection with these of its items; items of the same id are replaced."""
        collection = checked_collection(collection)
        entries = [Entry(collection), *(Entry(collection, _placed(item)) for item in items)]
        return self._store(gather(entries))[0]

    def collections(self) -> list[Json]:
        """All collections as STAC, sorted by id, described by their items."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(COLLECTIONS).order_by(COLLECTIONS.c.id)).all()
            return [self._description(connection, row) for row in rows]

    def collection(self, id: str) -> Json:  # noqa: A002 (STAC's own name)
        """One collection as STAC, described by its items."""
        with reading(self._engine) as connection:
            return self._description(connection, self._row(connection, id))

    def search(self, query: Query) -> Found:
        """All items of a collection that the query wants."""
        with reading(self._engine) as connection:
            return search(connection, self._row(connection, query.collection).pk, query)

    def close(self) -> None:
        """Close the file."""
        self._engine.dispose()

    def _store(self, batches: list[Batch]) -> tuple[Added, ...]:
        with self._writer, writing(self._engine, "the catalogue") as connection:
            return tuple(store(connection, batch) for batch in batches)

    def _row(self, connection: Connection, id_: str) -> Any:
        row = connection.execute(select(COLLECTIONS).where(COLLECTIONS.c.id == id_)).one_or_none()
        if row is None:
            known = list(connection.execute(select(COLLECTIONS.c.id)).scalars())
            raise unknown(id_, known, "the catalogue", "It is empty: add a source first.")
        return row

    def _description(self, connection: Connection, row: Any) -> Json:
        """Computed once for each version of the collection; the caller gets a copy of its own."""
        version, text = self._described.get(row.pk, (0, ""))
        if version != row.version:
            doc = describe(json.loads(row.doc), _glances(connection, row.pk))
            version, text = row.version, json.dumps(doc)
            self._described[row.pk] = (version, text)
        described: Json = json.loads(text)
        return described


def _glances(connection: Connection, collection: int) -> Iterable[Glance]:
    """The items in the order in which they came, those of one layout sharing it."""
    layouts: dict[str, Json] = {}
    wish = select(ITEMS.c.varies, ITEMS.c.layout).where(ITEMS.c.collection == collection).order_by(ITEMS.c.pk)
    for varies, layout in connection.execute(wish.execution_options(yield_per=1000)):
        if layout not in layouts:
            layouts[layout] = json.loads(layout)
        yield Glance(json.loads(varies), layouts[layout])


def _placed(item: Any) -> Any:
    """The item with hrefs made absolute by its own `self` link, where it has one."""
    start = self_href(item) if isinstance(item, dict) else None
    return anchored(item, start) if start is not None else item
