"""The profile's own requests, word by word, and what it says of their answers."""

from __future__ import annotations

from datetime import datetime, timedelta

import httpx
import pystac
import pytest

from owner_bodies import COLLECTION, FEATURE, FILES, UPDATED

pytestmark = pytest.mark.usefixtures("clean")
ITEM = FEATURE["id"]


def hrefs(doc: dict) -> dict[str, str]:
    return {link["rel"]: link["href"] for link in doc["links"]}


def test_a_collection_from_its_making_to_its_end(owned):
    root, url = owned["root"], owned.served.url
    made = root.post("/catalog/collections", json=COLLECTION)
    assert made.status_code == 201
    assert made.headers["location"] == f"{url}/catalog/test_owner/collections/test_collection"
    assert root.post("/catalog/collections", json=COLLECTION).status_code == 409

    found = root.get("/catalog/collections/test_owner:test_collection").json()
    assert {k: found[k] for k in ("id", "type", "owner", "description")} == {
        k: COLLECTION[k] for k in ("id", "type", "owner", "description")
    }
    pystac.Collection.from_dict(found)
    assert found["license"]
    assert found["extent"] == {
        "spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [[None, None]]},
    }  # fmt: skip
    place = f"{url}/catalog/test_owner"
    assert {rel: hrefs(found)[rel] for rel in ("items", "parent", "root", "self")} == {
        "items": f"{place}/collections/test_collection/items", "parent": place, "root": place,
        "self": f"{place}/collections/test_collection",
    }  # fmt: skip

    wrapped = root.get("/catalog/test_owner/collections").json()
    assert wrapped["collections"] == [found]
    assert wrapped["links"] == [
        {"rel": "root", "type": "application/json", "href": place},
        {"rel": "parent", "type": "application/json", "href": place},
        {"rel": "self", "type": "application/json", "href": f"{place}/collections"},
    ]
    assert root.get("/catalog/collections").json()["collections"] == [found]
    assert root.get("/catalog/test_owner/collections/test_collection").json() == found
    assert pystac.Catalog.from_dict(root.get(place).json()).id == "test_owner"

    assert root.put("/catalog/collections/test_owner:test_collection", json=UPDATED).status_code == 200
    again = root.get("/catalog/collections/test_owner:test_collection").json()
    assert again["description"] == "Updated collection description"
    gone = root.delete("/catalog/collections/test_owner:test_collection")
    assert (gone.status_code, gone.json()) == (200, {"deleted collection": "test_collection"})
    for answer in (
        root.get("/catalog/collections/test_owner:test_collection"),
        root.put("/catalog/collections/test_owner:test_collection", json=UPDATED),
        root.delete("/catalog/collections/test_owner:test_collection"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "CollectionNotFound")


def test_a_feature_from_its_making_to_its_end(owned):
    alice, url = owned["alice"], owned.served.url
    owned.upload(*FILES)
    alice.post("/catalog/collections", json={"id": "S1_L2", "type": "Collection"}).raise_for_status()
    made = alice.post("/catalog/collections/alice:S1_L2/items", json=FEATURE)
    assert made.status_code == 201, made.text
    assert owned.uploaded() == []
    assert [name.rpartition("alice/")[2] for name in owned.files()] == [
        f"S1_L2/{ITEM}/{name}" for name in sorted(FILES)
    ]

    place = f"{url}/catalog/alice/collections/S1_L2/items/{ITEM}"
    assert made.headers["location"] == place
    found = alice.get(f"/catalog/collections/alice:S1_L2/items/{ITEM}").json()
    assert alice.get(place).json() == found == made.json()
    pystac.Item.from_dict(found)
    assert found["bbox"] == [-94.6334839, 37.0332547, -94.6005249, 37.0595608]
    assert found["collection"] == "S1_L2"
    assert found["other_metadata"] == {}
    assert found["geometry"] == FEATURE["geometry"]
    assert hrefs(found) == {
        "collection": f"{url}/catalog/alice/collections/S1_L2", "parent": f"{url}/catalog/alice/collections/S1_L2",
        "root": f"{url}/catalog/alice", "self": place,
    }  # fmt: skip
    properties = found["properties"]
    assert FEATURE["properties"].items() <= properties.items()
    assert properties["owner"] == "alice"
    published, expires = (datetime.fromisoformat(properties[k]) for k in ("published", "expires"))
    assert expires - published == timedelta(days=30)
    assert properties["updated"] == properties["published"]
    for key, name in zip(("zarr", "cog", "ncdf"), FILES, strict=True):
        asset = found["assets"][key]
        assert asset["href"] == f"{place}/download/{key}"
        assert asset["roles"] == ["data"]
        s3 = asset["alternate"]["s3"]["href"]
        assert s3.startswith("s3://catalog-bucket/")
        assert s3.endswith(f"alice/S1_L2/{ITEM}/{name}")
        assert httpx.get(asset["href"]).status_code == 401
        file = alice.get(asset["href"])
        if file.status_code == 302:  # the object store has a signature of its own
            file = httpx.get(file.headers["location"])
        assert file.content == b"content"
    assert alice.get(f"{place}/download/none").status_code == 404

    assert alice.post("/catalog/collections/alice:S1_L2/items", json=FEATURE).status_code == 409
    changed = alice.put(f"/catalog/collections/alice:S1_L2/items/{ITEM}", json={**found, "bbox": None})
    assert changed.status_code == 200, changed.text
    assert changed.json()["assets"] == found["assets"]
    gone = alice.delete(f"/catalog/collections/alice:S1_L2/items/{ITEM}")
    assert (gone.status_code, gone.json()) == (200, {"deleted item": ITEM})
    assert owned.files() == []
    assert alice.delete(f"/catalog/collections/alice:S1_L2/items/{ITEM}").status_code == 404
    assert alice.put(f"/catalog/collections/alice:S1_L2/items/{ITEM}", json=found).status_code == 404


def test_the_landing_page_leads_everywhere(owned):
    nobody = owned["nobody"]
    landing = nobody.get("/catalog/").json()
    assert nobody.get("/catalog").json() == landing
    assert nobody.get("/catalog/conformance").json()["conformsTo"] == landing["conformsTo"]
    assert "https://api.stacspec.org/v1.0.0/item-search" in landing["conformsTo"]
    assert not [uri for uri in landing["conformsTo"] if "openeo" in uri]
    for link in landing["links"]:
        method = link.get("method", "GET")
        answer = owned["alice"].request(method, link["href"], json={} if method == "POST" else None)
        assert answer.status_code == 200, link
