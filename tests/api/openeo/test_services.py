"""Web services over HTTP: their types, their making, changing and removing, their logs; each user's own."""

from __future__ import annotations

import httpx
import pytest

from api.sign import Address, address_in, addressed
from engine import Problem
from requests_of_users import LOAD, NDVI, RANGE, served_as, wrapped


def first_tile(client, service: str) -> str:
    """The address of the tile of the whole world."""
    return client.get(f"/services/{service}").json()["url"].format(z=0, x=0, y=0)


def test_types_are_public_and_tell_what_can_be_configured(anonymous):
    told = anonymous.get("/service_types").json()
    assert set(told) == {"XYZ", "WMTS", "OGC-API-Tiles"}
    for one in told.values():
        assert {"format", "colormap", "range", "bands", "minzoom", "maxzoom"} <= one["configuration"].keys()
        assert "spatial_extent" in [p["name"] for p in one["process_parameters"]]
    assert "tile_size" not in told["OGC-API-Tiles"]["configuration"]


def test_a_service_from_its_making_to_its_end(ada, anonymous):
    service = served_as(ada, type_="xyz", title="NDVI", description="Green.", log_level="debug", plan="free", budget=5, own="kept")  # fmt: skip
    told = ada.get(f"/services/{service}").json()
    assert (told["type"], told["title"], told["enabled"], told["own"]) == ("XYZ", "NDVI", True, "kept")
    assert (told["configuration"], told["process"]["process_graph"]) == (RANGE, NDVI)
    assert (told["attributes"]["range"], len(told["attributes"]["bounds"])) == ([[0, 1]], 4)
    listed = ada.get("/services").json()
    (entry,) = [s for s in listed["services"] if s["id"] == service]
    assert (entry["url"], entry["title"]) == (told["url"], "NDVI")
    assert not {"process", "configuration", "attributes"} & entry.keys()
    assert ada.get("/services?limit=1").json()["services"] == listed["services"][:1]
    logs = ada.get(f"/services/{service}/logs").json()
    assert [e["message"] for e in logs["logs"]] == ["created"]
    address = first_tile(ada, service)
    assert anonymous.get(address).headers["content-type"] == "image/png"
    assert ada.delete(f"/services/{service}").status_code == 204
    gone = anonymous.get(address)
    assert (gone.status_code, gone.json()["code"]) == (404, "ServiceNotFound")
    assert ada.get(f"/services/{service}").json()["code"] == "ServiceNotFound"


def test_a_range_is_chosen_once_and_told(ada):
    service = served_as(ada, configuration={})
    low, high = ada.get(f"/services/{service}").json()["attributes"]["range"][0]
    assert -1 <= low < high <= 1
    (entry,) = [e for e in ada.get(f"/services/{service}/logs").json()["logs"] if "data" in e]
    assert (entry["level"], entry["data"]["range"]) == ("info", [low, high])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"type": "WMS"}, "ServiceUnsupported"),
        ({"type": None}, "ServiceUnsupported"),
        ({"type": ["XYZ"]}, "ServiceUnsupported"),
        ({"process": {}}, "ProcessGraphMissing"),
        ({"process": {"process_graph": {}}}, "ProcessGraphMissing"),
        ({"process": {"process_graph": {"a": {"process_id": "nothing", "arguments": {}, "result": True}}}}, "ProcessUnsupported"),
        ({"enabled": "yes"}, "ParameterInvalid"),
        ({"title": 1}, "ParameterInvalid"),
        ({"log_level": "loud"}, "ParameterInvalid"),
        ({"budget": -1}, "BudgetInvalid"),
        ({"configuration": []}, "ServiceConfigInvalid"),
        ({"configuration": {"colourmap": "viridis"}}, "ServiceConfigUnsupported"),
        ({"configuration": {"colormap": "rainbow"}}, "ServiceConfigInvalid"),
        ({"configuration": {"tile_size": 300}}, "ServiceConfigInvalid"),
        ({"configuration": {"format": "gif"}}, "ServiceConfigInvalid"),
        ({"configuration": {"range": [1, 0]}}, "ServiceConfigInvalid"),
        ({"configuration": {"range": [[0, 1], [0, 1]]}}, "ServiceConfigInvalid"),
        ({"configuration": {"range": ["a", "b"]}}, "ServiceConfigInvalid"),
        ({"configuration": {"range": [0, 10**305]}}, "ServiceConfigInvalid"),
        ({"configuration": {"minzoom": 9, "maxzoom": 3}}, "ServiceConfigInvalid"),
        ({"configuration": {"minzoom": True}}, "ServiceConfigInvalid"),
        ({"configuration": {"bands": []}}, "ServiceConfigInvalid"),
        ({"configuration": {"resampling": "best"}}, "ServiceConfigInvalid"),
    ],
)  # fmt: skip
def test_what_cannot_be_served_is_refused_when_it_comes(ada, change, code):
    before = len(ada.get("/services").json()["services"])
    answer = ada.post("/services", json={**wrapped(NDVI), "type": "XYZ", "configuration": RANGE, **change})
    assert (answer.status_code, answer.json()["code"]) == (400, code), answer.text
    assert len(ada.get("/services").json()["services"]) == before


