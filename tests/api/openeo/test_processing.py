"""Graphs over HTTP: checked, computed, stored under a name; each user's things are the user's own."""

from __future__ import annotations

import io
import shutil
import tarfile
import time

import httpx
import numpy as np
import pytest
import rasterio

import engine
from requests_of_users import LOAD, NDVI, SUM, TWICE, made, run, wrapped


def left_over(served) -> list:
    """Folders of results that are still there, a moment after the answer."""
    for _ in range(50):
        if not (found := list(served.backend.settings.home.glob("users/*/sync/*"))):
            break
        time.sleep(0.1)
    return found


def test_a_raster_comes_as_the_engine_itself_computes_it(ada, catalog, served):
    answer = ada.post("/result", json=wrapped(NDVI))
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("image/tiff")
    assert answer.headers["openeo-costs"] == "0"
    with rasterio.open(io.BytesIO(answer.content)) as got, engine.open(catalog) as session:
        expected = session.compute(session.run(NDVI))
        np.testing.assert_array_equal(got.read(1), expected.values)
    assert left_over(served) == []


def test_several_files_come_in_one_archive(ada, served):
    saved = {"load": LOAD, "save": {"process_id": "save_result", "arguments": {"data": {"from_node": "load"}, "format": "gtiff"}, "result": True}}  # fmt: skip
    answer = ada.post("/result", json=wrapped(saved))
    assert answer.headers["content-type"] == "application/x-tar"
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
        names = tar.getnames()
        assert len(names) == 3
        for name in names:
            with rasterio.open(io.BytesIO(tar.extractfile(name).read())) as raster:
                assert raster.count == 2
    assert left_over(served) == []


def test_a_number_comes_as_json(ada):
    answer = ada.post("/openeo/1.2/result", json=wrapped(SUM))
    assert (answer.json(), answer.headers["content-type"]) == (3, "application/json")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "ProcessGraphMissing"),
        ({"process": 1}, "ProcessGraphMissing"),
        ({"process": {}}, "ProcessGraphMissing"),
        (wrapped({}), "ProcessGraphMissing"),
        (wrapped({"a": {"process_id": "nothing", "arguments": {}, "result": True}}), "ProcessUnsupported"),
        (wrapped({"a": {"process_id": "add", "arguments": {"x": 1}, "result": True}}), "ProcessParameterRequired"),
        (wrapped({"a": {"process_id": "load_collection", "arguments": {"id": "nothing", "spatial_extent": None, "temporal_extent": None}, "result": True}}), "CollectionNotFound"),
        (wrapped({"a": {"process_id": "load_stac", "arguments": {"url": "/etc/passwd"}, "result": True}}), "ProcessParameterInvalid"),
    ],
)  # fmt: skip
def test_bad_graphs_are_refused_by_name(ada, served, body, code):
    answer = ada.post("/result", json=body)
    assert (answer.status_code < 500, answer.json()["code"]) == (True, code)
    assert left_over(served) == []


def test_a_graph_writes_into_no_collection_of_others(ada):
    graph = {
        "load": LOAD,
        "save": {"process_id": "save_result", "arguments": {"data": {"from_node": "load"}, "format": "netcdf"}},
        "export": {"process_id": "export_collection", "arguments": {"data": {"from_node": "save"}, "collection": "bob:mine"}, "result": True},
    }  # fmt: skip
    answer = ada.post("/result", json=wrapped(graph))
    assert (answer.status_code, answer.json()["code"]) == (400, "ProcessParameterInvalid")
    (error,) = ada.post("/validation", json={"process_graph": graph}).json()["errors"]
    assert error["code"] == "ProcessParameterInvalid"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff"])
