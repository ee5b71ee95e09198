"""Graphs as OGC processes: what they give is what openEO gives, byte for byte where the format allows it."""

from __future__ import annotations

import base64
import time

import httpx
import numpy as np
import pytest
import rasterio

from api.auth.passwords import hashed
from contracts import Contract, check_frame
from engine import User
from requests_of_users import NDVI, SUM, TWICE, run, wrapped

pytestmark = pytest.mark.slow

S2 = {"collection": "S2"}
JUNE = ["2022-06-01", "2022-07-01"]
BOX = {"bbox": [11.3, 46.65, 11.302, 46.652]}
GTIFF, NETCDF = "image/tiff; application=geotiff", "application/netcdf"
LATEST = {
    "summary": "The greatest NDVI of a time",
    "parameters": [
        {"name": "cube", "description": "A cube.", "schema": {"type": "object", "subtype": "datacube"}},
        {"name": "time", "description": "When.", "schema": {"type": "array", "subtype": "temporal-interval"}},
        {"name": "red", "description": "Band.", "schema": {"type": "string"}, "default": "B04", "optional": True},
    ],
    "process_graph": {
        "cut": {"process_id": "filter_temporal", "arguments": {"data": {"from_parameter": "cube"}, "extent": {"from_parameter": "time"}}},
        "ndvi": {"process_id": "ndvi", "arguments": {"data": {"from_node": "cut"}, "nir": "B08", "red": {"from_parameter": "red"}}},
        "max": {**NDVI["max"]},
    },
}  # fmt: skip


def saving(name, of, format_):
    arguments = {"data": {"from_node": of}, "format": format_}
    return {name: {"process_id": "save_result", "arguments": arguments}}


def without_result(graph):
    return {name: {k: v for k, v in node.items() if k != "result"} for name, node in graph.items()}


BOTH = {
    **LATEST,
    "process_graph": {
        **without_result(LATEST["process_graph"]),
        **saving("picture", "max", "GTiff"),
        "series": {**saving("x", "ndvi", "netCDF")["x"], "result": True},
    },
}
FIELDS = {"cube": S2, "time": {"value": JUNE}}


def client_of(served, user):
    """A client whose answers are held against our own document: openEO's has no executions among the jobs."""
    with served.client(user) as logged_in:
        headers = {k: v for k, v in logged_in.headers.items() if k == "authorization"}
    hooks = {"response": [check_frame, served.hooks[-1]]}
    return httpx.Client(base_url=served.url, headers=headers, timeout=60, event_hooks=hooks)


@pytest.fixture(scope="module")
def served(serve_with):
    """A server of our own, on which no other test lists jobs."""
    found = serve_with(job_slots=2)
    found.backend.store.users.put(User("bob"), hashed("bob"))
    return found


@pytest.fixture(scope="module")
def ada(served):
    with client_of(served, "ada") as client:
        yield client


@pytest.fixture(scope="module")
def bob(served):
    with client_of(served, "bob") as client:
        yield client


@pytest.fixture(scope="module")
def anonymous(served):
    with client_of(served, None) as client:
        yield client


@pytest.fixture(scope="module")
def stored(ada):
    """Ada's processes."""
    for name, process in (("latest", LATEST), ("both", BOTH), ("twice", {**TWICE, "public": True})):
        assert ada.put(f"/process_graphs/{name}", json=process).status_code == 200
    yield
    for name in ("latest", "both", "twice"):
        ada.delete(f"/process_graphs/{name}")


def execute(client, id_, inputs=None, later=False, **body):
    headers = {"Prefer": "respond-async"} if later else {}
    inputs = {} if inputs is None else {"inputs": inputs}
    return client.post(f"/processes/{id_}/execution", json={**inputs, **body}, headers=headers)


def finished(client, answer):
    assert answer.status_code == 201, answer.text
    for _ in range(600):
        told = client.get(f"/jobs/{answer.json()['jobID']}").json()
        if told["status"] not in ("accepted", "running"):
            assert told["status"] == "successful", told
            return told["jobID"]
        time.sleep(0.1)
    raise AssertionError("the job does not end")


def pixels(content):
    with rasterio.MemoryFile(content) as memory, memory.open() as raster:
        return raster.read()