def test_what_is_no_map_is_refused_with_the_way_out(ada):
    several = {"load": LOAD, "ndvi": {**NDVI["ndvi"], "result": True}}
    answer = ada.post("/services", json={**wrapped(several), "type": "XYZ"})
    assert (answer.status_code, answer.json()["code"]) == (400, "FormatUnsuitable")
    assert "reduce_dimension" in answer.json()["message"]
    number = {"add": {"process_id": "add", "arguments": {"x": 1, "y": 2}, "result": True}}
    assert ada.post("/services", json={**wrapped(number), "type": "XYZ"}).status_code == 400
    bands = {"load": {**LOAD, "arguments": {**LOAD["arguments"], "bands": None}}, "max": {**NDVI["max"], "arguments": {**NDVI["max"]["arguments"], "data": {"from_node": "load"}}}}  # fmt: skip
    answer = ada.post("/services", json={**wrapped(bands), "type": "XYZ"})
    assert answer.json()["code"] == "FormatUnsuitable"
    assert "bands" in answer.json()["message"]
    served_as(ada, bands, configuration={"bands": ["B04", "B08"], **RANGE})
    colours = {"colormap": "viridis", "bands": ["B04", "B08"]}
    answer = ada.post("/services", json={**wrapped(bands), "type": "XYZ", "configuration": colours})
    assert answer.json()["code"] == "ServiceConfigInvalid"


