"""DataCosmos' catalogue: assets first, summaries that are enforced, prices that are told and never kept, projects."""

from __future__ import annotations

import copy

import httpx
import pytest

from tests.api.datacosmos.conftest import SCENARIO, STAC, STORAGE

ID = "SATELLITE_L1A_000000001_20240211120932_20240211121015_A1B2C3D4"
COLLECTION = {
    "type": "Collection", "stac_version": "1.0.0", "id": "satellite-l1a-cogs", "description": "Scenes", "license": "other",
    "title": "Satellite L1A", "links": [], "summaries": {"processing:level": ["L1A"]},
    "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [[None, None]]}},
}  # fmt: skip
PLACE = f"{STAC}/collections/satellite-l1a-cogs/items"


def the_item(base: str, id_: str = ID) -> dict:
    """The item of the documents, with addresses of this server."""
    folder = f"{base}{STORAGE}/catalog/satellite-l1a-cogs/2024/02/11/{id_}"
    return {
        "id": id_,
        "type": "Feature",
        "geometry": {
            "type": "Polygon",
            "coordinates": [[[-24.94, 64.59], [-19.66, 64.59], [-19.66, 63.12], [-24.94, 63.12], [-24.94, 64.59]]],
        },
        "properties": {"datetime": "2024-02-11T12:09:32Z", "processing:level": "L1A"},
        "links": [],
        "assets": {
            "thumbnail": {"href": f"{folder}/thumbnail.webp", "title": "Thumbnail", "type": "image/webp", "roles": ["thumbnail"]},
            "data": {
                "href": f"{folder}/data.tiff", "title": "Image data", "roles": ["data"],
                "type": "image/tiff; application=geotiff; profile=cloud-optimized",
            },
        },
        "collection": "satellite-l1a-cogs",
        "bbox": [-24.94, 63.12, -19.66, 64.59],
    }  # fmt: skip


def upload(client: httpx.Client, item: dict) -> None:
    for asset in item["assets"].values():
        client.put(
            asset["href"], content=asset["title"].encode(), headers={"Content-Type": asset["type"]}
        ).raise_for_status()


@pytest.fixture(scope="module", autouse=True)
def stocked(cosmos, ada):
    assert ada.post(f"{STAC}/collections", json=COLLECTION).status_code == 201
    item = the_item(cosmos.url)
    upload(ada, item)
    answer = ada.post(PLACE, json=item)
    assert answer.status_code == 201, answer.text


def faults(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [error["field"] for error in answer.json()["errors"]]


def test_the_item_of_the_documents_is_there_for_all_who_read(cosmos, bob, nobody):
    assert nobody.get(f"{PLACE}/{ID}").status_code == 401
    answer = bob.get(f"{PLACE}/{ID}")
    told = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert told["assets"]["data"]["href"] == the_item(cosmos.url)["assets"]["data"]["href"]
    assert told["properties"]["opencosmos:data_area_km2"] == pytest.approx(42000, rel=0.05)
    assert not any(name.startswith("opencosmos:price") for name in told["properties"])


def test_faults_are_told_as_its_client_reads_them(ada, cosmos):
    item = the_item(cosmos.url, "NEW")
    answer = ada.post(PLACE, json=item)
    assert faults(answer) == ["assets.thumbnail", "assets.data"]
    for error in answer.json()["errors"]:
        assert {"message", "field", "type", "source", "trace_id"} <= error.keys()


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"collection": "other"}, 400),
        ({"assets": {"data": {"href": "data.tiff"}}}, 400),
        ({"assets": {"data": {"href": "https://elsewhere.example/x.tif"}}}, ["assets.data"]),
        ({"properties": {"datetime": "2024-02-12T00:00:00Z", "processing:level": "L1A"}}, ["assets.thumbnail", "assets.data"]),
        ({"properties": {"datetime": "2024-02-11T12:09:32Z", "processing:level": "L2A"}}, ["properties.processing:level"]),
        ({"properties": {"datetime": "2024-02-11T12:09:32Z"}}, ["properties.processing:level"]),
    ],
)  # fmt: skip
def test_rules_hold_for_new_items_and_for_changes(ada, cosmos, change, fields):
    item = {**the_item(cosmos.url), **copy.deepcopy(change)}
    for answer in (
        ada.post(PLACE, json={**item, "id": "OTHER"} if fields == 400 else item),
        ada.put(f"{PLACE}/{ID}", json=item),
    ):
        if fields == 400:
            assert answer.status_code == 400
        elif answer.request.method == "PUT":
            assert faults(answer) == fields
    if "assets" in change and fields != 400:
        assert faults(ada.patch(f"{PLACE}/{ID}", json={"assets": change["assets"]})) == fields
    assert "L1A" in ada.get(f"{PLACE}/{ID}").text, "nothing was changed"


