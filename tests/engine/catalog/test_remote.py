"""STAC APIs over real HTTP on loopback: the server filters, we page to the end and filter exactly."""

import json
import socket
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlsplit

import pytest

from engine import catalog as catalogue
from engine.catalog import Query, reading
from engine.errors import Problem
from engine.http import Egress

open_stac = partial(catalogue.open_stac, egress=Egress(hosts=("127.0.0.1",)))


def when(day):
    return f"2022-06-{day:02d}T10:00:00Z"


@pytest.fixture
def scenes(item):
    """Seven scenes in a row from west to east, one a day; and two of another collection."""
    many = [item(f"s{n}", (10 + n, 50, 10.9 + n, 51), when(1 + n), collection="s2") for n in range(7)]
    return {"s2": many, "other": [item(f"o{n}", collection="other") for n in range(2)]}


def searches(served):
    return [(method, path) for method, path, _ in served.asked if "search" in path or "items" in path]


@pytest.mark.parametrize("post", [True, False])
def test_open_a_landing_page_pages_to_the_end(api, scenes, post):
    served = api(scenes, post=post)
    found = open_stac(served.url + "/", Query(""))
    assert len(found.items) == found.funnel.collection == 9
    assert searches(served) == [("POST" if post else "GET", "/search")] * 5
    first = next(ask for _, path, ask in served.asked if path == "/search")
    assert int(first["limit"]) == 500


@pytest.mark.parametrize("post", [True, False])
def test_the_server_filters_and_we_filter_exactly(api, scenes, post):
    served = api(scenes, post=post, page=10)
    triangle = scenes["s2"][3]["geometry"]
    triangle["coordinates"] = [[[13, 50], [13.9, 50], [13, 50.9], [13, 50]]]
    query = Query(
        "",
        (11.95, 50.95, 13.95, 50.99),
        datetime(2022, 6, 1, tzinfo=UTC),
        datetime(2022, 6, 4, 10, tzinfo=UTC),
    )
    found = open_stac(served.url, query)
    assert [i.id for i in found.items] == ["s2"], "s3 is touched by its box only"
    ask = next(ask for _, path, ask in served.asked if path == "/search")
    assert [float(v) for v in ask["bbox"]] == [11.95, 50.95, 13.95, 50.99]
    assert ask["datetime"] == "2022-06-01T00:00:00Z/2022-06-04T10:00:00Z"
    assert found.funnel.json() == {"collection": 2, "bbox": 1, "time": 1, "properties": 1, "nearest": []}


def test_open_a_collection_filters_at_its_items(api, scenes):
    served = api(scenes)
    found = open_stac(f"{served.url}/collections/s2", Query("", start=datetime(2022, 6, 5, tzinfo=UTC)))
    assert [i.id for i in found.items] == ["s4", "s5", "s6"]
    assert searches(served) == [("GET", "/collections/s2/items")] * 2
    assert all(i.collection_id == "s2" for i in found.items)


def test_open_an_item_and_a_search(api, scenes):
    served = api(scenes)
    assert [i.id for i in open_stac(f"{served.url}/collections/s2/items/s3", Query("")).items] == ["s3"]
    found = open_stac(
        f"{served.url}/search?collections=s2&bbox=10,50,12,51",
        Query("", bbox=(0, 0, 1, 1), end=datetime(2022, 6, 2, tzinfo=UTC)),
    )
    asked = [ask for _, path, ask in served.asked if path == "/search"]
    assert [float(v) for v in asked[0]["bbox"]] == [10, 50, 12, 51], "what the address says is not changed"
    assert asked[0]["datetime"] == "../2022-06-02T00:00:00Z"
    assert (found.funnel.collection, len(found.items)) == (1, 0)


def test_a_box_over_the_antimeridian_is_two_searches_and_no_item_comes_twice(api, item):
    west, east = item("w", (170, 0, 179, 1)), item("e", (-179, 0, -170, 1))
    wide, far = item("wide", (-180, 0, 180, 1)), item("far", (0, 0, 1, 1))
    served = api({"c": [west, east, wide, far]}, page=10)
    found = open_stac(served.url, Query("", bbox=(175, 0, -175, 1)))
    assert sorted(i.id for i in found.items) == ["e", "w", "wide"]
    boxes = [[float(v) for v in ask["bbox"]] for _, path, ask in served.asked if path == "/search"]
    assert boxes == [[175, 0, 180, 1], [-180, 0, -175, 1]]


def test_an_empty_page_is_not_the_end(api, scenes):
    served = api(scenes, empty_first=True)
    assert len(open_stac(served.url, Query("")).items) == 9


@pytest.mark.parametrize("post", [True, False])
def test_pages_in_a_circle_are_refused(api, scenes, post):
    served = api(scenes, post=post, circle=True)
    with pytest.raises(Problem, match="do not come to an end"):
        open_stac(served.url, Query(""))
    assert len(searches(served)) < 5


def test_nothing_found_tells_the_servers_counts_and_the_nearest_dates(api, scenes):
    served = api(scenes)
    query = Query("", (10, 50, 17, 51), datetime(2022, 7, 1, tzinfo=UTC), datetime(2022, 8, 1, tzinfo=UTC))
    for url in (f"{served.url}/collections/s2", served.url):
        found = open_stac(url, query)
        assert found.items == ()
        assert [d.day for d in found.funnel.nearest[:2]] == [7, 6]
    assert (found.funnel.collection, found.funnel.bbox, found.funnel.time) == (9, 9, 0)
    silent = api(scenes, counts=False, sort=False)
    assert open_stac(silent.url, query).funnel.json() == {
        "collection": 0,
        "bbox": 0,
        "time": 0,
        "properties": 0,
        "nearest": [],
    }