def test_bodies_that_are_no_objects_are_refused(ada, content):
    for path in ("/result", "/validation"):
        answer = ada.post(path, content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400, answer.text


def test_validation_lists_all_faults_and_is_no_failure(ada):
    bad = {
        "a": {"process_id": "nothing", "arguments": {}},
        "b": {"process_id": "add", "arguments": {"x": 1}, "result": True},
    }
    answer = ada.post("/validation", json={"process_graph": bad})
    assert answer.status_code == 200
    found = {(e["code"], e["pointer"]) for e in answer.json()["errors"]}
    assert found == {
        ("ProcessUnsupported", "/process_graph/a"),
        ("ProcessParameterRequired", "/process_graph/b/arguments"),
    }
    assert ada.post("/validation", json={"process_graph": NDVI}).json() == {"errors": []}


def test_a_stored_process_is_kept_used_replaced_and_removed(ada):
    assert ada.put("/process_graphs/twice", json={**TWICE, "id": "other"}).status_code == 200
    assert ada.get("/process_graphs/twice").json() == {**TWICE, "id": "twice"}
    (listed,) = ada.get("/process_graphs").json()["processes"]
    assert (listed["id"], "process_graph" in listed) == ("twice", False)
    call = {"a": {"process_id": "twice", "arguments": {"x": 4}, "result": True}}
    assert ada.post("/result", json=wrapped(call)).json() == 8
    assert ada.put("/process_graphs/twice", json={"process_graph": SUM}).status_code == 200
    assert ada.get("/process_graphs/twice").json() == {"id": "twice", "process_graph": SUM}
    assert ada.delete("/process_graphs/twice").status_code == 204
    assert ada.get("/process_graphs/twice").json()["code"] == "ProcessGraphNotFound"
    assert ada.delete("/process_graphs/twice").status_code == 404


@pytest.mark.parametrize(
    ("id_", "body", "code"),
    [
        ("add", TWICE, "PredefinedProcessExists"),
        ("mine", {}, "ProcessGraphMissing"),
        ("mine", {"process_graph": {"a": {}}}, "ProcessGraphInvalid"),
        ("a.b", TWICE, "ParameterInvalid"),
    ],
)
def test_what_can_be_no_stored_process_is_refused(ada, id_, body, code):
    answer = ada.put(f"/process_graphs/{id_}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_stored_processes_are_their_owners(ada, bob):
    ada.put("/process_graphs/secret", json=TWICE)
    call = {"a": {"process_id": "secret", "arguments": {"x": 4}, "result": True}}
    missing = bob.get("/process_graphs/nothing")
    foreign = bob.get("/process_graphs/secret")
    assert foreign.status_code == missing.status_code == 404
    assert foreign.json()["message"] == missing.json()["message"].replace("nothing", "secret")
    assert bob.get("/process_graphs").json()["processes"] == []
    assert bob.delete("/process_graphs/secret").status_code == 404
    assert bob.post("/result", json=wrapped(call)).json()["code"] == "ProcessUnsupported"
    assert ada.delete("/process_graphs/secret").status_code == 204


def test_the_openeo_client_gets_what_it_asks_for(served, tmp_path):
    openeo = pytest.importorskip("openeo")
    connection = openeo.connect(f"{served.url}/openeo/1.2").authenticate_basic("ada", "ada")
    assert connection.list_collection_ids() == ["S2"]
    cube = connection.load_collection(
        "S2", temporal_extent=["2022-06-01", "2022-07-01"], bands=["B04", "B08"]
    )
    ndvi = cube.ndvi(nir="B08", red="B04").reduce_dimension(dimension="t", reducer="max")
    assert ndvi.validate() == []
    ndvi.download(tmp_path / "ndvi.tif")
    with rasterio.open(tmp_path / "ndvi.tif") as raster:
        assert (raster.count, raster.dtypes) == (1, ("float32",))


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="user-defined functions need bubblewrap")
def test_a_client_that_hangs_up_ends_its_run(ada, served):
    code = "import time\ntime.sleep(600)\ndef transform(x, context):\n    return x\n"
    arguments = {"data": [1, 2], "udf": code, "runtime": "Python"}
    slow = {"udf": {"process_id": "run_udf", "arguments": arguments, "result": True}}
    with pytest.raises(httpx.ReadTimeout):
        ada.post("/result", json=wrapped(slow), timeout=3)
    for _ in range(100):
        if served.backend.sync.under_way() == 0:
            break
        time.sleep(0.1)
    assert served.backend.sync.under_way() == 0
    assert left_over(served) == []


def test_results_of_a_job_are_loaded_by_its_id(ada, bob):
    job = run(ada, NDVI)
    load = {"load": {"process_id": "load_stac", "arguments": {"url": job}}}
    graph = {
        **load,
        "twice": {"process_id": "apply", "arguments": {"data": {"from_node": "load"}, "process": {"process_graph": {
            "m": {"process_id": "multiply", "arguments": {"x": {"from_parameter": "x"}, "y": 2}, "result": True}}}}},
        "save": {"process_id": "save_result", "arguments": {"data": {"from_node": "twice"}, "format": "GTiff"}, "result": True},
    }  # fmt: skip
    answer = ada.post("/result", json=wrapped(graph))
    assert answer.status_code == 200, answer.text
    (asset,) = ada.get(f"/jobs/{job}/results").json()["assets"].values()
    files = rasterio.MemoryFile(httpx.get(asset["href"]).content), rasterio.MemoryFile(answer.content)
    with files[0] as a, files[1] as b, a.open() as first, b.open() as second:
        np.testing.assert_allclose(second.read(), 2 * first.read(), rtol=1e-6)
        assert second.transform == first.transform
    refused = bob.post("/result", json=wrapped(graph))
    assert refused.json()["code"] == "JobNotFound"
    waiting = made(ada, SUM)
    graph["load"]["arguments"]["url"] = waiting
    assert ada.post("/result", json=wrapped(graph)).json()["code"] == "JobNotFound"
    assert (
        ada.post("/validation", json=wrapped(graph)["process"]).json()["errors"][0]["code"] == "JobNotFound"
    )


def test_public_processes_are_used_by_all_and_others_are_not(ada, bob, anonymous):
    ada.put("/process_graphs/shared_twice", json={**TWICE, "public": True})
    ada.put("/process_graphs/own_twice", json=TWICE)
    try:
        address = "/processes/u:ada/shared_twice"
        told = anonymous.get(address).json()
        assert told["process_graph"] == TWICE["process_graph"]
        assert next(k["href"] for k in told["links"] if k["rel"] == "canonical").endswith(address)
        assert anonymous.get("/processes/u:ada/own_twice").json()["code"] == "ProcessGraphNotFound"
        assert anonymous.get("/processes/ada/shared_twice").status_code == 404
        call = {"process_id": "shared_twice", "namespace": "u:ada", "arguments": {"x": 21}, "result": True}
        assert bob.post("/result", json=wrapped({"n": call})).text.strip() == "42"
        own = {**call, "process_id": "own_twice"}
        assert bob.post("/result", json=wrapped({"n": own})).json()["code"] == "ProcessUnsupported"
        refused = ada.put("/process_graphs/shared_twice", json={**TWICE, "public": "yes"})
        assert refused.json()["code"] == "ParameterInvalid"
    finally:
        ada.delete("/process_graphs/shared_twice")
        ada.delete("/process_graphs/own_twice")


@pytest.mark.parametrize("member", [{"summary": 1}, {"links": [1]}, {"categories": "a"}, {"parameters": {}}])
def test_what_a_process_tells_of_itself_is_looked_at(ada, member):
    """It is told to clients again as it is."""
    process = {**TWICE, **member}
    for answer in (
        ada.put("/process_graphs/odd", json=process),
        ada.post("/jobs", json={"process": process}),
        ada.post("/result", json={"process": process}),
        ada.post("/services", json={"process": process, "type": "XYZ"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (400, "ProcessInvalid")
    assert ada.post("/validation", json=process).json()["errors"][0]["code"] == "ProcessInvalid"
