"""The catalogue over HTTP: what is written there is read, searched and paged, by STAC's own words."""

from __future__ import annotations

import copy
import threading

import httpx
import pystac
import pytest
from pystac.validation import validate_dict

from stac_scenes import COLLECTION, fill, made

CLASSES = ("ogcapi-features", "item-search", "item-search#filter", "item-search#query", "item-search#sort", "item-search#fields")  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def stocked(writer):
    """Twelve items, a day apart, cloudier each day."""
    fill(writer, 12)


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [feature["id"] for feature in answer.json()["features"]]


def linked(doc: dict, rel: str) -> dict | None:
    return next((link for link in doc["links"] if link["rel"] == rel), None)


@pytest.mark.parametrize("facet", ["", "/stac"])
def test_the_landing_page_leads_to_searches(reader, facet):
    landing = reader.get(f"{facet}/").json()
    for name in CLASSES:
        assert f"https://api.stacspec.org/v1.0.0/{name}" in landing["conformsTo"]
    searches = {link["method"]: link["href"] for link in landing["links"] if link["rel"] == "search"}
    assert set(searches) == {"GET", "POST"}
    assert ids(reader.get(searches["GET"], params={"limit": 1})) == ["i11"]
    assert ids(reader.post(searches["POST"], json={"limit": 1})) == ["i11"]


def test_openeo_alone_has_no_items(reader):
    assert linked(reader.get("/openeo/1.2/collections/sat").json(), "items") is None
    assert reader.get("/openeo/1.2/search").status_code == 404


@pytest.mark.parametrize("facet", ["", "/stac"])
def test_items_of_a_collection_in_pages(reader, facet):
    place = linked(reader.get(f"{facet}/collections/sat").json(), "items")["href"]
    answer, seen = reader.get(place, params={"limit": 5}), []
    while True:
        page = answer.json()
        assert page["numberMatched"] == 12
        assert page["numberReturned"] == len(page["features"])
        seen += ids(answer)
        following = linked(page, "next")
        if following is None:
            break
        assert following["href"].startswith(f"{place}?")
        answer = reader.get(following["href"])
    assert seen == [f"i{n:02}" for n in reversed(range(12))]


def test_an_item_is_sound_stac_and_leads_on(hub, reader):
    answer = reader.get("/stac/collections/sat/items/i03")
    doc = answer.json()
    assert answer.headers["content-type"] == "application/geo+json"
    assert {rel: linked(doc, rel)["href"].removeprefix(hub.url) for rel in ("self", "root", "parent", "collection")} == {
        "self": "/stac/collections/sat/items/i03", "root": "/stac/", "parent": "/stac/collections/sat", "collection": "/stac/collections/sat",
    }  # fmt: skip
    assert pystac.Item.from_dict(doc).assets["data"].href == "https://data.example/i03.tif"
    again = reader.get("/stac/collections/sat/items/i03", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


def test_what_is_not_there(reader):
    for path, code in (
        ("/collections/sat/items/none", "ItemNotFound"),
        ("/collections/none/items", "CollectionNotFound"),
        ("/collections/none/items/none", "CollectionNotFound"),
    ):
        answer = reader.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, code)


SEARCHES = {
    "box": ({"bbox": [12.2, 50.2, 12.4, 50.4]}, ["i02"]),
    "box of 6": ({"bbox": [12.2, 50.2, 0, 12.4, 50.4, 100]}, ["i02"]),
    "ids": ({"ids": ["i07", "i01", "none"]}, ["i07", "i01"]),
    "instant": ({"datetime": "2024-02-04T10:00:00Z"}, ["i03"]),
    "instant elsewhere": ({"datetime": "2024-02-04T12:00:00+02:00"}, ["i03"]),
    "interval": ({"datetime": "2024-02-03T10:00:00Z/2024-02-04T10:00:00Z"}, ["i03", "i02"]),
    "open end": ({"datetime": "2024-02-11T10:00:00.000Z/.."}, ["i11", "i10"]),
    "open begin": ({"datetime": "/2024-02-02T10:00:00Z"}, ["i01", "i00"]),
    "another collection": ({"collections": ["none"]}, []),
    "sorted": ({"sortby": [{"field": "properties.eo:cloud_cover", "direction": "asc"}], "limit": 2}, ["i00", "i01"]),
}  # fmt: skip


@pytest.mark.parametrize("wish", SEARCHES)
def test_searches_by_body_and_by_address_find_the_same(reader, wish):
    body, expected = SEARCHES[wish]
    assert ids(reader.post("/search", json=body)) == expected
    query = {k: ",".join(map(str, v)) if isinstance(v, list) else v for k, v in body.items()}
    if "sortby" in query:
        query["sortby"] = "+properties.eo:cloud_cover"
    assert ids(reader.get("/search", params=query)) == expected