def test_a_process_of_a_user_gives_what_its_graph_gives(ada, stored):
    """A collection is loaded whole; the filter of the process narrows it."""
    result = ada.post("/result", json=wrapped(NDVI))
    assert result.status_code == 200
    answer = execute(ada, "latest", FIELDS, outputs={"result": {"format": {"mediaType": GTIFF}}})
    assert answer.headers["content-type"].startswith("image/tiff")
    assert np.array_equal(pixels(answer.content), pixels(result.content))
    usual = execute(ada, "latest", FIELDS)
    assert np.array_equal(pixels(usual.content), pixels(result.content))
    document = execute(ada, "latest", FIELDS, response="document").json()["result"]
    assert (document["encoding"], document["mediaType"].partition(";")[0]) == ("base64", "image/tiff")
    assert np.array_equal(pixels(base64.b64decode(document["value"])), pixels(result.content))
    assert (
        execute(ada, "latest", FIELDS, outputs={"result": {"format": {"mediaType": "video/mp4"}}}).status_code
        == 400
    )


def test_each_result_that_a_process_writes_is_an_output(ada, anonymous, stored):
    told = ada.get("/ogc/processes/both").json()
    kinds = {name: one["schema"]["contentMediaType"] for name, one in told["outputs"].items()}
    assert kinds.keys() == {"picture", "series"}
    assert kinds["picture"].startswith("image/tiff")
    assert kinds["series"] == NETCDF
    assert {name: (one["minOccurs"], one["schema"].get("default")) for name, one in told["inputs"].items()} == {
        "cube": (1, None), "time": (1, None), "red": (0, "B04"),
    }  # fmt: skip
    assert told["mutable"]
    assert "version" in told
    outputs = {"series": {"transmissionMode": "reference"}, "picture": {}}
    job = finished(ada, execute(ada, "both", FIELDS, later=True, response="document", outputs=outputs))
    results = ada.get(f"/jobs/{job}/results").json()
    series = anonymous.get(results["series"]["href"])
    assert (series.headers["content-type"], series.content[:4]) == (NETCDF, b"\x89HDF")
    assert results["series"]["type"] == NETCDF
    assert pixels(base64.b64decode(results["picture"]["value"])).ndim == 3


def test_jobs_are_told_in_the_shape_of_their_kind(ada, bob, stored):
    plain = run(ada, SUM)
    job = finished(ada, execute(ada, "twice", {"x": 4}, later=True))
    assert execute(ada, "twice", {"x": 4}).json() == ada.get(f"/jobs/{job}/results").json() == 8
    listed = ada.get("/jobs").json()["jobs"]
    kinds = ["id" in one for one in listed]
    assert kinds == sorted(kinds, reverse=True), "those of openEO come first"
    assert {plain, job} <= {one.get("id", one.get("jobID")) for one in listed}
    assert all(("id" in one) != ("jobID" in one) for one in listed)
    only = ada.get("/jobs?processID=twice&status=successful&type=process").json()["jobs"]
    assert {one["processID"] for one in only} == {"twice"}
    assert job in [one["jobID"] for one in only]
    for query, count in (
        ("status=failed", 0),
        ("minDuration=100000", 0),
        ("datetime=../2020-01-01T00:00:00Z", 0),
    ):
        assert len(ada.get(f"/ogc/jobs?processID=twice&{query}").json()["jobs"]) == count
    assert ada.get("/ogc/jobs?status=cooked").status_code == 400
    for path in ("/openeo/1.2", ""):
        assert plain in [one.get("id") for one in ada.get(f"{path}/jobs").json()["jobs"]]
    assert job not in ada.get("/openeo/1.2/jobs").text
    assert plain not in ada.get("/ogc/jobs?limit=1000").text
    assert ada.get(f"/openeo/1.2/jobs/{job}").status_code == 404
    assert ada.get(f"/ogc/jobs/{plain}").status_code == 404
    assert ada.get(f"/jobs/{job}/logs").json()["logs"]
    assert ada.patch(f"/jobs/{job}", json={"title": "x"}).status_code == 404
    for path in (f"/jobs/{job}", f"/jobs/{job}/results", f"/ogc/jobs/{job}"):
        assert bob.get(path).status_code == 404
    gone = ada.delete(f"/jobs/{job}")
    assert (gone.status_code, gone.json()["status"]) == (200, "dismissed")
    assert ada.delete(f"/jobs/{plain}").status_code == 204


