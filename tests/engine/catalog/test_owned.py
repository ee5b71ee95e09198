"""Collections of owners, on both databases: which are meant by a name, what a change leaves behind, what has expired."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from engine.catalog import (
    Author,
    Catalog,
    PatchItem,
    PutCollection,
    PutItem,
    Readable,
    RemoveCollection,
    RemoveItem,
    readable_by,
)
from engine.catalog.expiry import wanted

ADA = Author("ada", "test")
HREF = "s3://bucket/{}.tif"


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request, tmp_path) -> Iterator[Catalog]:
    """Collections of a and a_b, and one of everybody."""
    place = tmp_path / "catalog.db"
    if request.param == "postgresql":
        place = request.getfixturevalue("postgis").with_postgis()
    opened = Catalog(place)
    for owner, name in (("a", "b_c"), ("a_b", "c"), ("a", "x"), ("", "x")):
        opened.apply([PutCollection({"id": name, "description": "Words"}, owner=owner)], ADA)
    yield opened
    opened.close()


def put(id_: str, *files: str, **properties) -> PutItem:
    assets = {name: {"href": HREF.format(name)} for name in files}
    told = {"datetime": "2024-01-01T00:00:00Z", **properties}
    return PutItem(
        "a:x", {"type": "Feature", "id": id_, "geometry": None, "properties": told, "assets": assets}
    )


def test_names(store):
    def ids(*args, **kwargs) -> list[str]:
        return [home.id for home in store.homes(*args, **kwargs)]

    assert ids() == ["a:b_c", "a:x", "a_b:c"]
    assert ids("a_b_c") == ["a:b_c", "a_b:c"]
    assert ids("x") == ids("a:x") == ids("a_x") == ["a:x"]
    assert ids("ax") == ids("%") == []
    assert ids(owner="a_b") == ["a_b:c"]
    roles = {"rs_catalog_a:x_read", "rs_catalog_a_b:*_download"}
    assert [h.id for h in store.seen_by(readable_by("z", roles)).homes()] == ["a:x"]
    assert [h.id for h in store.seen_by(readable_by("z", roles, ("download",))).homes()] == ["a_b:c"]


def test_collections_of_everybody_can_be_left_out(store):
    nobody = Readable(frozenset({"z"}), public=False)
    assert store.seen_by(nobody).collections() == []
    everyone = Readable(frozenset({"*"}), public=False)
    assert [c["id"] for c in store.seen_by(everyone).collections()] == ["a:b_c", "a:x", "a_b:c"]
    assert not nobody.allows("", "x")


def test_what_a_change_leaves_behind(store):
    def left(change) -> list[str]:
        return sorted(store.apply([change], ADA)[0].left)

    assert left(put("i", "one", "two")) == []
    assert left(put("i", "two", "three")) == [HREF.format("one")]
    assert left(PatchItem("a:x", "i", {"assets": {"two": None, "other": {"href": HREF.format("two")}}})) == []
    assert left(RemoveItem("a:x", "i")) == [HREF.format("three"), HREF.format("two")]
    store.apply([put("i", "one"), put("j", "one", "two")], ADA)
    assert left(RemoveCollection("a:x")) == [HREF.format("one"), HREF.format("two")]


def test_what_has_expired(store):
    times = {"early": "2024-01-01T00:00:00Z", "late": "2030-01-01T00:00:00Z", "odd": 5, "never": None}
    times["long"] = "x" + secrets.token_urlsafe(9000)
    store.apply([put(name, expires=time) for name, time in times.items()] + [put("silent")], ADA)
    (hit,) = store.expired("2025-01-01T00:00:00Z", 10)
    assert (hit.doc["id"], hit.owner) == ("early", "a")
    assert [hit.doc["id"] for hit in store.expired("2031-01-01T00:00:00Z", 10)] == ["early", "late"]
    assert [hit.doc["id"] for hit in store.expired("2031-01-01T00:00:00Z", 1)] == ["early"]


def test_what_has_expired_is_found_by_an_index(store):
    """Also in a catalogue that was made before there was one."""
    old = "ALTER TABLE items DROP COLUMN expires" if store.place.endswith(".db") else "SELECT 1"
    with store.changing() as connection:
        for statement in ("DROP INDEX items_expires", old):
            connection.exec_driver_sql(statement)
    store.close()
    again = Catalog(store.place)
    again.apply([put(f"i{n}", expires=f"{2000 + n}-01-01T00:00:00Z") for n in range(40)], ADA)
    assert len(again.expired("2020-01-01T00:00:00Z", 10)) == 10
    with again.changing() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        wish = wanted(connection.dialect.name, "2020-01-01T00:00:00Z", 10)
        if not is_sqlite:  # of few rows it would read all
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            connection.exec_driver_sql("SET LOCAL enable_sort = off")
        query = str(wish.compile(connection, compile_kwargs={"literal_binds": True}))
        way = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
        plan = "\n".join(str(row) for row in connection.exec_driver_sql(way + query))
    again.close()
    assert "items_expires" in plan
    assert "Sort" not in plan
    assert "TEMP B-TREE" not in plan