def test_who_may_write(ada, bob, wes, cosmos):
    item = the_item(cosmos.url)
    assert bob.post(PLACE, json=item).status_code == 403
    assert wes.post(PLACE, json=item).status_code == 403
    assert ada.post(f"{STAC}/collections/none/items", json={**item, "collection": "none"}).status_code == 404
    assert bob.put(item["assets"]["data"]["href"], content=b"x").status_code == 403
    assert wes.put(f"{STORAGE}/catalog/mine/2024/01/01/x/y.tif", content=b"x").status_code < 300


def test_an_item_without_assets_gets_them_later(ada, cosmos):
    item = the_item(cosmos.url, "LATER")
    bare = {**item, "assets": {}}
    assert ada.post(PLACE, json=bare).status_code == 201
    upload(ada, item)
    answer = ada.patch(f"{PLACE}/LATER", json={"assets": item["assets"]})
    assert answer.status_code == 200, answer.text
    assert ada.put(f"{PLACE}/LATER", json=item).status_code == 200
    assert ada.delete(f"{PLACE}/LATER").status_code == 204
    assert ada.put(f"{PLACE}/LATER", json=item).status_code == 201, "PUT makes what is not there"
    ada.delete(f"{PLACE}/LATER")


def test_prices_are_told_by_contract_and_never_kept(ada, bob, eve, nobody, cosmos):
    def price(client: httpx.Client, **asked) -> tuple | None:
        told = client.get(f"{PLACE}/{ID}", params=asked).json()["properties"]
        return (
            (told["opencosmos:price"], told["opencosmos:price_currency"])
            if "opencosmos:price" in told
            else None
        )

    area = bob.get(f"{PLACE}/{ID}").json()["properties"]["opencosmos:data_area_km2"]
    assert price(bob) is None
    assert price(bob, project="your-project-id") == (round(2 * area, 2), "GBP")
    assert price(bob, contract_id=456) == (round(2 * area, 2), "GBP")
    assert price(eve, project="theirs") == (round(3 * area, 2), "EUR")
    assert price(eve, project="your-project-id") is None
    assert eve.get(f"{PLACE}/{ID}", params={"contract_id": 456}).status_code == 403
    body = {"collections": ["satellite-l1a-cogs"], "bbox": [-25, 63, -19, 65], "limit": 5}
    for terms in ({"project": "your-project-id"}, {"contract_id": 456}):
        found = bob.post(f"{STAC}/search", json={**body, **terms}).json()["features"]
        assert [f["properties"]["opencosmos:price_currency"] for f in found if f["id"] == ID] == ["GBP"]
        listed = bob.get(PLACE, params={k: str(v) for k, v in terms.items()}).json()["features"]
        assert all("opencosmos:price" in f["properties"] for f in listed)
    forged = the_item(cosmos.url)
    forged["properties"] |= {"opencosmos:price": 1, "opencosmos:high_resolution_read_permission": True}
    assert ada.put(f"{PLACE}/{ID}", json=forged).status_code == 200
    assert "opencosmos:price" not in nobody.get(f"/collections/satellite-l1a-cogs/items/{ID}").text
    assert "read_permission" not in nobody.get(f"/collections/satellite-l1a-cogs/items/{ID}").text


def test_who_reads_data_and_who_only_pictures(ada, bob, cosmos):
    for client, may in ((ada, True), (bob, False)):
        told = client.get(f"{PLACE}/{ID}").json()
        assert told["properties"]["opencosmos:high_resolution_read_permission"] is may
        assert client.get(told["assets"]["data"]["href"]).status_code == (200 if may else 403)
        assert client.get(told["assets"]["thumbnail"]["href"]).content == b"Thumbnail"