def test_the_document_of_the_geodatacube_api_is_kept(ada, stored, specifications):
    if specifications is None:
        pytest.skip("the standards' files are not here; set GDC_TEST_CONTRACTS")
    document = Contract(specifications / "gdc-1.0.0-beta-openapi.patched.yaml")
    run(ada, SUM)
    made = execute(ada, "twice", {"x": 4}, later=True, response="document")
    job = finished(ada, made)
    answers = [
        made, execute(ada, "twice", {"x": 4}), execute(ada, "twice", {"x": 4}, response="document"),
        execute(ada, "twice", {"x": "a"}), ada.get("/processes/twice"), ada.get("/jobs"), ada.get(f"/jobs/{job}"),
        ada.get(f"/jobs/{job}/results"), ada.delete(f"/jobs/{job}"), ada.get(f"/jobs/{job}"),
    ]  # fmt: skip
    for answer in answers:
        document.check(answer)
    assert [answer.status_code for answer in answers] == [201, 200, 200, 400, 200, 200, 200, 200, 200, 404]


def test_faces_without_executions_claim_none(anonymous):
    claimed = {
        face: "ogcapi-processes-1" in anonymous.get(f"{face}/conformance").text
        for face in ("", "/ogc", "/openeo/1.2", "/stac")
    }
    assert claimed == {"": True, "/ogc": True, "/openeo/1.2": False, "/stac": False}


def test_who_sees_and_executes_which_processes(ada, bob, anonymous, stored):
    assert ada.get("/ogc/processes/twice").status_code == 200
    assert ada.get("/processes/twice").json()["inputs"]["x"]["schema"] == {"type": "number"}
    assert ada.get("/processes/add").json()["parameters"], "a process of openEO stays in its shape"
    assert (
        bob.get("/ogc/processes/latest").status_code
        == anonymous.get("/ogc/processes/latest").status_code
        == 404
    )
    assert bob.get("/ogc/processes/twice").status_code == 404
    shared = "u:ada:twice"
    assert bob.get(f"/ogc/processes/{shared}").json()["mutable"] is False
    assert execute(bob, shared, {"x": 2.5}).json() == 5
    assert bob.get("/ogc/processes/u:ada:latest").status_code == 404
    assert execute(anonymous, "add", {"x": 1, "y": 2}).status_code == 401


def test_links_are_followed_when_the_graph_runs(ada, served):
    """The tests' servers listen where it is allowed to ask; the network that a server is in stays closed."""
    href = {"href": f"{served.url}/processes/add", "type": "application/json"}
    assert execute(ada, "echo", {"object": href}).json() == ada.get("/processes/add").json()
    text = {"href": f"{served.url}/health", "type": "text/plain"}
    assert execute(ada, "echo", {"string": text}).text == ada.get("/health").text
    inside = "http://169.254.169.254/latest"
    for process, name, given in (
        ("echo", "object", {"href": inside}),
        ("ndvi", "data", {"href": f"{inside}.tif"}),
        ("ndvi", "data", {"href": inside, "type": "image/tiff"}),
    ):
        answer = execute(ada, process, {name: given})
        assert (answer.status_code, answer.json()["code"]) == (400, "FilePathInvalid")
    assert execute(ada, "ndvi", {"data": {"href": inside, "type": "video/mp4"}}).status_code == 400


def test_files_are_sent_along(ada):
    """What is sent comes back, through whatever format."""
    tiff = ada.post("/result", json=wrapped(NDVI)).content
    for content, kind in ((tiff, GTIFF), (as_netcdf(ada), NETCDF)):
        sent = {"value": base64.b64encode(content).decode(), "encoding": "base64", "mediaType": kind}
        answer = execute(ada, "save_result", {"data": sent, "format": "GTiff"})
        assert np.array_equal(pixels(answer.content), pixels(tiff), equal_nan=True)
    for wrong in ("AAA=", "?"):
        data = {"value": wrong, "encoding": "base64", "mediaType": GTIFF}
        assert execute(ada, "save_result", {"data": data, "format": "GTiff"}).status_code == 400


def as_netcdf(client):
    graph = {**without_result(NDVI), "s": {**saving("s", "max", "netCDF")["s"], "result": True}}
    return client.post("/result", json=wrapped(graph)).content


def test_processes_call_others(ada, stored):
    nested = {"process": "twice", "inputs": {"x": {"process": "add", "inputs": {"x": 1, "y": 2}}}}
    assert execute(ada, "twice", {"x": nested}).json() == 12
    assert execute(ada, "sum", {"data": [1, nested, 4]}).json() == 11
    for writing in (
        {"process": "both", "inputs": FIELDS},
        {"process": "save_result", "inputs": {"data": S2, "format": "PNG"}},
    ):
        answer = execute(ada, "dimension_labels", {"data": writing, "dimension": "t"})
        assert (answer.status_code, answer.json()["code"]) == (400, "ParameterInvalid")
    assert execute(ada, "twice", {"x": {"process": "https://elsewhere.org/processes/add"}}).status_code == 400