def test_pages_of_a_search_by_body_follow_the_link(reader):
    body, seen = {"collections": ["sat"], "limit": 5}, []
    while True:
        page = reader.post("/search", json=body).json()
        seen += [feature["id"] for feature in page["features"]]
        following = linked(page, "next")
        if following is None:
            break
        assert following["method"] == "POST"
        body = following["body"]
    assert len(seen) == len(set(seen)) == 12


FILTERS = {
    "cql2-text": ("GET", {"filter": '"eo:cloud_cover" < 10 AND platform = \'one\'', "filter-lang": "cql2-text"}, ["i01"]),
    "cql2-text by default": ("GET", {"filter": "platform = 'one'", "limit": 2}, ["i11", "i09"]),
    "cql2-json": ("POST", {"filter": {"op": "<", "args": [{"property": "eo:cloud_cover"}, 10]}, "filter-lang": "cql2-json"}, ["i01", "i00"]),
    "query": ("POST", {"query": {"eo:cloud_cover": {"gte": 50}, "platform": {"eq": "one"}}}, ["i11"]),
    "both": ("POST", {"query": {"platform": {"eq": "one"}}, "filter": {"op": ">", "args": [{"property": "eo:cloud_cover"}, 40]}}, ["i11", "i09"]),
    "place": ("GET", {"filter": "S_INTERSECTS(geometry, POINT(14.2 50.5))"}, ["i04"]),
}  # fmt: skip


@pytest.mark.parametrize("wish", FILTERS)
def test_filters(reader, wish):
    method, asked, expected = FILTERS[wish]
    answer = reader.get("/search", params=asked) if method == "GET" else reader.post("/search", json=asked)
    assert ids(answer) == expected


BAD = {
    "bbox": ["1,2,3", "a,b,c,d", "1,2,3,nan", "0,10,10,0", "0,0,400,10", "", "1,2,3,4,5"],
    "datetime": ["yesterday", "2024-02-30T00:00:00Z", "2024-02-03T00:00:00,5Z", "2024-02-01", "../..", "/", "2024-02-02T00:00:00Z/2024-02-01T00:00:00Z",
                 "2024-02-01T00:00:00", "2024-02-01T25:00:00Z", "a/b/c", "9999-12-31T23:59:59-14:00/x"],
    "limit": ["0", "-1", "x", "1.5", ""],
    "sortby": [",", "-"],
    "token": ["x", "!!"],
    "intersects": ["{", "[]", '{"type": "Point"}', '{"type": "Point", "coordinates": [1e999, 0]}'],
    "filter": ["(", "a = ", "nope(1)", "(" * 5000],
    "filter-lang": ["sql"],
    "query": ["{", '{"a": {"near": 1}}', "[]"],
    "unheard-of": ["1"],
    "filter-crs": ["EPSG:3857"],
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in BAD.items() for v in values])
def test_what_cannot_be_read_is_refused_by_name(reader, name, value):
    more = {"filter": "a = 1"} if name == "filter-lang" else {}
    answer = reader.get("/search", params={name: value, **more})
    assert (answer.status_code, answer.json()["code"]) == (400, "ParameterInvalid"), answer.text
    assert name in answer.json()["message"]


def test_box_and_geometry_exclude_each_other(reader):
    body = {"bbox": [0, 0, 1, 1], "intersects": {"type": "Point", "coordinates": [0, 0]}}
    assert reader.post("/search", json=body).status_code == 400


def test_only_the_fields_that_are_wanted(reader):
    def one(**asked) -> dict:
        return reader.get("/search", params={"ids": "i03", **asked}).json()["features"][0]

    least = {"type", "stac_version", "id", "collection", "links"}
    assert set(one(fields="id,properties.platform")) == {*least, "geometry", "bbox", "properties"}
    assert one(fields="properties.platform")["properties"] == {
        "datetime": "2024-02-04T10:00:00Z",
        "platform": "one",
    }
    assert set(one(fields="id,-geometry,-bbox,-properties.datetime,-id")) == {*least, "properties"}
    slim = one(fields="-assets,-properties.eo:cloud_cover")
    assert "assets" not in slim
    assert slim["properties"] == {"datetime": "2024-02-04T10:00:00Z", "platform": "one"}
    body = {"ids": ["i03"], "fields": {"include": ["properties"], "exclude": ["properties.platform"]}}
    slim = reader.post("/search", json=body).json()["features"][0]
    assert "platform" not in slim["properties"]
    assert "assets" not in slim
    assert one(fields="-properties,properties.platform")["properties"] == {"platform": "one"}, (
        "the longer name wins"
    )


