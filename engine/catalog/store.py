"""The store: collections and items in one database, for many readers and writers at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Connection, select

from engine.catalog import snapshot
from engine.catalog.apply import apply, tag_of
from engine.catalog.changes import Author, Change, Outcome
from engine.catalog.connect import connect
from engine.catalog.declared import with_declared
from engine.catalog.described import Described
from engine.catalog.documents import anchored, checked_collection, self_href
from engine.catalog.expiry import expired
from engine.catalog.fields import Features
from engine.catalog.filters import Filter
from engine.catalog.find import COLUMNS, Hit, Page, Search, find, one
from engine.catalog.fold import Fold
from engine.catalog.judge import holds, row_of_collection
from engine.catalog.model import OF_FEATURES, Added, Found, Json, Query, has_features
from engine.catalog.order import Sort
from engine.catalog.outbox import Event, events, has_news, in_turn, last_number
from engine.catalog.owned import Home, homes
from engine.catalog.readable import EVERYTHING, Readable
from engine.catalog.relations import Relations
from engine.catalog.search import search
from engine.catalog.sieve import holds as passes
from engine.catalog.sources import read, unknown
from engine.catalog.tables import ASSETS, COLLECTIONS, ITEMS
from engine.catalog.times import micros
from engine.catalog.tree import descendants
from engine.catalog.write import Batch, at_hand, gather, store
from engine.database import reading, writing
from engine.errors import Problem
from engine.http import GUARDED, Egress
from engine.queryables import Queryable

PICTURES = frozenset({"thumbnail", "overview", "metadata", "visual"})
"""Roles of assets that show data, or tell of them."""


class Catalog:
    """The catalogue: what can be loaded, and where it is.

    It holds the database open and, per collection, the description computed last. It knows of no
    pixels. One object serves all threads of a process; each process opens its own.
    """

    def __init__(
        self,
        place: str | Path,
        egress: Egress = GUARDED,
        readable: Readable = EVERYTHING,
        declared: Sequence[Queryable] = (),
    ) -> None:
        self.place = str(place)
        """Path of the SQLite file, or URL of a database."""
        self.egress = egress
        """Where on the web sources may be."""
        self.readable = readable
        """Which collections there are for whoever asks."""
        self._engine = connect(place, declared)
        self._columns = with_declared(COLUMNS, declared)
        self.relations = Relations(self._engine)
        """Items that are related to projects."""
        self._writer = Lock()  # threads queue here in fairness; processes queue at the database
        self._described: dict[int, Described] = {}
        self._folding = Lock()

    def seen_by(self, readable: Readable) -> Catalog:
        """The same catalogue, of which somebody may read so much."""
        view = copy(self)
        view.readable = readable
        return view

    def of_stac(self) -> Catalog:
        """The same catalogue without collections of features that are no STAC items."""
        return self.seen_by(replace(self.readable, only_stac=True))

    def add(
        self,
        source: str | Path,
        *,
        collection: str | None = None,
        time: Sequence[str] = (),
        progress: Callable[[int], None] | None = None,
    ) -> tuple[Added, ...]:
        """Take in all that a source holds, or nothing of it where anything in it is not sound.

        Args:
            source: A STAC catalogue, collection, item or item collection or a STAC API, as path or URL;
                a folder of GeoTIFF, NetCDF and Zarr, or one such file; or vector data (GeoJSON, GeoParquet,
                GeoPackage, FlatGeobuf, Shapefile), which become features of a collection.
            collection: Which of the source's collections; where it names none, the id to give.
            time: Of vector data, the property that is the time of features, or the two that are its ends; by
                default `datetime`, or `start_datetime` and `end_datetime`, where these are there.
            progress: Called with the number of items read so far.
        """
        return self._store(gather(read(source, collection, self.egress, time), progress))

    def put(self, collection: Json, items: Iterable[Json]) -> Added:
        """Write a STAC collection with these of its items; items of the same id are replaced."""
        collection = checked_collection(collection)
        return self._store([at_hand(collection, map(_placed, items))])[0]

    def apply(self, changes: Iterable[Change], author: Author) -> list[Outcome]:
        """Carry changes out, all of them or none.

        Raises:
            Problem: One of them cannot be; nothing was changed.
        """
        with self.changing() as connection:
            return [apply(connection, change, author) for change in changes]

    @contextmanager
    def changing(self) -> Iterator[Connection]:
        """A transaction for several changes, and for what is kept beside the catalogue; writers take turns."""
        with self._writer, writing(self._engine, "the catalogue") as connection:
            in_turn(connection)
            yield connection

    @contextmanager
    def looking(self) -> Iterator[Connection]:
        """A transaction that sees one state of the catalogue, and of what is kept beside it."""
        with reading(self._engine, "the catalogue") as connection:
            yield connection

    def under(self, ids: Iterable[str]) -> list[str]:
        """These collections, as far as they are there, and all that stands under them."""
        with reading(self._engine) as connection:
            return descendants(connection, ids)

    def collections(self, filters: Sequence[Filter] = ()) -> list[Json]:
        """All collections as STAC, or those of which all filters are true; sorted by id, described by their items."""
        wish = select(COLLECTIONS).where(COLLECTIONS.c.kind != "catalog").order_by(COLLECTIONS.c.id)
        with reading(self._engine) as connection:
            rows = connection.execute(self.readable.narrowed(wish)).all()
            found = [self._description(connection, row) for row in rows]
        return [c for c in found if all(holds(one, row_of_collection(c)) for one in filters)]

    def collection(self, id: str) -> Json:  # noqa: A002 (STAC's own name)
        """One collection as STAC, described by its items."""
        with reading(self._engine) as connection:
            return self._description(connection, self._row(connection, id))

    def has(self, id: str) -> bool:  # noqa: A002 (STAC's own name)
        """Is there a collection of this id that may be read?"""
        wish = self.readable.narrowed(select(COLLECTIONS.c.pk).where(COLLECTIONS.c.id == id))
        with reading(self._engine) as connection:
            return connection.execute(wish).one_or_none() is not None

    def holds_features(self, id: str) -> bool:  # noqa: A002 (STAC's own name)
        """Is there a collection of this id that may be read and holds features instead of STAC items?"""
        wish = self.readable.narrowed(select(COLLECTIONS.c.kind).where(COLLECTIONS.c.id == id))
        with reading(self._engine) as connection:
            return connection.execute(wish).scalar_one_or_none() == OF_FEATURES

    def allows_data(self, id: str) -> bool:  # noqa: A002 (STAC's own name)
        """May the data of a collection be read in full? Those of none that is there may not."""
        wish = select(COLLECTIONS.c.owner, COLLECTIONS.c.org).where(COLLECTIONS.c.id == id)
        with reading(self._engine) as connection:
            row = connection.execute(wish).one_or_none()
        return row is not None and self.readable.allows_data(row.owner, id, row.org)

    def is_picture(self, href: str) -> bool:
        """Is this an asset of items that may be read, and of none of them data in full?"""
        wish = (
            select(ASSETS.c.roles)
            .join(ITEMS, ITEMS.c.pk == ASSETS.c.item)
            .join(COLLECTIONS, COLLECTIONS.c.pk == ITEMS.c.collection)
            .where(ASSETS.c.href == href)
        )
        with reading(self._engine) as connection:
            roles = [
                json.loads(text or "[]")
                for text in connection.execute(self.readable.narrowed(wish)).scalars()
            ]
        return bool(roles) and all(PICTURES.intersection(each) and "data" not in each for each in roles)

    def owner_of(self, id: str) -> tuple[str, str]:  # noqa: A002 (STAC's own name)
        """Whose a collection is, and what the owner calls it."""
        with reading(self._engine) as connection:
            row = self._row(connection, id, COLLECTIONS.c.owner, COLLECTIONS.c.name)
            return row.owner, row.name

    def homes(self, called: str | None = None, owner: str | None = None) -> list[Home]:
        """Collections of owners: all, those that a name may mean, or those of one owner."""
        with reading(self._engine) as connection:
            return homes(connection, self.readable, called, owner)

    def tag(self, id: str) -> str:  # noqa: A002 (STAC's own name)
        """The state that a collection is in, as `PutCollection.tag` wants it."""
        with reading(self._engine) as connection:
            row = self._row(connection, id, COLLECTIONS.c.version, COLLECTIONS.c.updated)
            return tag_of(row.version, row.updated)

    def search(self, query: Query) -> Found:
        """All items of a collection that the query wants."""
        with reading(self._engine) as connection:
            return search(connection, self._row(connection, query.collection, COLLECTIONS.c.pk).pk, query)

    def find(self, wish: Search) -> Page:
        """One page of the items that a search over collections wants."""
        with reading(self._engine) as connection:
            return find(connection, wish, self.readable, self._columns)

    def find_in(self, collection: str, wish: Search) -> Page:
        """One page of the items of a collection that a search wants; features come as they came, unless told otherwise.

        Raises:
            Problem: There is no such collection.
        """
        with reading(self._engine) as connection:
            row = self._row(connection, collection, COLLECTIONS.c.kind)
            asked = replace(wish, collections=(collection,), arrival=row.kind == OF_FEATURES)
            return find(connection, asked, self.readable, self._columns)

    def item(self, collection: str, id: str) -> Hit:  # noqa: A002 (STAC's own name)
        """One item.

        Raises:
            Problem: There is no such item, or no such collection.
        """
        with reading(self._engine) as connection:
            hit = one(connection, collection, id, self.readable)
            if hit is None:
                self._row(connection, collection)
                raise Problem("ItemNotFound", f"there is no item {id!r} in collection {collection!r}")
        return hit

    def expired(self, before: str, limit: int) -> list[Hit]:
        """Items of owners whose `expires`, a time in UTC, lies before another; at most so many."""
        with reading(self._engine) as connection:
            return expired(connection, before, limit)

    def every(self, collection: str, wish: Search = Search(sortby=(Sort("id"),))) -> Iterator[Json]:
        """All items of a collection that a search wants, in pages that are read as they are wanted."""
        token: str | None = None
        while True:
            page = self.find_in(collection, replace(wish, limit=1000, token=token))
            yield from (hit.doc for hit in page.hits)
            if (token := page.next) is None:
                return

    def features(self, query: Query) -> Iterator[Json]:
        """All features of a collection that the query wants, as they came."""
        start, end = (None if moment is None else micros(moment) for moment in (query.start, query.end))
        wish = Search(bbox=query.bbox, start=start, end=None if end is None else end - 1)
        return (doc for doc in self.every(query.collection, wish) if passes(doc["properties"], query))

    def export(self, path: Path, collections: Sequence[str] = ()) -> int:
        """Write collections (by default all) with their items into a stac-geoparquet file; says how many items.

        Raises:
            Problem: There is no such collection, or there are no items.
        """
        ids = collections or [c["id"] for c in self.of_stac().collections()]
        homes = [self.collection(id_) for id_ in ids]
        if others := [home["id"] for home in homes if has_features(home)]:
            raise Problem(
                "FeatureUnsupported",
                f"collection {others[0]!r} holds features, and a snapshot holds STAC items",
                hint="Read them as GeoJSON at /collections/ID/items, or by GDAL's OAPIF driver.",
            )
        return snapshot.write(path, homes, (item for id_ in ids for item in self.every(id_)))

    def events(self, after: int, limit: int = 500) -> list[Event]:
        """What happened after the event of that number, in order, as far as it may be read."""
        with reading(self._engine) as connection:
            return [
                e for e in events(connection, after, limit) if self.readable.allows(e.owner, e.collection)
            ]

    def last_event(self) -> int:
        """The number of the latest event; 0 where nothing happened yet."""
        with reading(self._engine) as connection:
            return last_number(connection)

    def has_news(self, id: str, after: int) -> bool:  # noqa: A002 (STAC's own name)
        """Did anything happen to a collection or its items after the event of that number?"""
        with reading(self._engine) as connection:
            return has_news(connection, id, after)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def _store(self, batches: list[Batch]) -> tuple[Added, ...]:
        with self.changing() as connection:
            return tuple(store(connection, batch, Author()) for batch in batches)

    def _row(self, connection: Connection, id_: str, *columns: Any) -> Any:
        """A collection that may be read, or some columns of it."""
        wish = select(*(columns or [COLLECTIONS])).where(COLLECTIONS.c.id == id_)
        row = connection.execute(self.readable.narrowed(wish)).one_or_none()
        if row is None:
            known = list(connection.execute(self.readable.narrowed(select(COLLECTIONS.c.id))).scalars())
            raise unknown(id_, known, "the catalogue", "It is empty: add a source first.")
        return row

    def _description(self, connection: Connection, row: Any) -> Json:
        """Computed anew for each version of the collection, by looks at the items that came since the last."""
        with self._folding:
            known = self._described.get(row.pk)
            if known is None or known.created != row.created or known.version < row.rewritten:
                fold = Features() if row.kind == OF_FEATURES else Fold()
                known = self._described[row.pk] = Described(row.created, fold=fold)
            if known.version < row.version:
                known.take_in(connection, row)
            described: Json = json.loads(known.text)
        return described


def _placed(item: Any) -> Any:
    """The item with hrefs made absolute by its own `self` link, where it has one."""
    start = self_href(item) if isinstance(item, dict) else None
    return anchored(item, start) if start is not None else item