def test_collections_are_inputs_by_id_and_by_address(ada, served, stored):
    wanted = execute(ada, "dimension_labels", {"data": S2, "dimension": "bands"}).json()
    assert "B04" in wanted
    for prefix in ("", "/ogc"):
        by_address = {"collection": f"{served.url}{prefix}/collections/S2"}
        answer = ada.post(
            f"{prefix}/processes/dimension_labels/execution",
            json={"inputs": {"data": by_address, "dimension": "bands"}},
        )
        assert answer.json() == wanted
    none = execute(ada, "dimension_labels", {"data": {"collection": "none"}, "dimension": "bands"})
    assert (none.status_code, none.json()["code"]) == (404, "CollectionNotFound")


def test_a_graph_of_openeo_is_executed_as_it_comes(ada):
    assert execute(ada, "OpenEO", process_graph=SUM).json() == 3
    result = ada.post("/result", json=wrapped(NDVI))
    for body in ({"process_graph": NDVI}, wrapped(NDVI)):
        answer = execute(ada, "OpenEO", **body, outputs={"result": {"format": {"mediaType": GTIFF}}})
        assert np.array_equal(pixels(answer.content), pixels(result.content))
    graph = {
        **without_result(NDVI),
        **saving("a", "max", "GTiff"),
        "b": {**saving("b", "max", "netCDF")["b"], "result": True},
    }
    document = execute(ada, "OpenEO", process_graph=graph, response="document").json()
    assert {name: one["mediaType"].partition(";")[0] for name, one in document.items()} == {
        "a": "image/tiff",
        "b": NETCDF,
    }
    folder = {**without_result(NDVI), "s": {**saving("s", "max", "Zarr")["s"], "result": True}}
    answer = execute(ada, "OpenEO", process_graph=folder)
    assert (answer.status_code, answer.json()["code"]) == (400, "FormatUnsuitable")
    answer = execute(ada, "OpenEO", process_graph=folder, later=True)
    assert (answer.status_code, answer.json()["code"]) == (400, "FormatUnsuitable"), "it is no job, either"
    assert execute(ada, "OpenEO").json()["code"] == "ProcessGraphMissing"
    x = {"parameters": [{"name": "x", "schema": {}, "default": 4}], "process_graph": TWICE["process_graph"]}
    assert execute(ada, "OpenEO", **x).json() == 8
    assert execute(ada, "OpenEO", {"x": 5}, **x).status_code == 400
    assert ada.get("/ogc/processes/OpenEO").json()["inputs"] == {}
    assert execute(ada, "OpenEO", process_graph={"a": {"process_id": "no"}}).status_code == 400


def test_names_of_outputs_may_be_anything(ada, anonymous):
    """Clients choose them; they stand in headers and in addresses."""
    names = ["a b/ü", 'c"\r\nX-Evil: 1', "assets"]
    told = ["a b/ü", 'c"\r\nX-Evil: 1', "assets_"]
    value = dict(zip(names, ["1", 2, [3]], strict=True))
    graph = {"a": {"process_id": "constant", "arguments": {"x": value}, "result": True}}
    body = {
        "process_graph": graph,
        "returns": {"schema": {"type": "object", "properties": {name: {} for name in names}}},
    }
    assert execute(ada, "OpenEO", **body, response="document").json() == dict(
        zip(told, value.values(), strict=True)
    )
    links = {name: {"transmissionMode": "reference"} for name in told}
    found = execute(ada, "OpenEO", **body, outputs=links, response="document").json()
    assert [anonymous.get(found[name]["href"]).text for name in told] == ["1", "2", "[3]"]
    answer = execute(ada, "OpenEO", **body, outputs=links)
    assert answer.status_code == 204
    assert "x-evil" not in answer.headers
    assert b"\r\nX-Evil" not in execute(ada, "OpenEO", **body).content


def test_results_of_several_files_come_side_by_side(ada):
    """A GeoTIFF holds one date; this is a file for each."""
    inputs = {"id": "S2", "spatial_extent": None, "temporal_extent": {"value": JUNE}, "bands": ["B04"]}
    answer = execute(ada, "load_collection", inputs, response="document")
    parts = answer.json()["result"]
    assert len(parts) > 1
    assert all(pixels(base64.b64decode(part["value"])).shape[0] == 1 for part in parts)
    raw = execute(ada, "load_collection", inputs)
    assert raw.headers["content-type"].startswith("multipart/related")
    assert raw.content.count(b"Content-ID: <result>") == len(parts)
