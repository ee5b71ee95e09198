"""Who may do what: owners, administrators, and who has a role for it."""

from __future__ import annotations

import httpx
import pytest

from owner_bodies import item

pytestmark = pytest.mark.usefixtures("clean")
SHARED = "/catalog/collections/alice:shared"
NEW = {"type": "Collection", "description": "of somebody"}


@pytest.fixture
def shared(on_disk):
    """Collections of alice, one of them shared with others by roles."""
    on_disk.upload("a.tif")
    for name in ("shared", "own"):
        on_disk["alice"].post("/catalog/collections", json={**NEW, "id": name}).raise_for_status()
    on_disk["alice"].post(f"{SHARED}/items", json=item("one", "a.tif")).raise_for_status()
    return on_disk


DONE, REFUSED, HIDDEN = 200, 403, 404
ACTIONS = {
    "read": ("GET", f"{SHARED}/items/one", None),
    "search": ("GET", f"{SHARED}/search", None),
    "replace": ("PUT", SHARED, {**NEW, "id": "shared"}),
    "put": ("PUT", f"{SHARED}/items/one", item("one")),
    "patch": ("PATCH", f"{SHARED}/items/one", {"properties": {"a": 1}}),
    "bulk": ("POST", f"{SHARED}/bulk_items", {"items": {"two": item("two")}, "method": "upsert"}),
    "download": ("GET", f"{SHARED}/items/one/download/a.tif", None),
    "remove": ("DELETE", f"{SHARED}/items/one", None),
}
MAY = {
    "alice": dict.fromkeys(ACTIONS, DONE),
    "root": dict.fromkeys(ACTIONS, DONE),
    "bob": dict.fromkeys(ACTIONS, HIDDEN),
    "nobody": dict.fromkeys(ACTIONS, 401),
    "reader": dict.fromkeys(ACTIONS, REFUSED) | {"read": DONE, "search": DONE},
    "writer": dict.fromkeys(ACTIONS, DONE) | {"read": HIDDEN, "search": HIDDEN, "download": HIDDEN},
    "fetcher": dict.fromkeys(ACTIONS, HIDDEN) | {"download": DONE},
}


@pytest.mark.parametrize("user", MAY)
def test_roles(shared, user):
    order = [name for name in ACTIONS if name != "download"]
    for name in ("download", *order):
        method, path, body = ACTIONS[name]
        answer = shared[user].request(method, path, json=body)
        assert answer.status_code == MAY[user][name], (user, name, answer.text)


@pytest.mark.parametrize(
    ("user", "owner", "name", "status"),
    [
        ("bob", None, "new", 201), ("bob", "bob", "new", 201), ("bob", "alice", "new", 403), ("root", "anybody", "new", 201),
        ("writer", "alice", "other", 403), ("writer", "alice", "shared", 409), ("nobody", None, "new", 401),
        ("bob", "a:b", "new", 400), ("bob", "..", "new", 400), ("bob", 5, "new", 400), ("bob", None, "a/b", 400), ("bob", None, "", 400),
        ("bob", None, "a:b", 400), ("bob", None, "bob:new", 201), ("bob", None, None, 400),
    ],
)  # fmt: skip
def test_who_makes_collections(shared, user, owner, name, status):
    body = {**NEW, "id": name} | ({"owner": owner} if owner is not None else {})
    answer = shared[user].post("/catalog/collections", json=body)
    assert answer.status_code == status, answer.text
    if status == 201:
        assert (answer.json()["owner"], answer.json()["id"]) == (owner or user, "new")


def test_a_collection_keeps_its_owner_and_its_id(shared):
    alice = shared["alice"]
    assert alice.put(SHARED, json={**NEW, "id": "shared", "owner": "bob"}).status_code == 400
    assert alice.put(SHARED, json={**NEW, "id": "other"}).status_code == 400
    for id_ in ("shared", "alice:shared", "alice_shared"):
        assert alice.put(SHARED, json={**NEW, "id": id_}).json()["id"] == "shared"
    assert alice.get(f"{SHARED}/items/one").status_code == 200


def test_a_token_is_a_key(shared):
    token = shared["alice"].headers["authorization"].rpartition("/")[2]
    url = f"{shared.served.url}/catalog/collections"
    for key in (token, f"basic//{token}"):
        assert httpx.get(url, headers={"x-api-key": key}).json()["numberMatched"] == 2
    assert httpx.get(url, headers={"x-api-key": "wrong"}).status_code == 403
    assert httpx.get(f"{shared.served.url}/me", headers={"x-api-key": token}).status_code == 401
    told = httpx.request("OPTIONS", url).headers["access-control-allow-headers"]
    assert "x-api-key" in told.lower()