def test_queryables_tell_what_items_have(reader):
    for path in ("/queryables", "/collections/sat/queryables"):
        told = reader.get(path).json()["properties"]
        assert told["eo:cloud_cover"]["type"] == "number"
        assert told["platform"]["enum"] == ["one", "two"]
        assert told["sat:relative_orbit"] == {"type": "number", "title": "Relative orbit"}, "it is declared"
        assert {"id", "collection", "geometry", "datetime"} <= told.keys()


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"bbox": "10,50,11,51"}, True), ({"bbox": "30,50,31,51"}, False), ({"datetime": "2024-02-03T00:00:00Z"}, True),
        ({"datetime": "2025-01-01T00:00:00Z/.."}, False), ({"q": "optical"}, True), ({"q": "radar,SCENES"}, True), ({"q": "radar"}, False),
        ({"filter": "title LIKE 'Sat%' AND license = 'CC0-1.0'"}, True), ({"filter": "id = 'other'"}, False),
        ({"filter": "S_INTERSECTS(geometry, POINT(12 50.5))"}, True), ({"filter": "S_INTERSECTS(geometry, POINT(0 0))"}, False),
        ({"filter": "T_INTERSECTS(datetime, DATE('2024-02-05'))"}, True), ({"filter": "keywords = 'x'"}, False),
        ({"filter": '{"op": "a_contains", "args": [{"property": "keywords"}, ["optical"]]}', "filter-lang": "cql2-json"}, True),
    ],
)  # fmt: skip
def test_collections_are_searched(reader, asked, found):
    answer = reader.get("/collections", params=asked).json()
    assert [c["id"] for c in answer["collections"]] == ["sat"] * found
    assert answer["numberMatched"] == found


def test_a_collection_tells_what_its_items_cover(reader):
    told = reader.get("/collections/sat").json()
    assert told["extent"]["spatial"]["bbox"] == [[10, 50, 21.5, 51]]
    assert told["extent"]["temporal"]["interval"] == [["2024-02-01T10:00:00Z", "2024-02-12T10:00:00Z"]]
    assert told["cube:dimensions"]["t"]["extent"] == ["2024-02-01T10:00:00Z", "2024-02-12T10:00:00Z"]


# ------------------------------------------------------------------------------- changes
@pytest.fixture
def own(writer):
    """A collection for one test."""
    writer.post("/collections", json={**COLLECTION, "id": "own"}).raise_for_status()
    yield "/collections/own"
    writer.delete("/collections/own")


def test_an_item_from_its_making_to_its_end(hub, writer, reader, own):
    doc = made("new", "own")
    answer = writer.post(f"{own}/items", json=doc)
    assert answer.status_code == 201
    place = answer.headers["location"]
    assert place == f"{hub.url}/collections/own/items/new"
    assert answer.json()["id"] == "new"
    assert reader.get(place).headers["etag"] == answer.headers["etag"]
    assert writer.post(f"{own}/items", json=doc).status_code == 409

    changed = writer.patch(
        place, json={"properties": {"platform": "three", "datetime": "2024-03-01T00:00:00Z"}}
    )
    assert changed.status_code == 200
    assert (
        reader.get("/search", params={"datetime": "2024-03-01T00:00:00Z"}).json()["features"][0]["id"]
        == "new"
    )
    late = writer.put(place, json=doc, headers={"If-Match": answer.headers["etag"]})
    assert (late.status_code, late.json()["code"]) == (412, "PreconditionFailed")
    replaced = writer.put(place, json=doc, headers={"If-Match": changed.headers["etag"]})
    assert replaced.status_code == 200
    assert "platform" not in reader.get(place).json()["properties"]
    assert writer.delete(place).status_code == 204
    assert reader.get(place).status_code == 404
    assert writer.delete(place).status_code == 404
    assert writer.put(place, json=doc).status_code == 404


