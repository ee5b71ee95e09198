"""Publishing: who may what, what waits for what, and a log that tells the truth; on both databases."""

from __future__ import annotations

import random

import pytest

from engine.catalog import Author, PutCollection, Search
from engine.errors import Problem
from engine.events import message_of
from engine.records import User
from published import collection, item, message
from tests.engine.events.conftest import ADA, BOB

both = pytest.mark.parametrize("catalog", ["sqlite", "postgresql"], indirect=True)


def publish(live, user, *messages):
    return live.publisher.publish(user, [message_of(m) for m in messages])


def states(receipts) -> list[str]:
    return [r.state.value for r in receipts]


@both
def test_catalogue_collection_item_in_order(live, catalog):
    made = live()
    receipts = publish(
        made, ADA,
        message(collection("top", "Catalog")),
        message(collection("sat"), "top"),
        message(collection("2025"), "sat"),
        message({**item("a"), "collection": "2025"}, "sat"),
        message(item("b"), "2025"),
    )  # fmt: skip
    assert states(receipts) == ["accepted"] * 5, receipts
    events = catalog.events(0)
    assert [(e.kind, e.collection, e.item, e.source, e.actor) for e in events][-2:] == [
        ("Item", "2025", "a", "publish", "ada"),
        ("Item", "2025", "b", "publish", "ada"),
    ]
    assert events[-1].parents == ("sat", "top")
    assert [r.seq for r in receipts] == [e.seq for e in events]
    assert {r.org for r in receipts} == {"acme"}
    assert made.publisher.log(ADA, 2)[0] == {"accepted": 5, "pending": 0, "rejected": 0}


@both
def test_what_comes_too_early_waits_and_is_replayed_in_order(live, catalog):
    made = live()
    early = publish(
        made, ADA,
        message({**item("a"), "collection": "2025"}, "sat"),
        message(collection("2025"), "sat"),
        message({**item("b"), "collection": "2025"}, "sat", subscribable=False),
    )  # fmt: skip
    assert states(early) == ["pending"] * 3
    assert catalog.last_event() == 0
    assert states(publish(made, ADA, message(collection("sat")))) == ["accepted"]
    told = [(e.kind, e.collection, e.item, e.live) for e in catalog.events(0)]
    assert told == [
        ("Collection", "sat", None, True),
        ("Collection", "2025", None, True),
        ("Item", "2025", "a", True),
        ("Item", "2025", "b", False),
    ]
    counts, entries = made.publisher.log(ADA, 10)
    assert counts == {"accepted": 4, "pending": 0, "rejected": 0}
    assert all(e["state"] == "accepted" and e["seq"] for e in entries)


@both
def test_one_bad_message_spoils_no_other(live, catalog):
    made = live()
    bad = item("bad")
    bad["properties"] = {"datetime": "yesterday"}
    file = item("file")
    file["assets"] = {"a": {"href": "/etc/passwd"}}
    receipts = publish(
        made, ADA, message(collection("sat")), message(item("a"), "sat"), message(bad, "sat"),
        message(file, "sat"), message(item("b"), "sat"),
    )  # fmt: skip
    assert states(receipts) == ["accepted", "accepted", "rejected", "rejected", "accepted"]
    assert [hit.doc["id"] for hit in catalog.find(Search()).hits] == ["b", "a"]
    assert "yesterday" in receipts[2].reason


@both
def test_what_a_database_cannot_hold_spoils_no_other(live, catalog):
    """PostgreSQL has no index over texts that long, and says so as it says that it is away."""
    made, long = live(), item("long")
    long["assets"] = {"a": {"href": f"https://example.org/{random.Random(1).randbytes(20_000).hex()}"}}
    receipts = publish(
        made, ADA, message(collection("sat")), message(item("a"), "sat"), message(long, "sat"),
        message(item("b"), "sat"),
    )  # fmt: skip
    assert states(receipts)[:2] == ["accepted", "accepted"]
    assert states(receipts)[3] == "accepted"
    assert "a" in [hit.doc["id"] for hit in catalog.find(Search()).hits]


def test_publishing_again_replaces(live, catalog):
    made = live()
    publish(made, ADA, message(collection("sat")), message(item("a"), "sat"))
    publish(made, ADA, message(collection("sat", title="T")), message(item("a", gsd=10), "sat"))
    assert catalog.item("sat", "a").doc["properties"]["gsd"] == 10
    assert catalog.collection("sat")["title"] == "T"
    assert [e.event for e in catalog.events(0)] == ["created", "created", "updated", "updated"]


