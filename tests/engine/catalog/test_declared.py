"""Declared queryables: the same is found with and without, and with them by an index."""

from __future__ import annotations

from contextlib import closing

import pytest
from sqlalchemy import event

from engine.catalog import (
    PUBLIC,
    Author,
    Catalog,
    Mode,
    PutCollection,
    PutItem,
    Search,
    Sort,
    filter_from_text,
)
from engine.queryables import Queryable

DECLARED = (
    Queryable(name="sat:relative_orbit", type="number"),
    Queryable(name="s2:tile.id", type="string"),
    Queryable(name="platform", type="string"),
)
VALUES = [3, 3.0, 7, -1.5, "3", None, True, [3], 10**12]
TEXTS = ["31TFL", "31tfl", "é", "", "32U", 5, None, "31TFLX", "31TFM"]
WISHES = [
    '"sat:relative_orbit" = 3', '"sat:relative_orbit" > 0', '"sat:relative_orbit" IN (7, -1.5)',
    '"sat:relative_orbit" <> 3', '"sat:relative_orbit" IS NULL', '"sat:relative_orbit" + 1 = 4',
    "\"s2:tile.id\" = '31TFL'", "\"s2:tile.id\" LIKE '31T%'", "\"s2:tile.id\" > '31TFL'", "CASEI(\"s2:tile.id\") = CASEI('31TFL')",
    "\"s2:tile.id\" = '31TFL' AND \"sat:relative_orbit\" = 3", "\"sat:relative_orbit\" = '3'",
]  # fmt: skip


def item(n: int) -> dict:
    """An item with values of all kinds."""
    return {
        "type": "Feature", "stac_version": "1.1.0", "id": f"i{n}", "collection": "c", "links": [], "assets": {},
        "geometry": None,
        "properties": {
            "datetime": f"2024-01-01T00:{n // 60:02}:{n % 60:02}Z",
            "sat:relative_orbit": VALUES[n % len(VALUES)] if n < 300 else n, "s2:tile.id": TEXTS[n % 7 % len(TEXTS)],
        },
    }  # fmt: skip


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def place(request, tmp_path_factory) -> str:
    """A catalogue of 600 items, made without anything declared."""
    where = str(tmp_path_factory.mktemp("declared") / "catalog.sqlite")
    if request.param == "postgresql":
        where = request.getfixturevalue("postgis").database()
    with closing(Catalog(where)) as catalog:
        items = [PutItem("c", item(n), Mode.CREATE) for n in range(600)]
        catalog.apply([PutCollection({"id": "c", "description": "c"}, Mode.CREATE), *items], Author())
    return where


def found(catalog: Catalog, text: str, **more) -> list[str]:
    """Ids of what a filter finds."""
    wish = Search(filters=(filter_from_text(text),), limit=1000, **more)
    page = catalog.find(wish)
    assert page.matched == len(page.hits)
    return [hit.doc["id"] for hit in page.hits]


@pytest.mark.parametrize("text", WISHES)
def test_the_same_is_found_with_and_without(place, text):
    with closing(Catalog(place)) as without, closing(Catalog(place, declared=DECLARED)) as with_:
        assert found(with_, text) == found(without, text)
        by_id = (Sort("id"),)
        assert found(with_, text, sortby=by_id) == found(without, text, sortby=by_id)


@pytest.mark.parametrize(
    ("text", "name"), [('"sat:relative_orbit" = 7', "q_"), ("\"s2:tile.id\" = '31TFM'", "q_")]
)
def test_an_index_is_used(place, text, name):
    with closing(Catalog(place, declared=DECLARED)) as catalog:
        statements: list[tuple] = []
        event.listen(
            catalog._engine,
            "before_cursor_execute",
            lambda _c, _cur, sql, given, *_: statements.append((sql, given)),
        )
        found(catalog, text)
        sql, given = next((s, g) for s, g in statements if "ORDER BY" in s)
        explain = "EXPLAIN QUERY PLAN " if catalog._engine.dialect.name == "sqlite" else "EXPLAIN "
        with catalog._engine.begin() as connection:
            if explain == "EXPLAIN ":
                connection.exec_driver_sql("ANALYZE items")
                connection.exec_driver_sql("SET enable_seqscan = off")
            plan = "\n".join(str(row) for row in connection.exec_driver_sql(explain + sql, given))
        assert f"items_{name}" in plan, plan


def test_what_comes_later_is_found_too(place):
    with closing(Catalog(place, declared=DECLARED)) as catalog:
        late = {**item(7), "id": "late", "properties": {**item(7)["properties"], "sat:relative_orbit": -77}}
        catalog.apply([PutItem("c", late, Mode.UPSERT)], Author())
        assert found(catalog, '"sat:relative_orbit" = -77') == ["late"]
        moved = {**late, "properties": {**late["properties"], "sat:relative_orbit": -78}}
        catalog.apply([PutItem("c", moved, Mode.UPSERT)], Author())
        assert found(catalog, '"sat:relative_orbit" = -77') == []
        assert found(catalog, '"sat:relative_orbit" = -78') == ["late"]
        assert found(catalog.seen_by(PUBLIC), '"sat:relative_orbit" = -78') == ["late"]


@pytest.mark.parametrize("name", ["a b", "x'y", 'x"y', "", "x" * 201])
def test_names_that_no_index_can_have(name):
    with pytest.raises(ValueError, match="name"):
        Queryable(name=name, type="number")
