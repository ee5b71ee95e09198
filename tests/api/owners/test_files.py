"""Files that items bring along: taken in, kept, exchanged and removed, and never lost."""

from __future__ import annotations

import io
import threading
from datetime import UTC, datetime, timedelta

import httpx
import numpy as np
import pytest
import rasterio

from engine import Engine
from engine.catalog import Author, PatchItem
from engine.catalog.documents import STAC_VERSION
from engine.database import Away
from owner_bodies import item
from tests.api.datacosmos.test_processing import graph, tiff

pytestmark = pytest.mark.usefixtures("clean")
ITEMS = "/catalog/collections/files/items"


@pytest.fixture
def alice(owned):
    owned["alice"].post("/catalog/collections", json={"id": "files"}).raise_for_status()
    return owned["alice"]


def kept(owned) -> list[str]:
    return [name.partition("alice/files/")[2] for name in owned.files()]


def fetched(client, asset: dict) -> bytes:
    answer = client.get(asset["href"])
    return httpx.get(answer.headers["location"]).content if answer.status_code == 302 else answer.content


def test_every_bad_file_is_named_and_nothing_is_moved(owned, alice):
    owned.upload("good.tif")
    bad = item("one", "good.tif", "missing.tif")
    bad["assets"] |= {
        "web": {"href": "https://data.example/x.tif"}, "elsewhere": {"href": "s3://other-bucket/x.tif"},
        "up": {"href": "s3://temp-bucket/../catalog-bucket/x"}, "none": {}, "kept": {"href": "s3://catalog-bucket/alice/files/two/x"},
        "itself": {"href": "s3://temp-bucket/"}, "disk": {"href": "/etc/passwd"}, "hidden": {"href": "s3://temp-bucket//etc/passwd"},
    }  # fmt: skip
    answer = alice.post(ITEMS, json=bad)
    assert (answer.status_code, answer.json()["code"]) == (400, "FileContentInvalid")
    for key in bad["assets"]:
        assert (repr(key) in answer.json()["message"]) == (key != "good.tif")
    assert (owned.uploaded(), kept(owned)) == (["good.tif"], [])
    assert alice.get(f"{ITEMS}/one").status_code == 404


def test_of_several_items_all_are_taken_or_none(owned, alice):
    owned.upload("a.tif", "b.tif")
    docs = [item("one", "a.tif"), item("two", "b.tif"), item("three", "c.tif")]
    answer = alice.post(ITEMS, json={"type": "FeatureCollection", "features": docs})
    assert answer.status_code == 400
    assert "item 'three'" in answer.json()["message"]
    assert (owned.uploaded(), kept(owned)) == (["a.tif", "b.tif"], [])
    answer = alice.post(ITEMS, json={"type": "FeatureCollection", "features": docs[:2]})
    assert [f["id"] for f in answer.json()["features"]] == ["one", "two"]
    assert (owned.uploaded(), kept(owned)) == ([], ["one/a.tif", "two/b.tif"])


def test_what_is_not_sound_leaves_its_files_where_they_were(owned, alice):
    owned.upload("a.tif")
    bad = item("one", "a.tif")
    bad["properties"]["datetime"] = "yesterday"
    assert alice.post(ITEMS, json=bad).status_code == 400
    assert (owned.uploaded(), kept(owned)) == (["a.tif"], [])


def test_a_database_that_is_lost_at_the_end_costs_no_file(owned, alice, monkeypatch):
    """Nobody knows then whether the item was written: here it was."""
    owned.upload("a.tif")
    hub = owned.served.backend.hub
    apply = hub.apply

    def lost(*change):
        apply(*change)
        raise Away("InfrastructureBusy", "the catalogue cannot be used")

    monkeypatch.setattr(hub, "apply", lost)
    assert alice.post(ITEMS, json=item("one", "a.tif")).status_code == 503
    monkeypatch.undo()
    assert fetched(alice, alice.get(f"{ITEMS}/one").json()["assets"]["a.tif"]) == b"content"


