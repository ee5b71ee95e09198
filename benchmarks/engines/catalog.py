"""Our catalogue, on SQLite or PostgreSQL, through its own door."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from benchmarks import archive
from benchmarks.child import Work
from benchmarks.laps import in_laps
from benchmarks.wishes import wishes

if TYPE_CHECKING:
    from engine.catalog.find import Search
    from engine.catalog.store import Catalog

ONE = archive.COLLECTIONS[0]


def opened(facts: Mapping[str, Any]) -> Catalog:
    """The catalogue of all items, loaded by whoever comes first."""
    from engine.catalog.store import Catalog

    catalog = Catalog(facts["place"])
    if not catalog.collections():
        load(catalog, archive.items(facts["items"]))
        settle(facts["place"])
    return catalog


def settle(place: str) -> None:
    """What PostgreSQL does by itself within a minute or so: look at what it holds, so that it can plan."""
    if "://" in place:
        import psycopg

        with psycopg.connect(place, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")


def load(catalog: Catalog, items: Iterable[archive.Json]) -> None:
    """Write items, a collection at a time."""
    made = list(items)
    for name in archive.COLLECTIONS:
        catalog.put(archive.collection(name), [item for item in made if item["collection"] == name])


def wish_of(body: Mapping[str, Any]) -> Search:
    """A search as our API reads it from what it is sent."""
    from engine.catalog.filters import parse_json
    from engine.catalog.find import Search
    from engine.catalog.order import Sort
    from engine.catalog.times import micros

    start, end = (
        [micros(datetime.fromisoformat(t)) for t in body["datetime"].split("/")]
        if "datetime" in body
        else (None, None)
    )
    return Search(
        collections=tuple(body["collections"]) if "collections" in body else None,
        bbox=tuple(body["bbox"]) if "bbox" in body else None,
        intersects=body.get("intersects"),
        start=start,
        end=end,
        filters=(parse_json(body["filter"]),) if "filter" in body else (),
        sortby=tuple(Sort(by["field"], by["direction"] == "desc") for by in body.get("sortby", ())),
        limit=body["limit"],
    )


def search(facts: Mapping[str, Any]) -> Work:
    """Searches of a family, each with the number of all that match."""
    catalog = opened(facts)

    def found(body: Mapping[str, Any]) -> list[str]:
        return [hit.doc["id"] for hit in catalog.find(wish_of(body)).hits]

    return in_laps(found, lambda _: wishes(facts["family"], facts["queries"]))


def get(facts: Mapping[str, Any]) -> Work:
    """Single items, by id."""
    catalog = opened(facts)
    known = [(i["collection"], i["id"]) for i in archive.items(facts["queries"])]
    return in_laps(lambda key: [catalog.item(*key).doc["id"]], lambda _: known)


def insert(facts: Mapping[str, Any]) -> Work:
    """New items, each in its own transaction."""
    from engine.catalog.changes import Author, Mode, PutItem

    catalog = opened(facts)

    def put(item: archive.Json) -> list[str]:
        catalog.apply([PutItem(item["collection"], item, Mode.CREATE)], Author())
        return [item["id"]]

    return in_laps(put, lambda number: archive.new_items(facts["queries"], number))


def bulk(facts: Mapping[str, Any]) -> Work:
    """New items of one collection, all in one transaction."""
    catalog = opened(facts)

    return Work(
        lambda items: catalog.put(archive.collection(ONE), items),
        lambda added: {"items": added.items_new},
        lambda number: archive.new_items(facts["many"], number),
    )


def loaded(facts: Mapping[str, Any]) -> Work:
    """A new catalogue, of so many items."""
    from engine.catalog.store import Catalog

    held: list[Catalog] = []
    items = list(archive.items(facts["many"]))

    def before(_: int) -> Catalog:
        for catalog in held:
            catalog.close()
        held[:] = [Catalog(new_place(facts))]
        return held[0]

    def run(catalog: Catalog) -> Catalog:
        load(catalog, items)
        return catalog

    def answer(catalog: Catalog) -> Mapping[str, float]:
        from engine.catalog.find import Search

        return {"items": catalog.find(Search(limit=1)).matched}

    return Work(run, answer, before)


def new_place(facts: Mapping[str, Any]) -> str:
    """Where there is no catalogue yet."""
    if "://" not in facts["place"]:
        return str(Path(tempfile.mkdtemp()) / "catalog.db")
    import psycopg

    name = f"b{uuid4().hex}"
    with psycopg.connect(facts["place"], autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return facts["place"].replace(facts["place"].partition("?")[0].rpartition("/")[2], name, 1)