def test_a_service_is_changed(ada, anonymous):
    service = served_as(ada, title="old", description="old")
    address = first_tile(ada, service)
    body = {"title": "new", "description": None, "configuration": {"range": [0, 0.5], "format": "jpeg"}}
    assert ada.patch(f"/services/{service}", json=body).status_code == 204
    told = ada.get(f"/services/{service}").json()
    assert (told["title"], "description" in told) == ("new", False)
    assert told["url"].endswith(".jpg")
    assert anonymous.get(address).status_code == 404
    assert anonymous.get(told["url"].format(z=0, x=0, y=0)).headers["content-type"] == "image/jpeg"
    for body, code in (
        ({"url": "http://example.org"}, "PropertyNotEditable"),
        ({"type": "WMTS"}, "PropertyNotEditable"),
        ({"process": {}}, "ProcessGraphMissing"),
        ({"configuration": {"format": "gif"}}, "ServiceConfigInvalid"),
        ({"renew_url": 1}, "ParameterInvalid"),
    ):
        answer = ada.patch(f"/services/{service}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert ada.get(f"/services/{service}").json() == told


def test_a_service_is_switched_off_and_gets_another_address(ada, anonymous):
    service = served_as(ada, enabled=False)
    address = first_tile(ada, service)
    assert anonymous.get(address).json()["code"] == "ServiceNotFound"
    assert ada.patch(f"/services/{service}", json={"enabled": True}).status_code == 204
    assert anonymous.get(address).status_code == 200
    assert ada.patch(f"/services/{service}", json={"renew_url": True}).status_code == 204
    assert "renew_url" not in ada.get(f"/services/{service}").json()
    assert anonymous.get(address).status_code == 404
    assert anonymous.get(first_tile(ada, service)).status_code == 200


def test_foreign_services_are_missing_services(ada, bob, anonymous):
    service = served_as(ada)
    for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/logs")):
        body = {"json": {"title": "mine"}} if method == "PATCH" else {}
        foreign = bob.request(method, f"/services/{service}{path}", **body)
        missing = bob.request(method, f"/services/nothing{path}", **body)
        assert foreign.status_code == missing.status_code == 404
        assert foreign.json()["message"] == missing.json()["message"].replace("nothing", service)
        assert anonymous.request(method, f"/services/{service}{path}", **body).status_code == 401
    assert bob.get("/services").json()["services"] == []
    assert anonymous.get("/services").status_code == 401


def test_a_user_has_so_many_services(served, bob, monkeypatch):
    few = served.backend.settings.model_copy(update={"services_user": 1})
    monkeypatch.setattr(served.backend.services, "_settings", few)
    service = served_as(bob)
    answer = bob.post("/services", json={**wrapped(NDVI), "type": "XYZ", "configuration": RANGE})
    assert (answer.status_code, answer.json()["code"]) == (400, "StorageQuotaExceeded")
    assert bob.delete(f"/services/{service}").status_code == 204


def test_logs_have_pages(ada):
    service = served_as(ada)
    for title in ("a", "b", "c"):
        ada.patch(f"/services/{service}", json={"title": title})
    whole = ada.get(f"/services/{service}/logs").json()["logs"]
    assert [e["message"] for e in whole] == ["created", "changed", "changed", "changed"]
    page, found = ada.get(f"/services/{service}/logs?limit=3").json(), []
    while True:
        found += page["logs"]
        following = [link["href"] for link in page["links"] if link["rel"] == "next"]
        if not following:
            break
        page = ada.get(following[0]).json()
    assert found == whole
    assert ada.get(f"/services/{service}/logs?offset={whole[0]['id']}").json()["logs"] == whole[1:]
    assert ada.get(f"/services/{service}/logs?level=error").json()["logs"] == []
    assert ada.get(f"/services/{service}/logs?offset=x").status_code == 400


def test_addresses_are_signed():
    address = Address("ada", "s", "key")
    text = addressed(address, "secret")
    assert address_in(text, "secret") == address
    for wrong in (text[:-1], text + "A", "", "x.y", addressed(address, "other")):
        with pytest.raises(Problem) as caught:
            address_in(wrong, "secret")
        assert caught.value.code == "ServiceNotFound"


def test_the_openeo_client_makes_a_service(served):
    openeo = pytest.importorskip("openeo")
    connection = openeo.connect(f"{served.url}/openeo/1.2").authenticate_basic("bob", "bob")
    cube = connection.load_collection(
        "S2", temporal_extent=["2022-06-01", "2022-07-01"], bands=["B04", "B08"]
    )
    ndvi = cube.ndvi(nir="B08", red="B04").reduce_dimension(dimension="t", reducer="max")
    service = connection.create_service(ndvi.flat_graph(), type="XYZ", configuration={"colormap": "ndvi"})
    told = service.describe_service()
    assert httpx.get(told["url"].format(z=0, x=0, y=0)).status_code == 200
    assert [s["id"] for s in connection.list_services()] == [service.service_id]
    service.delete_service()
    assert connection.list_services() == []