def test_files_are_exchanged_by_put_and_patch(owned, alice):
    owned.upload("a.tif", "b.tif", content=b"old")
    first = alice.post(ITEMS, json=item("one", "a.tif", "b.tif")).json()
    owned.upload("a.tif", content=b"new")
    body = {**first, "assets": {**first["assets"], "a.tif": {"href": "s3://temp-bucket/a.tif"}}}
    second = alice.put(f"{ITEMS}/one", json=body).json()
    assert fetched(alice, second["assets"]["a.tif"]) == b"new"
    assert fetched(alice, second["assets"]["b.tif"]) == b"old"
    assert second["assets"]["b.tif"] == first["assets"]["b.tif"]
    assert len(owned.files()) == 2
    assert owned.uploaded() == []

    owned.upload("c.tif", content=b"third")
    third = alice.patch(
        f"{ITEMS}/one", json={"assets": {"b.tif": None, "c": {"href": "s3://temp-bucket/c.tif"}}}
    ).json()
    assert set(third["assets"]) == {"a.tif", "c"}
    assert fetched(alice, third["assets"]["a.tif"]) == b"new"
    assert fetched(alice, third["assets"]["c"]) == b"third"
    assert len(owned.files()) == 2
    for name in ("published", "expires", "owner"):
        assert third["properties"][name] == first["properties"][name]
    assert alice.delete(f"{ITEMS}/one").status_code == 200
    assert owned.files() == []


def test_names_lead_nowhere_else(owned, alice):
    owned.upload("deep/er/a b%20ü.tif")
    doc = item("..", "deep/er/a b%20ü.tif")
    doc["assets"] = {"ä/ö": doc["assets"]["deep/er/a b%20ü.tif"]}
    made = alice.post(ITEMS, json=doc)
    assert made.status_code == 201, made.text
    (name,) = owned.files()
    assert ".." not in name.split("/")
    assert alice.post(ITEMS, json=item("a/b")).status_code == 400
    long = item("x" * 500, "y.tif")
    owned.upload("y.tif")
    assert alice.post(ITEMS, json=long).status_code == 201


def test_an_owner_called_as_what_is_on_its_way(owned):
    root = owned["root"]
    root.post("/catalog/collections", json={"id": "files", "owner": ".uploads"}).raise_for_status()
    owned.upload("a.tif")
    made = root.post("/catalog/collections/.uploads:files/items", json=item("one", "a.tif"))
    assert made.status_code == 201, made.text
    assert fetched(root, made.json()["assets"]["a.tif"]) == b"content"


def test_two_files_of_one_name(owned, alice):
    owned.upload("one/a.tif", content=b"one")
    owned.upload("two/a.tif", content=b"two")
    doc = item("one", "one/a.tif", "two/a.tif")
    doc["assets"] = {"first": doc["assets"]["one/a.tif"], "second": doc["assets"]["two/a.tif"],
                     "again": doc["assets"]["one/a.tif"]}  # fmt: skip
    assets = alice.post(ITEMS, json=doc).json()["assets"]
    assert [fetched(alice, assets[k]) for k in ("first", "second", "again")] == [b"one", b"two", b"one"]
    assert len(owned.files()) == 2


def test_a_collection_takes_its_files_with_it(owned, alice):
    owned.upload("a.tif", "b.tif")
    alice.post(ITEMS, json=item("one", "a.tif")).raise_for_status()
    alice.post(ITEMS, json=item("two", "b.tif")).raise_for_status()
    assert alice.delete("/catalog/collections/files").json() == {"deleted collection": "files"}
    assert owned.files() == []


def test_files_go_with_what_they_belong_to_whichever_way_it_goes(owned, alice):
    owned.upload("a.tif", "b.tif", "c.tif")
    alice.post(ITEMS, json=item("one", "a.tif", "b.tif")).raise_for_status()
    alice.post(ITEMS, json=item("two", "c.tif")).raise_for_status()
    plain = "/collections/alice:files"
    changed = alice.patch(f"{plain}/items/one", json={"assets": {"a.tif": None}})
    assert changed.status_code == 200, changed.text
    assert kept(owned) == ["one/b.tif", "two/c.tif"]
    bare = {
        **item("one"),
        "collection": "alice:files",
        "assets": {"web": {"href": "https://data.example/x.tif"}},
    }
    assert alice.put(f"{plain}/items/one", json=bare).status_code == 200
    assert kept(owned) == ["two/c.tif"]
    assert alice.delete(f"{plain}/items/two").status_code in (200, 204)
    assert owned.files() == []
    owned.upload("d.tif")
    alice.post(ITEMS, json=item("three", "d.tif")).raise_for_status()
    assert alice.delete(plain).status_code in (200, 204)
    assert owned.files() == []