def test_who_may_publish_for_whom(live, catalog):
    made = live(organisations=[])
    assert not made.publisher.may_publish(ADA)
    made = live()
    publish(made, ADA, message(collection("sat")))
    for user, sent, state in (
        (ADA, message(item("a"), "sat", provider="acme"), "accepted"),
        (User("amy"), message(item("a2"), "sat"), "accepted"),
        (ADA, message(collection("tinys"), provider="tiny"), "accepted"),
        (ADA, message(item("t"), "tinys", provider="tiny"), "accepted"),
        (ADA, message(item("t"), "tinys"), "rejected"),
        (ADA, message(collection("betas"), provider="beta"), "rejected"),
        (ADA, message(collection("nobodys"), provider="nobody"), "rejected"),
        (BOB, message(item("b"), "sat"), "rejected"),
        (BOB, message(collection("sat")), "rejected"),
        (BOB, message(collection("under"), "sat"), "rejected"),
        (User("eve"), message(collection("eves")), "rejected"),
        (User("acme", roles=frozenset({"publisher"})), message(item("x"), "sat"), "rejected"),
        (User("eve", roles=frozenset({"publisher"})), message(collection("eves")), "accepted"),
        (User("root", roles=frozenset({"admin"})), message(item("r"), "sat", provider="acme"), "accepted"),
        (User("eve", roles=frozenset({"user", "catalog_write"})), message(item("e"), "sat"), "rejected"),
    ):
        (receipt,) = publish(made, user, sent)
        assert receipt.state == state, (user, sent, receipt)
        assert state == "accepted" or "PermissionsInsufficient" in receipt.reason


def test_a_private_collection_of_another_looks_like_one_that_is_not_there(live, catalog):
    made = live()
    catalog.apply([PutCollection({"id": "mine", "description": "d"}, owner="bob")], Author("bob"))
    assert states(publish(made, ADA, message(item("a"), "bob:mine"))) == ["pending"]
    made.publisher.tidy()
    assert made.publisher.log(ADA, 1)[0] == {"accepted": 0, "pending": 0, "rejected": 1}
    assert states(publish(made, BOB, message(item("b"), "bob:mine"))) == ["accepted"]


def test_links_to_known_ones_place_a_collection(live, catalog):
    made = live()
    far = [
        {"rel": "parent", "href": "https://example.org/collections/top"},
        {"rel": "child", "href": "./leaf/collection.json"},
        {"rel": "child", "href": "./nowhere/collection.json"},
    ]
    publish(
        made, ADA, message(collection("top", "Catalog")), message(collection("leaf")),
        message(collection("sat", links=far)), message(item("a"), "leaf"),
    )  # fmt: skip
    assert catalog.events(0)[-1].parents == ("sat", "top")


def test_no_collection_stands_under_itself(live, catalog):
    made = live()
    publish(made, ADA, message(collection("a")), message(collection("b"), "a"))
    assert states(publish(made, ADA, message(collection("a"), "b"), message(collection("a"), "a"))) == [
        "rejected",
        "rejected",
    ]


def test_what_waits_too_long_gets_a_bare_collection_under_its_own_parent(live, catalog):
    made = live(publish_pending_hours=1e-9)
    publish(
        made, ADA, message(collection("sat")), message({**item("a"), "collection": "2025"}, "sat"),
        message({**item("b"), "collection": "2024"}), message(collection("c"), "nowhere"),
    )  # fmt: skip
    publish(made, BOB, message({**item("d"), "collection": "2023"}, "sat"))
    made.publisher.tidy()
    assert [c["id"] for c in catalog.collections()] == ["2025", "sat"]
    assert catalog.item("2025", "a").doc["collection"] == "2025"
    assert made.publisher.log(ADA, 1)[0] == {"accepted": 2, "pending": 0, "rejected": 2}
    assert made.publisher.log(BOB, 1)[0] == {"accepted": 0, "pending": 0, "rejected": 1}


def test_what_came_by_another_way_ends_the_wait(live, catalog):
    made = live()
    publish(made, BOB, message(item("a"), "sat"))
    catalog.apply([PutCollection({"id": "sat", "description": "d"}, org="beta")], Author("root"))
    made.publisher.tidy()
    assert catalog.item("sat", "a").doc["id"] == "a"


def test_what_waits_and_what_is_logged_is_bounded(live):
    made = live(publish_pending_bytes=2000, publish_log_entries=3)
    receipts = publish(made, ADA, *(message(item(f"i{n}"), "sat") for n in range(10)))
    assert 1 <= states(receipts).count("pending") < 10
    assert "too much" in receipts[-1].reason
    counts, entries = made.publisher.log(ADA, 100)
    assert sum(counts.values()) == 10
    assert [e["id"] for e in entries] == ["i9", "i8", "i7"]


@pytest.mark.parametrize(
    "senseless",
    [
        [], 1, None, {}, {"active_parent": None}, {"data": collection("a")}, message({"type": "x"}),
        message({"type": "Feature"}), message(collection("")), {**message(collection("a")), "more": 1},
        message(collection("a"), 1), message(collection("a"), subscribable="no"),
        message(collection("a"), provider=1), message({**item("a"), "collection": []}),
        message({"type": [], "id": "a"}), message(collection("a\0")), message(collection("a" * 501)),
        message(collection("a"), "\0"), message({**item("a"), "collection": "\0"}),
    ],
)  # fmt: skip
def test_what_is_no_message_is_refused(senseless):
    with pytest.raises(Problem) as refused:
        message_of(senseless)
    assert refused.value.code == "MessageInvalid"
