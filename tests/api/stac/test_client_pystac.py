"""pystac-client, through its own ways: it finds, pages, filters, sorts and searches collections."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pystac_client import Client

from stac_scenes import fill


@pytest.fixture(scope="module", params=["", "/stac"])
def client(hub, writer, request) -> Iterator[Client]:
    """The client, at either face."""
    fill(writer, 12)
    opened = Client.open(f"{hub.url}{request.param}/")
    yield opened
    assert opened._stac_io is not None
    opened._stac_io.session.close()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_searches_in_pages(client, method):
    search = client.search(method=method, collections=["sat"], limit=5, datetime="2024-02-01/2024-02-29")
    assert search.matched() == 12
    assert [len(page["features"]) for page in search.pages_as_dicts()] == [5, 5, 2]
    assert [item.id for item in search.items()] == [f"i{n:02}" for n in reversed(range(12))]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_conditions(client, method):
    def found(**wish) -> list[str]:
        return [item.id for item in client.search(method=method, **wish).items()]

    assert found(filter="\"eo:cloud_cover\" < 10 AND collection = 'sat'") == ["i01", "i00"]
    assert found(filter={"op": ">=", "args": [{"property": "eo:cloud_cover"}, 55]}) == ["i11"]
    assert found(bbox=[12.1, 50.1, 12.2, 50.2], sortby="-properties.datetime") == ["i02"]
    point = {"type": "Point", "coordinates": [14.2, 50.5]}
    assert found(intersects=point) == ["i04"]
    assert found(ids=["i07"], fields=["id", "geometry"]) == ["i07"]
    if method == "POST":
        assert found(query={"eo:cloud_cover": {"lt": 5}}) == ["i00"]
    assert found(sortby=["+properties.eo:cloud_cover"], max_items=2) == ["i00", "i01"]


def test_collections_and_their_items(client):
    sat = client.get_collection("sat")
    assert sat.title == "Satellite"
    assert sat.get_item("i03").datetime.isoformat() == "2024-02-04T10:00:00+00:00"
    assert len(list(sat.get_items())) == 12
    assert "eo:cloud_cover" in sat.get_queryables()["properties"]
    assert [c.id for c in client.get_collections()] == ["sat"]


def test_searches_of_collections(client):
    assert [c.id for c in client.collection_search(q="optical").collections()] == ["sat"]
    assert list(client.collection_search(q="radar").collections()) == []
    assert client.collection_search(bbox=[0, 0, 1, 1]).matched() == 0
    assert client.collection_search(datetime="2024-02-03T00:00:00Z").matched() == 1