def test_nobody_reaches_files_of_another_by_naming_them(owned, alice):
    owned.upload("a.tif")
    first = alice.post(ITEMS, json=item("one", "a.tif")).json()
    address = first["assets"]["a.tif"]["alternate"]["s3"]["href"]
    bob = owned["bob"]
    bob.post("/catalog/collections", json={"id": "files"}).raise_for_status()
    for href in (address, first["assets"]["a.tif"]["href"]):
        doc = item("one")
        doc["assets"] = {"a.tif": {"href": href, "alternate": {"s3": {"href": address}}}}
        assert bob.post(ITEMS, json=doc).status_code == 400
    bob.post(ITEMS, json=item("one")).raise_for_status()
    patch = PatchItem("bob:files", "one", {"assets": {"a.tif": {"href": address}}})
    owned.served.backend.engine.catalog.apply([patch], Author("bob"))  # as no route of owners would do
    assert bob.get(f"{ITEMS}/one/download/a.tif").status_code == 404
    assert bob.delete(f"{ITEMS}/one").status_code == 200
    assert fetched(alice, first["assets"]["a.tif"]) == b"content"


def test_of_many_who_want_one_id_one_gets_it_and_its_files_are_there(owned, alice):
    names = [f"{n}/a.tif" for n in range(6)]
    for name in names:
        owned.upload(name, content=name.encode())
    answers = []

    def post(name: str) -> None:
        doc = item("one", name)
        doc["assets"] = {"a": doc["assets"][name]}
        with httpx.Client(headers=alice.headers, timeout=60) as client:
            answers.append((client.post(f"{owned.served.url}{ITEMS}", json=doc).status_code, name))

    threads = [threading.Thread(target=post, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(status for status, _ in answers) == [201, *[409] * 5]
    winner = next(name for status, name in answers if status == 201)
    asset = alice.get(f"{ITEMS}/one").json()["assets"]["a"]
    assert fetched(alice, asset) == winner.encode()
    assert len(owned.files()) == 1
    assert owned.uploaded() == sorted(set(names) - {winner})


def test_changes_at_once_lose_no_file(owned, alice):
    alice.post(ITEMS, json=item("one")).raise_for_status()
    names = [f"f{n}.tif" for n in range(5)]
    owned.upload(*names)

    def add(name: str) -> None:
        with httpx.Client(headers=alice.headers, timeout=60) as client:
            patch = {"assets": {name: {"href": f"s3://temp-bucket/{name}"}}}
            while (answer := client.patch(f"{owned.served.url}{ITEMS}/one", json=patch)).status_code != 200:
                assert answer.status_code == 412, answer.text

    threads = [threading.Thread(target=add, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assets = alice.get(f"{ITEMS}/one").json()["assets"]
    assert sorted(assets) == names
    assert all(fetched(alice, asset) == b"content" for asset in assets.values())
    assert (len(owned.files()), owned.uploaded()) == (5, [])


def test_what_is_written_into_items(owned, alice):
    body = {
        **item("one", published="1999-01-01T00:00:00Z", owner="bob"),
        "geometry": None,
        "bbox": [0, 0, 0, 200],
    }
    before = datetime.now(UTC) - timedelta(seconds=2)
    told = alice.post(ITEMS, json=body).json()
    assert told["geometry"] is None
    assert "bbox" not in told
    assert told["stac_version"] == STAC_VERSION or told["stac_version"] == "1.0.0"
    assert told["properties"]["owner"] == "alice"
    assert datetime.fromisoformat(told["properties"]["published"]) >= before
    for box in ([0], "x", [1, 2, 3], [0, 5, 1, 4], [None] * 4, [0, 0, 1e9, 1], {}):
        doc = {**item("two"), "bbox": box}
        assert alice.post(ITEMS, json=doc).json()["bbox"] == [10, 50, 10, 50]
        alice.delete(f"{ITEMS}/two").raise_for_status()
    assert alice.post(ITEMS, json={**item("two"), "bbox": [9, 49, 11, 51]}).json()["bbox"] == [9, 49, 11, 51]
    for name in ("files", "alice:files", "alice_files"):
        assert alice.put(f"{ITEMS}/two", json={**item("two"), "collection": name}).status_code == 200
    assert alice.put(f"{ITEMS}/two", json={**item("two"), "collection": "other"}).status_code == 400
    assert alice.put(f"{ITEMS}/two", json=item("three")).status_code == 400


def test_states_are_kept_apart(owned, alice):
    tag = alice.post(ITEMS, json=item("one")).headers["etag"]
    same = alice.get(f"{ITEMS}/one", headers={"If-None-Match": tag})
    assert same.status_code == 304
    newer = alice.patch(f"{ITEMS}/one", json={"properties": {"a": 1}}, headers={"If-Match": tag})
    assert newer.status_code == 200
    for method, body in (("PUT", item("one")), ("PATCH", {"properties": {}}), ("DELETE", None)):
        answer = alice.request(method, f"{ITEMS}/one", json=body, headers={"If-Match": tag})
        assert (answer.status_code, answer.json()["code"]) == (412, "PreconditionFailed")


def test_many_at_a_time(owned, alice):
    place = "/catalog/collections/files/bulk_items"
    docs = {"one": item("one"), "two": item("two")}
    assert alice.post(place, json={"items": docs}).json() == {
        "created": 2,
        "updated": 0,
        "ids": ["one", "two"],
    }
    more = docs | {"three": item("three")}
    assert alice.post(place, json={"items": more, "method": "insert"}).status_code == 409
    assert alice.get(f"{ITEMS}/three").status_code == 404
    answer = alice.post(place, json={"items": more, "method": "upsert"})
    assert answer.json() == {"created": 1, "updated": 2, "ids": ["one", "two", "three"]}
    for bad in (
        {},
        {"items": []},
        {"items": {"a": item("b")}},
        {"items": docs, "method": "replace"},
        {"items": {"a": 5}},
    ):
        assert alice.post(place, json=bad).status_code == 400


def test_what_has_expired_is_removed(owned, alice):
    owned.upload("a.tif", "b.tif")
    for name, file in (("old", "a.tif"), ("new", "b.tif")):
        alice.post(ITEMS, json=item(name, file)).raise_for_status()
    patch = PatchItem("alice:files", "old", {"properties": {"expires": "2020-01-01T00:00:00Z"}})
    backend = owned.served.backend
    backend.engine.catalog.apply([patch], Author())
    assert backend.owners.expire() == 1
    assert backend.owners.expire() == 0
    assert alice.get(f"{ITEMS}/old").status_code == 404
    assert alice.get(f"{ITEMS}/new").status_code == 200
    assert kept(owned) == ["new/b.tif"]
    event = backend.engine.catalog.events(0)[-1]
    assert (event.event, event.item, event.source) == ("deleted", "old", "owner")


def test_parts_of_files_on_disk(on_disk):
    alice = on_disk["alice"]
    alice.post("/catalog/collections", json={"id": "files"}).raise_for_status()
    on_disk.upload("a.tif", content=b"0123456789")
    place = alice.post(ITEMS, json=item("one", "a.tif")).json()["assets"]["a.tif"]["href"]
    answer = alice.get(place, headers={"Range": "bytes=2-4"})
    assert (answer.status_code, answer.content) == (206, b"234")
    alice.delete("/catalog/collections/files").raise_for_status()


def test_a_graph_computes_from_the_files_of_an_item(on_disk):
    alice, bob = on_disk["alice"], on_disk["bob"]
    alice.post("/catalog/collections", json={"id": "cubes"}).raise_for_status()
    values = np.arange(600, dtype="uint16").reshape(20, 30)
    on_disk.upload("data.tif", content=tiff(values))
    made = alice.post("/catalog/collections/cubes/items", json=item("scene", "data.tif"))
    assert made.status_code == 201, made.text
    answer = alice.post("/result", json=graph("alice:cubes"))
    assert answer.status_code == 200, answer.text
    with rasterio.open(io.BytesIO(answer.content)) as found:
        np.testing.assert_array_equal(found.read(1), values)
    assert bob.post("/result", json=graph("alice:cubes")).json()["code"] == "CollectionNotFound"


def test_a_graph_computes_from_files_in_a_bucket(owned, alice):
    """Here, and not over HTTP: processes that compute were forked before the store had its keys."""
    values = np.arange(600, dtype="uint16").reshape(20, 30)
    owned.upload("data.tif", content=tiff(values))
    alice.post(ITEMS, json=item("scene", "data.tif")).raise_for_status()
    settings = owned.served.backend.settings.of_user("alice")
    with Engine(settings) as engine:
        found = engine.run(graph("alice:files")["process"])
        np.testing.assert_array_equal(np.squeeze(found.values), values)
