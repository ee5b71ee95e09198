"""Batch jobs over HTTP, from their making to the last byte of their results."""

from __future__ import annotations

import time

import pytest
import rasterio

from api.sign import Grant, granted, signed
from engine import Problem
from requests_of_users import LOAD, NDVI, ended, made, run


def test_a_job_from_its_making_to_its_files(ada, anonymous, tmp_path):
    job = made(ada, NDVI, title="NDVI", log_level="debug", own="kept")
    told = ada.get(f"/jobs/{job}").json()
    assert (told["status"], told["title"], told["own"]) == ("created", "NDVI", "kept")
    assert ada.get(f"/jobs/{job}/results").json()["code"] == "JobNotStarted"
    assert ada.post(f"/jobs/{job}/results").status_code == 202
    told = ended(ada, job)
    assert (told["status"], told["progress"]) == ("finished", 100)
    logs = ada.get(f"/jobs/{job}/logs").json()
    assert [e["message"] for e in logs["logs"]] == ["queued", "attempt 1 begins", "finished with 1 results"]
    results = ada.get(f"/jobs/{job}/results").json()
    (asset,) = results["assets"].values()
    canonical = {link["rel"]: link["href"] for link in results["links"]}["canonical"]
    assert anonymous.get(canonical).json()["id"] == job
    got = anonymous.get(asset["href"])
    assert got.headers["content-type"] == asset["type"]
    (tmp_path / "ndvi.tif").write_bytes(got.content)
    with rasterio.open(tmp_path / "ndvi.tif") as raster:
        assert raster.count == 1
    part = anonymous.get(asset["href"], headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, got.content[4:8])
    head = anonymous.head(asset["href"])
    assert (head.status_code, int(head.headers["content-length"])) == (200, len(got.content))
    for link in (link for link in results["links"] if link["rel"] == "item"):
        item = anonymous.get(link["href"]).json()
        assert (item["type"], item["collection"]) == ("Feature", job)
        assert anonymous.head(next(iter(item["assets"].values()))["href"]).status_code == 200
    assert ada.delete(f"/jobs/{job}").status_code == 204
    assert anonymous.get(asset["href"]).status_code == 404
    assert ada.get(f"/jobs/{job}").json()["code"] == "JobNotFound"


def test_a_job_that_fails_says_why(ada):
    wrong = {"a": {"process_id": "add", "arguments": {"x": 1, "y": "b"}, "result": True}}
    job = run(ada, wrong)
    assert ada.get(f"/jobs/{job}").json()["status"] == "error"
    answer = ada.get(f"/jobs/{job}/results")
    assert (answer.status_code, answer.json()["code"]) == (424, "ProcessParameterInvalid")
    last = ada.get(f"/jobs/{job}/logs?level=error").json()["logs"][-1]
    assert last == answer.json()


def test_logs_have_pages(ada):
    job = run(ada)
    whole = ada.get(f"/jobs/{job}/logs").json()["logs"]
    page, found = ada.get(f"/jobs/{job}/logs?limit=2").json(), []
    while True:
        found += page["logs"]
        following = [link["href"] for link in page["links"] if link["rel"] == "next"]
        if not following:
            break
        page = ada.get(following[0]).json()
    assert found == whole
    assert ada.get(f"/jobs/{job}/logs?offset={whole[0]['id']}").json()["logs"] == whole[1:]
    assert ada.get(f"/jobs/{job}/logs?offset=x").status_code == 400