def test_searches_of_the_documents(bob):
    found = bob.get(
        f"{STAC}/search",
        params={"collections": "satellite-l1a-cogs", "bbox": ["-25", "63", "-19", "65"], "limit": 100},
    )
    assert [f["id"] for f in found.json()["features"]] == [ID]
    across = {"collections": "satellite-l1a-cogs", "bbox": "160.6,-55.95,-170,-25.89"}
    assert bob.get(f"{STAC}/search", params={**across, "limit": 100}).json()["features"] == []
    assert (
        bob.get(f"{STAC}/search", params={**across, "limit": "100/2021-03-18T12:31:12Z"}).status_code == 400
    )
    box = [-71.71875, -27.683528083787767, -71.015625, -27.05912578437406]
    body = {"bbox": box, "query": {"eo:cloudcover": {"lte": 20}}}
    assert bob.post(f"{STAC}/search", json=body).json()["features"] == []


@pytest.mark.parametrize(
    ("query", "hit"),
    [
        ({"processing:level": {"in": ["l1A"]}}, True),
        ({"processing:level": {"eq": "L2A"}}, False),
        ({"datetime": {"gte": "2024-02-11T00:00:00Z", "lte": None}}, True),
        ({"datetime": {"gte": None, "lte": "2024-02-10T23:59:59.999000Z"}}, False),
        ({"processing:level": {"startsWith": "L1"}}, True),
        ({"processing:level": {"endsWith": "B"}}, False),
        ({"processing:level": {"contains": "1"}}, True),
        ({"opencosmos:data_area_km2": {"gt": 10, "lt": 1e6, "neq": 5}}, True),
        ({}, True),
    ],
)  # fmt: skip
def test_conditions_of_queries(bob, query, hit):
    answer = bob.post(f"{STAC}/search", json={"query": query, "project": "your-project-id", "limit": 50})
    assert (ID in [f["id"] for f in answer.json()["features"]]) is hit


def test_an_operator_that_nobody_knows(bob):
    assert bob.post(f"{STAC}/search", json={"query": {"a": {"like": "x"}}}).status_code == 400


def test_pages_go_on_by_a_cursor(ada, cosmos):
    names = [f"P{n}" for n in range(5)]
    for name in names:
        ada.put(f"{PLACE}/{name}", json={**the_item(cosmos.url, name), "assets": {}}).raise_for_status()
    for method in ("GET", "POST"):
        seen, body, place = [], {"collections": ["satellite-l1a-cogs"], "limit": 2}, f"{STAC}/search"
        while True:
            query = {"collections": "satellite-l1a-cogs", "limit": "2"}
            if method == "GET":
                page = ada.get(place, params=query if "?" not in place else None).json()
            else:
                page = ada.post(f"{STAC}/search", json=body).json()
            seen += [f["id"] for f in page["features"]]
            following = [link["href"] for link in page["links"] if link["rel"] == "next"]
            if not following:
                break
            name, _, cursor = following[0].rpartition("&" if "&" in following[0] else "?")[2].partition("=")
            assert name == "cursor"
            place, body = following[0], {**body, "cursor": httpx.QueryParams(f"c={cursor}")["c"]}
        assert sorted(seen) == sorted([ID, *names]), method
    for name in names:
        ada.delete(f"{PLACE}/{name}")


def test_collections_in_pages_by_a_cursor(ada):
    for n in range(3):
        ada.post(f"{STAC}/collections", json={"id": f"more-{n}", "description": "More"}).raise_for_status()
    page = ada.get(f"{STAC}/collections", params={"limit": 2}).json()
    assert [c["id"] for c in page["collections"]] == ["more-0", "more-1"]
    (href,) = [link["href"] for link in page["links"] if link["rel"] == "next"]
    assert href.split("?")[1].split("=")[-1] == "more-1", (
        "the last parameter is the cursor, as the client reads it"
    )
    assert [c["id"] for c in ada.get(href).json()["collections"]] == ["more-2", "satellite-l1a-cogs"]
    assert ada.patch(f"{STAC}/collections/more-0", json={"title": "Most"}).json()["title"] == "Most"
    for n in range(3):
        assert ada.delete(f"{STAC}/collections/more-{n}").status_code == 204