@pytest.mark.parametrize(
    ("spoil", "status", "says"),
    [
        (lambda d: d.update(collection="sat"), 400, "sat"),
        (lambda d: d.update(id=5), 400, "id"),
        (lambda d: d.update(id="a/b"), 400, "a/b"),
        (lambda d: d.update(id="a b"), 400, "a b"),
        (lambda d: d.update(id="a" * 501), 400, "500"),
        (lambda d: d.pop("properties"), 400, "properties"),
        (lambda d: d["properties"].update(datetime="yesterday"), 400, "yesterday"),
        (lambda d: d.update(geometry={"type": "Polygon", "coordinates": "x"}), 400, "coordinates"),
        (lambda d: d["assets"].update(bad={"href": "/etc/passwd"}), 400, "/etc/passwd"),
        (lambda d: d["assets"].update(bad={"href": "file:///etc/passwd"}), 400, "file:///etc/passwd"),
        (lambda d: d["assets"].update(bad={"href": "../x.tif"}), 400, "../x.tif"),
        (lambda d: d["assets"].update(bad={"href": "/vsicurl/http://x"}), 400, "/vsicurl"),
    ],
)  # fmt: skip
def test_items_that_are_not_sound_are_refused_and_leave_nothing(writer, reader, own, spoil, status, says):
    good, bad = made("good", "own"), copy.deepcopy(made("bad", "own"))
    spoil(bad)
    answer = writer.post(f"{own}/items", json={"type": "FeatureCollection", "features": [good, bad]})
    assert answer.status_code == status, answer.text
    assert says in answer.json()["message"]
    assert ids(reader.get(f"{own}/items")) == []
    writer.post(f"{own}/items", json=good).raise_for_status()
    if "assets" in bad and "bad" in bad["assets"]:
        assert writer.patch(f"{own}/items/good", json={"assets": bad["assets"]}).status_code == status


def test_an_item_may_lie_nowhere(hub, writer, own):
    """As STAC and GeoJSON have it; GDC's document takes null for no geometry, so that the hook is left out here."""
    doc = {**made("nowhere", "own"), "geometry": None}
    del doc["bbox"]
    with httpx.Client(base_url=hub.url, headers=writer.headers) as client:
        assert client.post(f"{own}/items", json=doc).status_code == 201
        assert ids(client.get(f"{own}/items")) == ["nowhere"]
        assert client.get(f"{own}/items/nowhere").json()["geometry"] is None
        assert ids(client.get(f"{own}/items", params={"bbox": "-180,-90,180,90"})) == []


def test_a_collection_from_its_making_to_its_end(writer, reader):
    answer = writer.post("/collections", json={"id": "short", "description": "Few words"})
    assert answer.status_code == 201
    place = answer.headers["location"]
    assert reader.get(place).json()["license"] == "other", "what it lacks is filled in"
    assert writer.post("/collections", json={"id": "short", "description": "Again"}).status_code == 409
    assert writer.patch(place, json={"title": "Short"}).json()["title"] == "Short"
    tag = reader.get(place).headers["etag"]
    assert (
        writer.put(place, json={"id": "short", "description": "Other"}, headers={"If-Match": tag}).status_code
        == 200
    )
    assert "Short" not in reader.get(place).text
    assert (
        writer.put(place, json={"id": "short", "description": "Late"}, headers={"If-Match": tag}).status_code
        == 412
    )
    assert writer.put("/collections/none", json={"id": "none"}).status_code == 404
    assert writer.delete(place).status_code == 204
    assert reader.get(place).status_code == 404


@pytest.mark.parametrize("id_", ["bob:mine", "a/b", "a b", "a\n", "", 5, None])
def test_ids_that_no_collection_can_have(writer, id_):
    answer = writer.post("/collections", json={"id": id_, "description": "Words"})
    assert (answer.status_code, answer.json()["code"]) == (400, "FileContentInvalid")


@pytest.mark.slow
def test_fifty_writers_lose_no_update(writer, reader, own, hub):
    writer.post(f"{own}/items", json=made("count", "own", count=0)).raise_for_status()
    place, token = f"{hub.url}{own}/items/count", writer.headers["authorization"]

    def add() -> None:
        with httpx.Client(headers={"Authorization": token}, timeout=60) as client:
            while True:
                now = client.get(place)
                change = {"properties": {"count": now.json()["properties"]["count"] + 1}}
                if (
                    client.patch(place, json=change, headers={"If-Match": now.headers["etag"]}).status_code
                    == 200
                ):
                    return

    threads = [threading.Thread(target=add) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert reader.get(place).json()["properties"]["count"] == 50


@pytest.mark.parametrize("facet", ["", "/stac"])
def test_documents_keep_to_the_schemas_of_stac(reader, facet):
    """By the schemas that pystac has with it, in the version that each document names."""
    documents = [reader.get(f"{facet}/").json(), *reader.get(f"{facet}/collections").json()["collections"]]
    items = reader.get(f"{facet}/search", params={"limit": 100}).json()["features"]
    assert items
    for document in (*documents, *items):
        assert len(validate_dict(document | {"stac_extensions": [], "stac_version": "1.1.0"})) == 1
