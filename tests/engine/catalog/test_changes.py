"""Changes of the catalogue, on both databases: what is written is there, what is refused leaves no trace, and each has its event."""

from __future__ import annotations

import threading
from contextlib import suppress

import pytest

from engine.catalog import (
    PUBLIC,
    Author,
    Catalog,
    Mode,
    PatchCollection,
    PatchItem,
    PutCollection,
    PutItem,
    Query,
    RemoveCollection,
    RemoveItem,
    Search,
    Sort,
    filter_from_text,
    readable_by,
)
from engine.errors import Problem

ADA = Author("ada", "test")


def put(
    id_: str, item, *, into: str = "c", mode: Mode = Mode.CREATE, tag: str | None = None, **more
) -> PutItem:
    return PutItem(into, item(id_, **more), mode, tag)


def ids(store: Catalog, **wish) -> list[str]:
    return [hit.doc["id"] for hit in store.find(Search(**wish)).hits]


def test_what_is_put_is_found_and_can_be_processed(store, item):
    (done,) = store.apply([put("a", item)], ADA)
    assert (done.event, done.collection, done.item) == ("created", "c", "a")
    assert store.item("c", "a").doc == done.doc
    assert store.item("c", "a").tag == done.tag
    assert [i.id for i in store.search(Query("c", (10, 50, 11, 51))).items] == ["a"]
    assert [i.id for i in store.search(Query("c", (12, 50, 13, 51))).items] == []
    assert store.collection("c")["extent"]["spatial"]["bbox"] == [[10, 50, 11, 51]]


def test_what_is_not_sound_among_many_leaves_nothing(store, item):
    before = store.last_event()
    bad = {**item("bad"), "properties": {}}
    for items in (
        [*(item(f"i{n}") for n in range(100)), bad, item("z")],
        [item("a"), {**bad, "id": "twice"}, item("twice")],
        [item("a"), {**item("b"), "id": 5}],
    ):
        with pytest.raises(Problem, match="is not a STAC document that can be kept"):
            store.put({"id": "c"}, items)
    assert ids(store) == []
    assert store.last_event() == before
    assert store.put({"id": "c"}, [item("a")]).items_new == 1


def test_create_takes_only_what_is_new_and_replace_only_what_is_there(store, item):
    store.apply([put("a", item)], ADA)
    with pytest.raises(Problem) as refused:
        store.apply([put("a", item)], ADA)
    assert refused.value.code == "AlreadyExists"
    with pytest.raises(Problem) as refused:
        store.apply([put("b", item, mode=Mode.REPLACE)], ADA)
    assert refused.value.code == "ItemNotFound"
    with pytest.raises(Problem) as refused:
        store.apply([put("b", item, into="d")], ADA)
    assert refused.value.code == "CollectionNotFound"
    (again,) = store.apply([put("a", item, mode=Mode.UPSERT, box=(20, 50, 21, 51))], ADA)
    assert again.event == "updated"
    assert [i.id for i in store.search(Query("c", (20, 50, 21, 51))).items] == ["a"]
    assert store.search(Query("c", (10, 50, 11, 51))).items == ()


def test_one_bad_change_undoes_all(store, item):
    before = store.last_event()
    with pytest.raises(Problem):
        store.apply([put("a", item), put("b", item, properties={"datetime": "yesterday"})], ADA)
    assert ids(store) == []
    assert store.last_event() == before


def test_a_tag_names_one_state_only(store, item):
    (made,) = store.apply([put("a", item)], ADA)
    (changed,) = store.apply([PatchItem("c", "a", {"properties": {"gsd": 10}}, made.tag)], ADA)
    assert changed.doc["properties"]["gsd"] == 10
    for change in (
        PatchItem("c", "a", {"properties": {"gsd": 20}}, made.tag),
        RemoveItem("c", "a", made.tag),
        put("a", item, mode=Mode.REPLACE, tag=made.tag),
        put("new", item, mode=Mode.UPSERT, tag="*"),
    ):
        with pytest.raises(Problem) as refused:
            store.apply([change], ADA)
        assert refused.value.code == "PreconditionFailed"
    store.apply([RemoveItem("c", "a", changed.tag)], ADA)
    (back,) = store.apply([put("a", item)], ADA)
    assert back.tag not in (made.tag, changed.tag)


