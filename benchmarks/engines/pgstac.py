"""pgstac, by its own SQL functions and its own loader; clouds and platforms are declared, and indexed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import uuid4

from benchmarks import archive
from benchmarks.child import Work
from benchmarks.laps import in_laps
from benchmarks.wishes import wishes

DECLARED = (("eo:cloud_cover", "number", "to_float"), ("platform", "string", "to_text"))
"""Properties with the types that they are compared as; without, numbers are compared as texts."""


def connected(place: str) -> Any:
    """A connection that commits each statement."""
    import psycopg

    return psycopg.connect(place, autocommit=True, options="-c search_path=pgstac,public")


def opened(facts: Mapping[str, Any]) -> Any:
    """A connection to the catalogue of all items, loaded by whoever comes first."""
    place = facts["place"]
    with connected(place) as connection:
        is_new = connection.execute("SELECT to_regclass('pgstac.items')").fetchone()[0] is None
    if is_new:
        make(place)
        load(place, archive.items(facts["items"]))
        with connected(place) as connection:
            connection.execute("VACUUM ANALYZE")
    return connected(place)


def make(place: str) -> None:
    """Its tables and functions, and the declared properties."""
    from pypgstac.db import PgstacDB
    from pypgstac.migrate import Migrate

    with PgstacDB(dsn=place) as database:
        Migrate(database).run_migration()
    with connected(place) as connection:
        for name, kind, wrapper in DECLARED:
            connection.execute(
                "SELECT upsert_queryable(%s, %s::jsonb, %s, 'BTREE')",
                (name, json.dumps({"type": kind}), wrapper),
            )


def load(place: str, items: Iterable[archive.Json]) -> None:
    """Write items with its loader."""
    with_loader(place, lambda loader: loader.load_collections(map(archive.collection, archive.COLLECTIONS)))
    with_loader(place, lambda loader: loader.load_items(iter(items)))


def with_loader(place: str, act: Callable[[Any], None]) -> None:
    """Something that its loader does."""
    from pypgstac.db import PgstacDB
    from pypgstac.load import Loader

    with PgstacDB(dsn=place) as database:
        act(Loader(database))


def search(facts: Mapping[str, Any]) -> Work:
    """Searches of a family; `context` is off, as it is by default: it does not count all that match."""
    connection = opened(facts)

    def found(body: Mapping[str, Any]) -> list[str]:
        row = connection.execute("SELECT search(%s::jsonb)::text", (json.dumps(body),)).fetchone()
        return [item["id"] for item in json.loads(row[0])["features"]]

    return in_laps(found, lambda _: wishes(facts["family"], facts["queries"]))


def get(facts: Mapping[str, Any]) -> Work:
    """Single items, by id."""
    connection = opened(facts)
    known = [(i["id"], i["collection"]) for i in archive.items(facts["queries"])]

    def found(key: tuple[str, str]) -> list[str]:
        return [json.loads(connection.execute("SELECT get_item(%s, %s)::text", key).fetchone()[0])["id"]]

    return in_laps(found, lambda _: known)


def insert(facts: Mapping[str, Any]) -> Work:
    """New items, each in its own transaction."""
    connection = opened(facts)

    def put(item: archive.Json) -> list[str]:
        connection.execute("SELECT create_item(%s::jsonb)", (json.dumps(item),))
        return [item["id"]]

    return in_laps(put, lambda number: archive.new_items(facts["queries"], number))


def bulk(facts: Mapping[str, Any]) -> Work:
    """New items of one collection, all at once."""
    opened(facts).close()

    def run(items: list[archive.Json]) -> int:
        with_loader(facts["place"], lambda loader: loader.load_items(iter(items)))
        return len(items)

    return Work(run, lambda count: {"items": count}, lambda number: archive.new_items(facts["many"], number))


def loaded(facts: Mapping[str, Any]) -> Work:
    """A new catalogue, of so many items."""
    items = list(archive.items(facts["many"]))

    def before(_: int) -> str:
        name = f"p{uuid4().hex}"
        with connected(facts["place"]) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        old = facts["place"].partition("?")[0].rpartition("/")[2]
        place = facts["place"].replace(old, name, 1)
        make(place)
        return place

    def run(place: str) -> str:
        load(place, items)
        return place

    def answer(place: str) -> Mapping[str, float]:
        with connected(place) as connection:
            return {"items": connection.execute("SELECT count(*) FROM items").fetchone()[0]}

    return Work(run, answer, before)