def test_a_job_is_changed_while_it_rests(ada):
    job = made(ada, title="old", description="old")
    assert ada.patch(f"/jobs/{job}", json={"title": "new", "description": None}).status_code == 204
    told = ada.get(f"/jobs/{job}").json()
    assert (told["title"], "description" in told) == ("new", False)
    assert ada.patch(f"/jobs/{job}", json={}).status_code == 204
    assert ada.get(f"/jobs/{job}").json()["title"] == "new"
    for body, code in (
        ({"status": "finished"}, "PropertyNotEditable"),
        ({"process": {}}, "ProcessGraphMissing"),
        ({"title": 1}, "ParameterInvalid"),
    ):
        answer = ada.patch(f"/jobs/{job}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (400, code)


@pytest.mark.parametrize(
    "body", [{}, {"process": {"process_graph": {}}}, {"process": {"process_graph": {"a": {}}}}]
)
def test_what_is_no_process_makes_no_job(ada, body):
    before = len(ada.get("/jobs").json()["jobs"])
    assert ada.post("/jobs", json=body).status_code == 400
    assert len(ada.get("/jobs").json()["jobs"]) == before


def test_foreign_jobs_are_missing_jobs(ada, bob, anonymous):
    job = run(ada)
    calls = [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/logs"), ("GET", "/results"), ("POST", "/results"), ("DELETE", "/results")]  # fmt: skip
    for method, path in calls:
        body = {"json": {"title": "mine"}} if method == "PATCH" else {}
        foreign = bob.request(method, f"/jobs/{job}{path}", **body)
        missing = bob.request(method, f"/jobs/nothing{path}", **body)
        assert foreign.status_code == missing.status_code == 404
        assert foreign.json()["message"] == missing.json()["message"].replace("nothing", job)
        assert anonymous.request(method, f"/jobs/{job}{path}", **body).status_code == 401
    assert bob.get("/jobs").json()["jobs"] == []
    assert ada.get(f"/jobs/{job}").json()["status"] == "finished"


def test_signatures_hold_for_one_thing_and_one_time():
    grant = Grant("ada", "j", 1, "a.tif", int(time.time()) + 60)
    text = signed(grant, "secret")
    assert granted(text, "secret") == grant
    for wrong in (text[:-1], text + "A", "", "x.y", signed(grant, "other")):
        with pytest.raises(Problem) as caught:
            granted(wrong, "secret")
        assert caught.value.code == "NotFound"
    with pytest.raises(Problem) as caught:
        granted(signed(Grant("ada", "j", 1, "a.tif", int(time.time())), "secret"), "secret")
    assert caught.value.code == "ResultLinkExpired"


def test_the_openeo_client_runs_a_job(served, tmp_path):
    openeo = pytest.importorskip("openeo")
    connection = openeo.connect(f"{served.url}/openeo/1.2").authenticate_basic("bob", "bob")
    cube = connection.load_collection(
        "S2", temporal_extent=["2022-06-01", "2022-07-01"], bands=["B04", "B08"]
    )
    ndvi = cube.ndvi(nir="B08", red="B04").reduce_dimension(dimension="t", reducer="max")
    job = ndvi.create_job(title="NDVI", out_format="GTiff")
    job.start_and_wait(max_poll_interval=0.5, print=lambda _: None)
    assert job.status() == "finished"
    (asset,) = job.get_results().get_assets()
    asset.download(tmp_path / "ndvi.tif")
    with rasterio.open(tmp_path / "ndvi.tif") as raster:
        assert raster.count == 1
    assert [j["id"] for j in connection.list_jobs()] == [job.job_id]
    job.delete()


SLOW = """
import time
def apply_datacube(cube, context):
    time.sleep(2)
    return cube
"""


def saved(node: str) -> dict:
    return {"process_id": "save_result", "arguments": {"data": {"from_node": node}, "format": "GTiff"}}


def test_what_is_finished_can_be_had_before_the_rest(ada, anonymous):
    load = {**LOAD, "arguments": {**LOAD["arguments"], "temporal_extent": ["2022-06-01", "2022-06-03"]}}
    udf = {
        "process_id": "run_udf",
        "arguments": {"data": {"from_node": "load"}, "udf": SLOW, "runtime": "Python"},
    }
    graph = {"load": load, "first": saved("load"), "udf": udf, "second": {**saved("udf"), "result": True}}
    job = made(ada, graph)
    assert ada.get(f"/jobs/{job}/results", params={"partial": True}).json()["code"] == "JobNotStarted"
    ada.post(f"/jobs/{job}/results")
    seen = []
    while (told := ada.get(f"/jobs/{job}").json())["status"] in ("queued", "running"):
        answer = ada.get(f"/jobs/{job}/results", params={"partial": True})
        if answer.status_code == 200 and answer.json().get("openeo:status") == "running":
            seen.append(answer.json())
        time.sleep(0.2)
    assert told["status"] == "finished"
    asset = next(a for told in seen for a in told["assets"].values())
    assert anonymous.get(asset["href"]).status_code == 200
    assert len(ada.get(f"/jobs/{job}/results").json()["assets"]) == 2


def test_bands_are_told_as_older_clients_read_them(ada):
    results = ada.get(f"/jobs/{run(ada, NDVI)}/results").json()
    (asset,) = results["assets"].values()
    (band,), (old,) = asset["bands"], asset["raster:bands"]
    assert old["statistics"]["minimum"] == band["statistics"]["minimum"] < old["statistics"]["maximum"]
    assert [b["name"] for b in asset["eo:bands"]] == [band["name"]]
    assert any("/raster/v1.1.0/" in e for e in results["stac_extensions"])
