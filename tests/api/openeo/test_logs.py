"""What jobs tell on their way: notes of the graph, what user code prints, where in the queue they are."""

from __future__ import annotations

import time

from engine.jobs.words import MOST
from requests_of_users import LOAD, SUM, ended, made, run, wrapped

PRINTING = """
def apply_datacube(cube, context):
    print("seen", sorted(cube.dims))
    return cube
"""
CHATTY = f"""
def apply_datacube(cube, context):
    for n in range({MOST}): print("line", n)
    return cube
"""


def noted(level="warning"):
    return {
        "load": LOAD,
        "note": {"process_id": "inspect", "arguments": {"data": {"from_node": "load"}, "message": "here it is", "code": "Mine", "level": level}},
        "max": {"process_id": "reduce_dimension", "arguments": {"data": {"from_node": "note"}, "dimension": "t", "reducer": {
            "process_graph": {"m": {"process_id": "max", "arguments": {"data": {"from_parameter": "data"}}, "result": True}}}}, "result": True},
    }  # fmt: skip


def udf(code):
    return {
        "udf": {"process_id": "run_udf", "arguments": {"data": {"from_node": "load"}, "udf": code, "runtime": "Python"}, "result": True},
        "load": {**LOAD, "arguments": {**LOAD["arguments"], "temporal_extent": ["2022-06-01", "2022-06-03"]}},
    }  # fmt: skip


def logs(client, job, **query):
    return client.get(f"/jobs/{job}/logs", params=query).json()["logs"]


def test_notes_of_the_graph_are_in_the_log(ada):
    job = run(ada, noted())
    (entry,) = [e for e in logs(ada, job) if e.get("code") == "Mine"]
    assert entry["level"] == "warning"
    assert entry["message"].startswith("here it is: cube of")
    assert entry["path"] == [{"node_id": "note"}]
    assert logs(ada, job, level="error") == []


def test_the_level_of_a_job_says_what_is_kept(ada):
    job = run(ada, noted("debug"), log_level="info")
    assert not [e for e in logs(ada, job) if e.get("code") == "Mine"]
    job = run(ada, noted("debug"), log_level="debug")
    assert [e for e in logs(ada, job) if e.get("code") == "Mine"]


def test_what_user_code_prints_is_in_the_log(ada):
    job = run(ada, udf(PRINTING))
    assert ada.get(f"/jobs/{job}").json()["status"] == "finished", logs(ada, job)
    found = [e for e in logs(ada, job) if e["message"].startswith("seen")]
    assert found
    assert found[0]["message"] == "seen ['bands', 't', 'x', 'y']"


def test_a_log_has_an_end(ada):
    told = [e["message"] for e in logs(ada, run(ada, udf(CHATTY)))]
    assert f"more than {MOST} entries: further ones are left out" in told
    assert len(told) < MOST + 10


def test_a_job_that_waits_knows_its_place(ada, served):
    backend = served.backend
    backend.end_work()
    try:
        jobs = [made(ada, SUM) for _ in range(3)]
        for job in jobs:
            ada.post(f"/jobs/{job}/results")
            time.sleep(0.01)
        places = [ada.get(f"/jobs/{job}").json()["queue_position"] for job in jobs]
        assert [p - places[0] for p in places] == [0, 1, 2]
        assert logs(ada, jobs[2])[0]["message"] == f"queued, {places[2] - 1} before it"
    finally:
        backend.begin_work()
    for job in jobs:
        assert "queue_position" not in ended(ada, job)


def monitored(answer) -> str:
    """The address of the log of a synchronous request."""
    return answer.links["monitor"]["url"]


def test_a_synchronous_request_has_a_log(ada):
    answer = ada.post("/result", json={**wrapped(noted()), "log_level": "debug"})
    assert answer.status_code == 200
    told = ada.get(monitored(answer)).json()["logs"]
    assert [e for e in told if e.get("code") == "Mine" and e["path"] == [{"node_id": "note"}]]
    assert ada.get(monitored(answer), params={"level": "error"}).json()["logs"] == []


def test_the_cause_is_the_last_entry_of_a_synchronous_log(ada):
    failing = PRINTING.replace("return cube", "raise ValueError('no way')")
    answer = ada.post("/result", json=wrapped(udf(failing)))
    assert answer.status_code == 400
    told = ada.get(monitored(answer)).json()["logs"]
    assert (told[-1]["level"], told[-1]["code"]) == ("error", answer.json()["code"])
    assert "no way" in told[-1]["message"]