@pytest.mark.parametrize("how", [{}, {"post": False}, {"search": False}], ids=["post", "get", "no search"])
def test_add_an_api(catalog, api, scenes, how):
    served = api(scenes, **how)
    added = catalog.add(served.url)
    assert {(a.collection, a.items_new) for a in added} == {("s2", 7), ("other", 2)}
    whole = catalog.collection("s2")
    assert (whole["license"], whole["description"]) == ("CC-BY-4.0", "All of s2")
    assert whole["links"][0]["href"] == f"{served.url}/collections/s2"
    assert {a.items_updated for a in catalog.add(served.url)} == {7, 2}


def test_add_one_collection_of_an_api(catalog, api, scenes):
    served = api(scenes)
    (added,) = catalog.add(f"{served.url}/collections/other")
    assert (added.collection, added.items_new) == ("other", 2)
    before = len(searches(served))
    (added,) = catalog.add(served.url, collection="s2")
    assert (added.collection, added.items_new) == ("s2", 7)
    assert len(searches(served)) - before == 4, "the items of the other collection are not asked for"
    with pytest.raises(Problem, match="'s3' does not exist"):
        catalog.add(served.url, collection="s3")


def test_relative_hrefs_count_from_the_items_address(api, item):
    placed = item("a", assets={"x": {"href": "./x.tif"}, "y": {"href": "s3://bucket/y.tif"}})
    served = api({"c": [placed]})
    placed["links"] = [{"rel": "self", "href": f"{served.url}/collections/c/items/a"}]
    (found,) = open_stac(served.url, Query("")).items
    assert found.assets["x"].href == f"{served.url}/collections/c/items/x.tif"
    assert found.assets["y"].href == "s3://bucket/y.tif"


@pytest.mark.parametrize("href", ["file:///etc/passwd", "FILE:/etc/passwd", "zip+file:///home/x.zip!a.tif"])
def test_the_network_may_not_name_local_files(catalog, api, item, href):
    served = api({"c": [item("a", assets={"x": {"href": href}})]})
    for use in (lambda: open_stac(served.url, Query("")), lambda: catalog.add(served.url)):
        with pytest.raises(Problem, match="points to the local file") as caught:
            use()
        assert caught.value.code == "FilePathInvalid"


def test_the_network_may_not_pretend_to_be_local(api, item):
    sly = item("a", links=[{"rel": "self", "href": "file:///etc/x.json"}], assets={"x": {"href": "passwd"}})
    (one,) = open_stac(api({"c": [sly]}).url, Query("")).items
    assert one.assets["x"].href.startswith("http://127.0.0.1")
    bare_path = api({"c": [item("a", assets={"x": {"href": "/etc/passwd"}})]})
    assert open_stac(bare_path.url, Query("")).items[0].assets["x"].href == f"{bare_path.url}/etc/passwd"


def test_a_missing_document_names_itself_but_not_the_token(api, scenes):
    served = api(scenes)
    with pytest.raises(Problem) as caught:
        open_stac(f"{served.url.replace('://', '://me:secret@')}/nothing?token=hidden", Query(""))
    assert caught.value.code == "FileNotFound"
    assert caught.value.facts["status"] == 404
    assert "/nothing" in caught.value.message
    assert "hidden" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_server_that_is_not_there(monkeypatch):
    monkeypatch.setattr(reading, "PATIENCE", reading.PATIENCE.new(total=0))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/catalog.json"
        with pytest.raises(Problem, match="cannot be reached") as caught:
            open_stac(url, Query(""))
    assert caught.value.code == "FileNotFound"


def test_a_static_catalogue_on_the_web(catalog, api, item):
    """The same walk as on disk: many small documents, several asked for at a time, all in order."""
    count = 40
    items = {f"/i/{n}.json": item(f"i{n:02d}", assets={"x": {"href": "../x.tif"}}) for n in range(count)}
    links = [{"rel": "item", "href": f"./i/{n}.json"} for n in range(count)]
    root = {
        "type": "Collection",
        "stac_version": "1.0.0",
        "id": "web",
        "description": "x",
        "license": "other",
        "links": links,
        "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [[None, None]]}},
    }
    served = api({})
    documents = {"/collection.json": root, **items}
    served.answer = lambda method, path, ask: documents.get(path)  # type: ignore[method-assign]
    (added,) = catalog.add(f"{served.url}/collection.json")
    assert (added.collection, added.items_new) == ("web", count)
    (one, *_) = catalog.search(Query("web")).items
    assert one.assets["x"].href == f"{served.url}/x.tif"
    del documents["/i/7.json"]
    with pytest.raises(Problem, match=r"/i/7\.json cannot be read: the server answers"):
        open_stac(f"{served.url}/collection.json", Query(""))


def test_what_comes_from_an_api_is_json_ready(api, scenes):
    (one, *_) = open_stac(api(scenes).url, Query("")).items
    assert json.loads(json.dumps(one.to_dict()))["id"] == one.id
    assert not urlsplit(one.assets["B04"].href).query
