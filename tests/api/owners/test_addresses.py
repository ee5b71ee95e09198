"""Two owners with the same names: which collection is meant, and who sees what."""

from __future__ import annotations

import pytest

from owner_bodies import item

pytestmark = pytest.mark.usefixtures("clean")
NEW = {"type": "Collection", "description": "of somebody"}


@pytest.fixture
def stocked(on_disk):
    """Alice and bob each have a collection `shared` with an item `one`; alice has another."""
    for user in ("alice", "bob"):
        on_disk[user].post(
            "/catalog/collections", json={**NEW, "id": "shared", "title": user}
        ).raise_for_status()
        on_disk[user].post(
            "/catalog/collections/shared/items", json=item("one", whose=user)
        ).raise_for_status()
    on_disk["alice"].post("/catalog/collections", json={**NEW, "id": "own"}).raise_for_status()
    on_disk["alice"].post("/catalog/collections/own/items", json=item("two")).raise_for_status()
    return on_disk


def whose(answer) -> str:
    assert answer.status_code == 200, answer.text
    return answer.json()["properties"]["whose"]


def found(answer) -> list[str]:
    assert answer.status_code == 200, answer.text
    return sorted(
        f"{f['properties']['owner']}:{f['collection']}/{f['id']}" for f in answer.json()["features"]
    )


def test_a_bare_id_is_ones_own_first(stocked):
    for user in ("alice", "bob"):
        assert whose(stocked[user].get("/catalog/collections/shared/items/one")) == user
        assert whose(stocked[user].get(f"/catalog/{user}/collections/shared/items/one")) == user
        assert stocked[user].get("/catalog/collections/shared").json()["owner"] == user
    assert whose(stocked["reader"].get("/catalog/collections/shared/items/one")) == "alice"


def test_a_bare_id_of_several_is_refused(stocked):
    answer = stocked["root"].get("/catalog/collections/shared")
    assert (answer.status_code, answer.json()["code"]) == (404, "CollectionNotFound")
    assert "alice:shared, bob:shared" in answer.json()["message"]
    assert stocked["root"].get("/catalog/collections/own").json()["owner"] == "alice"
    answer = stocked["root"].get("/catalog/search", params={"collections": "shared"})
    assert (answer.status_code, answer.json()["code"]) == (400, "ParameterInvalid")


@pytest.mark.parametrize(
    ("user", "collections", "expected"),
    [
        ("alice", None, ["alice:own/two", "alice:shared/one"]), ("bob", None, ["bob:shared/one"]),
        ("root", None, ["alice:own/two", "alice:shared/one", "bob:shared/one"]), ("reader_of_one", None, ["alice:shared/one"]),
        ("alice", ["shared"], ["alice:shared/one"]), ("bob", ["shared"], ["bob:shared/one"]),
        ("alice", ["bob:shared"], []), ("bob", ["alice_shared", "alice:own", "none"], []),
        ("root", ["bob_shared"], ["bob:shared/one"]), ("root", ["bob:shared", "alice_own"], ["alice:own/two", "bob:shared/one"]),
        ("writer", None, []),
    ],
)  # fmt: skip
def test_searches_find_what_may_be_read(stocked, user, collections, expected):
    body = {} if collections is None else {"collections": collections}
    query = {} if collections is None else {"collections": ",".join(collections)}
    assert found(stocked[user].post("/catalog/search", json=body)) == expected
    assert found(stocked[user].get("/catalog/search", params=query)) == expected


def test_an_underscore_is_never_taken_for_the_seam(stocked):
    """`a_b` of nobody and `b` of `a` are told apart by what is there, not by where the underscore stands."""
    alice = stocked["alice"]
    alice.post("/catalog/collections", json={**NEW, "id": "alice_own"}).raise_for_status()
    alice.post("/catalog/collections/alice_own/items", json=item("three")).raise_for_status()
    assert found(alice.post("/catalog/search", json={"collections": ["alice_alice_own"]})) == [
        "alice:alice_own/three"
    ]
    answer = alice.post("/catalog/search", json={"collections": ["alice_own"]})
    assert (answer.status_code, answer.json()["code"]) == (400, "ParameterInvalid")
    assert alice.get("/catalog/collections/alice_own").json()["id"] == "alice_own"


def test_searches_within_a_collection(stocked):
    alice = stocked["alice"]
    for place in ("/catalog/collections/alice:own/search", "/catalog/collections/own/search"):
        assert found(alice.get(place)) == ["alice:own/two"]
        assert found(alice.post(place, json={"ids": ["two", "one"]})) == ["alice:own/two"]
        assert found(alice.post(place, json={"collections": ["alice_own"]})) == ["alice:own/two"]
        assert found(alice.post(place, json={"collections": ["shared"]})) == []
        assert alice.post(place, json={"nonsense": 1}).status_code == 400
    assert stocked["bob"].get("/catalog/collections/alice:own/search").status_code == 404