# ------------------------------------------------------------------------------- projects
@pytest.mark.parametrize("home", [SCENARIO, "/api/data/v0/scenario"])
def test_items_of_projects(ada, bob, eve, cosmos, home):
    place = f"{home}/your-project-id"
    path = f"{STORAGE}/project/your-project-id/own/x.tif"
    assert bob.put(path, content=b"x").status_code < 300
    own = {**the_item(cosmos.url, "own"), "assets": {"x": {"href": f"{cosmos.url}{path}", "roles": ["data"]}}}
    assert bob.post(f"{place}/items", json=own).status_code == 201
    assert bob.post(f"{place}/items", json=own).status_code == 409
    assert bob.put(f"{place}/items/own", json=own).status_code == 200
    relation = {"scenario": "your-project-id", "collection": "satellite-l1a-cogs", "item": ID}
    assert bob.post("/api/data/v0/scenario/relation", json=relation).status_code == 200

    listed = bob.get(f"{place}/items").json()
    assert sorted(f["id"] for f in listed["features"]) == sorted(["own", ID])
    assert all("opencosmos:price" in f["properties"] for f in listed["features"] if f["id"] == ID)
    wish = {"datetime": "2023-01-01T00:00:00Z/2023-12-31T23:59:59Z"}
    assert bob.post(f"{place}/search", json=wish).json()["features"] == []
    assert [f["id"] for f in bob.post(f"{place}/search", json={"ids": ["own"]}).json()["features"]] == ["own"]
    assert bob.get(f"{place}/items/own").json()["assets"]["x"]["href"] == f"{cosmos.url}{path}"
    assert bob.get(path).content == b"x"
    pairs = [{"collection": "satellite-l1a-cogs", "item": name} for name in (ID, "none")]
    assert [
        (r["exists"], r["relation"] is not None) for r in bob.post(f"{place}/contains", json=pairs).json()
    ] == [(True, True), (False, False)]

    for method, path_, body in (
        ("GET", "/items", None),
        ("GET", "/items/own", None),
        ("POST", "/search", {}),
        ("POST", "/contains", pairs),
        ("POST", "/items", own),
        ("DELETE", "/items/own", None),
    ):
        answer = eve.request(method, f"{place}{path_}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "ProjectNotFound"), (method, path_)
    assert eve.get(path).status_code == 403
    assert "own" not in [f["id"] for f in eve.get("/search").json()["features"]]
    assert "own" in [f["id"] for f in bob.get("/search").json()["features"]]

    assert bob.delete(f"{place}/items/{ID}").status_code == 204
    assert ada.get(f"{PLACE}/{ID}").status_code == 200, "the item of the catalogue stays"
    assert bob.delete(f"{place}/items/own").status_code == 204
    assert bob.get(f"{place}/items").json()["features"] == []


# ------------------------------------------------------------------------------- tokens
def test_programs_log_in_with_client_credentials(nobody, cosmos):
    form = {"grant_type": "client_credentials", "audience": "any"}
    answer = nobody.post("/oauth/token", data=form, auth=("ada", "ada"))
    token = answer.json()
    assert (answer.status_code, token["token_type"], token["expires_in"]) == (200, "Bearer", 86400)
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    assert nobody.get(f"{STAC}/collections", headers=headers).status_code == 200
    in_form = nobody.post("/oauth/token", data={**form, "client_id": "ada", "client_secret": "ada"})
    assert in_form.status_code == 200
    wrong = nobody.post("/oauth/token", data=form, auth=("ada", "wrong"))
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    assert nobody.post("/oauth/token", data=form).json()["error"] == "invalid_client"
    other = nobody.post("/oauth/token", data={"grant_type": "password"}, auth=("ada", "ada"))
    assert (other.status_code, other.json()["error"]) == (400, "unsupported_grant_type")
    assert nobody.post("/oauth/token", data={**form, "x": "y" * 10_000}).json()["error"] == "invalid_request"