def test_fifty_writers_that_ask_for_the_state_lose_no_update(store, item):
    store.apply([put("a", item, properties={"count": 0})], ADA)

    def add() -> None:
        while True:
            hit = store.item("c", "a")
            patch = {"properties": {"count": hit.doc["properties"]["count"] + 1}}
            with suppress(Problem):
                store.apply([PatchItem("c", "a", patch, hit.tag)], ADA)
                return

    threads = [threading.Thread(target=add) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.item("c", "a").doc["properties"]["count"] == 50


def test_events_tell_all_that_happened_in_order(store, item):
    store.apply([put("a", item), put("b", item)], ADA)
    store.apply([PatchItem("c", "a", {"properties": {"gsd": 10}}), RemoveItem("c", "b")], ADA)
    told = [(e.event, e.kind, e.item, e.actor, e.source) for e in store.events(0)]
    assert told == [
        ("created", "Collection", None, "ada", "test"),
        ("created", "Item", "a", "ada", "test"),
        ("created", "Item", "b", "ada", "test"),
        ("updated", "Item", "a", "ada", "test"),
        ("deleted", "Item", "b", "ada", "test"),
    ]
    numbers = [e.seq for e in store.events(0)]
    assert numbers == sorted(set(numbers))
    assert [e.seq for e in store.events(numbers[2])] == numbers[3:]
    by_item = {(e.item, e.event): e.doc for e in store.events(0)}
    assert by_item["a", "created"]["properties"]["gsd"] == 10, "items are told as they are now"
    assert by_item["b", "created"] is None


def test_collections_change_and_go_with_their_items(store, item):
    store.apply([put("a", item)], ADA)
    store.apply([PatchCollection("c", {"title": "T", "description": None})], ADA)
    assert store.collection("c")["title"] == "T"
    store.apply([RemoveCollection("c")], ADA)
    assert store.collections() == []
    assert ids(store) == []
    store.apply([PutCollection({"id": "c", "description": "Anew"}), put("b", item)], ADA)
    assert ids(store, bbox=(10, 50, 11, 51)) == ["b"]


def test_owners_call_their_collections_alike_and_others_do_not_see_them(store, item):
    for owner in ("ada", "bob"):
        store.apply([PutCollection({"id": "mine", "description": owner}, owner=owner)], Author(owner, "test"))
        store.apply([put("x", item, into=f"{owner}:mine")], Author(owner, "test"))
    assert [c["id"] for c in store.collections()] == ["ada:mine", "bob:mine", "c"]
    assert [c["id"] for c in store.seen_by(PUBLIC).collections()] == ["c"]
    ada = store.seen_by(readable_by("ada", ()))
    assert [hit.doc["collection"] for hit in ada.find(Search()).hits] == ["ada:mine"]
    with pytest.raises(Problem) as refused:
        ada.item("bob:mine", "x")
    assert refused.value.code == "CollectionNotFound"
    friend = store.seen_by(readable_by("eve", {"rs_catalog_bob:mine_read", "rs_catalog_ada:mine_write"}))
    assert [c["id"] for c in friend.collections()] == ["bob:mine", "c"]
    assert {e.owner for e in friend.events(0)} == {"", "bob"}
    assert store.owner_of("ada:mine") == ("ada", "mine")


def test_collections_are_found_by_filters(store, item):
    store.apply(
        [PutCollection({"id": "d", "description": "Other", "title": "D", "gsd": 10}), put("a", item)], ADA
    )

    def found(text: str) -> list[str]:
        return [c["id"] for c in store.collections((filter_from_text(text),))]

    assert found("gsd >= 10") == ["d"]
    assert found("S_INTERSECTS(geometry, POINT(10.5 50.5)) AND id = 'c'") == ["c"]
    assert found("T_BEFORE(datetime, DATE('2022-07-01'))") == ["c"], "d covers all times, as far as it tells"
    assert found("NOT title = 'D'") == [], "one without a title is neither"


def test_catalogues_stand_over_collections_and_events_tell_of_them(store, item):
    store.apply([PutCollection({"id": "top", "type": "Catalog", "description": "All"})], ADA)
    store.apply([PutCollection({"id": "sat", "description": "Sat"}, parents=("top",))], ADA)
    store.apply(
        [PutCollection({"id": "2025", "description": "Year"}, parents=("sat",)), put("a", item, into="2025")],
        ADA,
    )
    assert store.events(0)[-1].parents == ("sat", "top")
    assert [c["id"] for c in store.collections()] == ["2025", "c", "sat"], "a catalogue is no collection"


def test_pages_tell_every_item_once_whatever_the_order(store, item):
    values = [3, None, "b", 1.5, True, "a", 3, -2, False, "b"]
    changes = [
        put(f"i{n}", item, when=f"2022-06-{1 + n % 4:02}T00:00:00Z", properties={} if v is None else {"v": v})
        for n, v in enumerate(values)
    ]
    store.apply(changes, ADA)
    orders = {
        (): ["i7", "i3", "i6", "i2", "i9", "i5", "i1", "i8", "i4", "i0"],
        (Sort("id"),): [f"i{n}" for n in range(10)],
        (Sort("properties.v"), Sort("id")): ["i7", "i3", "i0", "i6", "i5", "i2", "i9", "i8", "i4", "i1"],
        (Sort("v", True), Sort("id")): ["i0", "i6", "i3", "i7", "i2", "i9", "i5", "i4", "i8", "i1"],
    }
    for sortby, expected in orders.items():
        seen, token = [], None
        while True:
            page = store.find(Search(sortby=sortby, limit=3, token=token))
            assert page.matched == 10
            seen += [hit.doc["id"] for hit in page.hits]
            if (token := page.next) is None:
                break
        assert seen == expected, sortby


def test_a_page_goes_on_where_it_ended_whatever_came_in_between(store, item):
    store.apply([put(f"i{n}", item, when=f"2022-06-0{n}T00:00:00Z") for n in range(1, 6)], ADA)
    page = store.find(Search(limit=2))
    assert [hit.doc["id"] for hit in page.hits] == ["i5", "i4"]
    store.apply([put("late", item, when="2023-01-01T00:00:00Z"), RemoveItem("c", "i4")], ADA)
    page = store.find(Search(limit=2, token=page.next))
    assert [hit.doc["id"] for hit in page.hits] == ["i3", "i2"]


@pytest.mark.parametrize(
    "token", ["", "x", "W10", "WzEsMiwzXQ", "bnVsbA", "a" * 9000, "WzEwMCxudWxsLG51bGxd"]
)
def test_a_token_of_something_else_is_refused(store, item, token):
    with pytest.raises(Problem) as refused:
        store.find(Search(token=token))
    assert refused.value.code == "ParameterInvalid"


def test_items_are_found_by_time_and_place(store, item):
    nowhere = {**item("nowhere"), "geometry": None}
    del nowhere["bbox"]
    span = {
        "datetime": None,
        "start_datetime": "2022-01-01T00:00:00Z",
        "end_datetime": "2022-03-01T00:00:00Z",
    }
    store.apply(
        [
            put("east", item, box=(170, 0, 175, 5)),
            put("both", item, box=(178, 0, -178, 2), geometry=None),
            put("span", item, properties=span),
            PutItem("c", nowhere),
        ],
        ADA,
    )
    assert ids(store, bbox=(-179, 0, -178.5, 1)) == ["both"]
    assert sorted(ids(store, bbox=(172, 0, -178.5, 1))) == ["both", "east"]
    square = {"type": "Polygon", "coordinates": [[[171, 1], [172, 1], [172, 2], [171, 2], [171, 1]]]}
    assert ids(store, intersects=square) == ["east"]
    february = 1_643_673_600_000_000
    assert ids(store, start=february, end=february) == ["span"]
    assert len(ids(store)) == 4