def test_filters(stocked):
    alice = stocked["alice"]
    asked = {"filter": {"op": "=", "args": [{"property": "owner"}, "alice"]}, "filter-lang": "cql2-json"}
    assert found(stocked["root"].post("/catalog/search", json=asked)) == ["alice:own/two", "alice:shared/one"]
    assert found(stocked["root"].get("/catalog/search", params={"filter": "owner = 'bob'"})) == [
        "bob:shared/one"
    ]
    assert found(alice.post("/catalog/search", json={"query": {"whose": {"eq": "alice"}}})) == [
        "alice:shared/one"
    ]
    assert found(alice.get("/catalog/search", params={"bbox": "9,49,11,51"})) == [
        "alice:own/two",
        "alice:shared/one",
    ]
    assert found(alice.get("/catalog/search", params={"bbox": "0,0,1,1"})) == []


def test_pages_of_searches_and_items(stocked):
    alice = stocked["alice"]
    docs = {f"n{n}": item(f"n{n}") for n in range(5)}
    answer = alice.post("/catalog/collections/own/bulk_items", json={"items": docs, "method": "insert"})
    assert answer.json() == {"created": 5, "updated": 0, "ids": list(docs)}

    def next_of(page: dict) -> dict | None:
        return next((link for link in page["links"] if link["rel"] == "next"), None)

    for first in ("/catalog/collections/own/items", "/catalog/search", "/catalog/collections/own/search"):
        page, seen = alice.get(first, params={"limit": 2}).json(), []
        while True:
            seen += [f["id"] for f in page["features"]]
            if (following := next_of(page)) is None:
                break
            page = alice.get(following["href"]).json()
        assert len(seen) == len(set(seen) | {"one"}) if first == "/catalog/search" else len(seen) == 6
    for place in ("/catalog/search", "/catalog/collections/own/search"):
        body, seen = {"limit": 4, "collections": ["own"]}, []
        while True:
            page = alice.post(place, json=body).json()
            seen += [f["id"] for f in page["features"]]
            if (following := next_of(page)) is None:
                break
            assert following["href"].endswith(
                place.replace("own", "alice:own") if "alice" in place else place
            )
            body = following["body"]
        assert sorted(seen) == ["n0", "n1", "n2", "n3", "n4", "two"]


def test_lists_hold_what_may_be_read(stocked):
    def listed(user: str, path: str = "/catalog/collections") -> list[str]:
        return [f"{c['owner']}:{c['id']}" for c in stocked[user].get(path).json()["collections"]]

    assert listed("alice") == ["alice:own", "alice:shared"]
    assert listed("bob") == ["bob:shared"]
    assert listed("reader") == ["alice:own", "alice:shared"]
    assert listed("reader_of_one", "/catalog/alice/collections") == ["alice:shared"]
    assert listed("root") == ["alice:own", "alice:shared", "bob:shared"]
    assert listed("alice", "/catalog/collections?q=alice") == ["alice:shared"]
    assert listed("writer") == []
    children = [
        link for link in stocked["alice"].get("/catalog/alice").json()["links"] if link["rel"] == "child"
    ]
    assert [link["title"] for link in children] == ["own", "shared"]
    for child in children:
        assert stocked["alice"].get(child["href"]).json()["owner"] == "alice"


def test_what_is_hidden_looks_like_what_is_not_there(stocked):
    bob = stocked["bob"]
    for path in ("", "/items", "/items/two", "/items/two/download/x", "/search", "/queryables"):
        told = []
        for name in ("alice:own", "alice:owm"):
            answer = bob.get(f"/catalog/collections/{name}{path}").json()
            told.append([answer["status"], answer["code"], answer["message"].replace(name, "NAME")])
        assert told[0] == told[1]
        assert told[0][:2] == [404, "CollectionNotFound"]
    told = [bob.get(f"/catalog/{owner}").json() for owner in ("alice", "nobody")]
    assert [t["message"].replace(o, "NAME") for t, o in zip(told, ("alice", "nobody"), strict=True)] == [
        told[0]["message"].replace("alice", "NAME")
    ] * 2
    assert bob.get("/catalog/bob").status_code == 200
    assert stocked["writer"].get("/catalog/writer/collections").json()["collections"] == []


def test_other_routes_hide_it_too(stocked):
    """The catalogue of everybody knows collections of owners by their full ids, for those who may read them."""
    bob, alice = stocked["bob"], stocked["alice"]
    for name in ("alice:own", "alice:owm"):
        assert bob.get(f"/collections/{name}").status_code == 404
        assert bob.delete(f"/collections/{name}").status_code == 404
        assert "alice:shared" not in bob.delete(f"/collections/{name}").text
    assert alice.get("/collections/alice:own/items/two").json()["collection"] == "alice:own"


def test_queryables(stocked):
    alice = stocked["alice"]
    alice.post("/catalog/collections/own/items", json=item("three", platform="one")).raise_for_status()
    for path in ("/catalog/queryables", "/catalog/collections/alice:own/queryables"):
        assert alice.get(path).json()["properties"]["platform"]["enum"] == ["one"]
    assert "platform" not in stocked["bob"].get("/catalog/queryables").json()["properties"]
