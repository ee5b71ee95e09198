"""The assertions of OGC's test suite for part 2 of Processes: processes are deployed, replaced and removed."""

from __future__ import annotations

import json

import pytest

from requests_of_users import TWICE

PACKAGE = "application/ogcapppkg+json"
TYPES = "http://www.opengis.net/def/exceptions/ogcapi-processes-2/1.0/"
GRAPH = {"process_graph": TWICE["process_graph"]}
TOLD = {
    "id": "doubled",
    "title": "Twice",
    "version": "1.4",
    "inputs": {"x": {"title": "X", "schema": {"type": "number"}}},
    "outputs": {"result": {"schema": {"type": "number"}}},
}
UNIT = {"type": "openeo", "mediaType": "application/json", "value": GRAPH}


def package(told=TOLD, unit=UNIT):
    return {"processDescription": told, "executionUnit": unit}


def send(client, method, path, body, kind=PACKAGE):
    return client.request(method, path, content=json.dumps(body), headers={"Content-Type": kind})


@pytest.fixture
def gone(ada):
    """Nothing of it stays."""
    yield
    ada.delete("/process_graphs/doubled")


@pytest.mark.parametrize("face", ["", "/ogc"])
def test_from_deployment_to_removal(ada, bob, gone, face):
    place = f"{face}/processes"
    answer = send(ada, "POST", place, package())
    assert answer.status_code == 201, answer.text
    assert [v for k, v in answer.headers.multi_items() if k == "location"] == [
        answer.json()["links"][0]["href"]
    ]
    told = ada.get(answer.headers["location"]).json()
    assert (told["mutable"], told["version"], told["title"]) == (True, "1.4", "Twice")
    assert told["inputs"]["x"]["schema"] == {"type": "number"}
    assert ada.post(f"{place}/doubled/execution", json={"inputs": {"x": 21}}).json() == 42
    assert ada.get("/process_graphs/doubled").json()["process_graph"] == GRAPH["process_graph"]
    again = send(ada, "POST", place, package())
    assert (again.status_code, again.json()["type"]) == (409, f"{TYPES}duplicated-process")
    assert bob.get("/ogc/processes/doubled").status_code == 404
    four = {"parameters": TWICE["parameters"], "process_graph": {
        "a": {"process_id": "multiply", "arguments": {"x": {"from_parameter": "x"}, "y": 4}, "result": True}}}  # fmt: skip
    assert (
        send(ada, "PUT", f"{place}/doubled", package({"id": "doubled"}, {"value": four})).status_code == 204
    )
    assert ada.post(f"{place}/doubled/execution", json={"inputs": {"x": 2}}).json() == 8
    assert ada.delete(f"{place}/doubled").status_code == 204
    assert ada.get("/ogc/processes/doubled").status_code == 404
    for answer in (send(ada, "PUT", f"{place}/doubled", package()), ada.delete(f"{place}/doubled")):
        assert answer.status_code == 404


def test_predefined_processes_and_those_of_others_stay(ada, bob, gone):
    assert send(ada, "POST", "/ogc/processes", package({**TOLD, "id": "add"})).status_code == 409
    ada.put("/process_graphs/doubled", json={**TWICE, "public": True})
    for client, id_ in ((ada, "add"), (ada, "apply"), (bob, "u:ada:doubled")):
        for answer in (
            send(client, "PUT", f"/ogc/processes/{id_}", package({})),
            client.delete(f"/ogc/processes/{id_}"),
        ):
            assert (answer.status_code, answer.json()["type"]) == (403, f"{TYPES}immutable-process")


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ({"cwlVersion": "v1.2"}, "application/cwl+json", 415), (package(), "text/plain", 415),
        (package(unit={"type": "docker", "image": "a/b"}), PACKAGE, 415),
        (package(unit={"href": "https://a.org/b.cwl", "type": "application/cwl"}), PACKAGE, 415),
        (package(unit=None), PACKAGE, 400), (package(unit=[UNIT, UNIT]), PACKAGE, 400), (package({}), PACKAGE, 400),
        (package({**TOLD, "id": "a b"}), PACKAGE, 400), (package({**TOLD, "inputs": {"x": 1}}), PACKAGE, 400),
        (package(unit={"value": {"process_graph": {}}}), PACKAGE, 400), ([], PACKAGE, 400),
    ],
)  # fmt: skip
def test_what_is_not_deployed(ada, body, kind, status):
    answer = send(ada, "POST", "/ogc/processes", body, kind)
    assert answer.status_code == status, answer.text
    if status == 415:
        assert answer.json()["type"] == f"{TYPES}unsupported-media-type"


def test_no_json_and_no_login(ada, anonymous):
    answer = ada.post("/ogc/processes", content="{", headers={"Content-Type": PACKAGE})
    assert answer.status_code == 400
    assert send(anonymous, "POST", "/ogc/processes", package()).status_code == 401
