"""Graphs and jobs as users send them over HTTP."""

from __future__ import annotations

import time

SUM = {"add": {"process_id": "add", "arguments": {"x": 1, "y": 2}, "result": True}}
LOAD = {
    "process_id": "load_collection",
    "arguments": {
        "id": "S2",
        "spatial_extent": None,
        "temporal_extent": ["2022-06-01", "2022-07-01"],
        "bands": ["B04", "B08"],
    },
}
NDVI = {
    "load": LOAD,
    "ndvi": {"process_id": "ndvi", "arguments": {"data": {"from_node": "load"}, "nir": "B08", "red": "B04"}},
    "max": {
        "process_id": "reduce_dimension",
        "arguments": {
            "data": {"from_node": "ndvi"},
            "dimension": "t",
            "reducer": {
                "process_graph": {
                    "m": {
                        "process_id": "max",
                        "arguments": {"data": {"from_parameter": "data"}},
                        "result": True,
                    }
                }
            },
        },
        "result": True,
    },
}
TWICE = {
    "summary": "Twice a number.",
    "parameters": [{"name": "x", "description": "A number.", "schema": {"type": "number"}}],
    "process_graph": {
        "add": {
            "process_id": "add",
            "arguments": {"x": {"from_parameter": "x"}, "y": {"from_parameter": "x"}},
            "result": True,
        }
    },
}


def wrapped(graph: dict) -> dict:
    return {"process": {"process_graph": graph}}


def made(client, graph=SUM, **further) -> str:
    answer = client.post("/jobs", json={**wrapped(graph), **further})
    assert (answer.status_code, answer.content) == (201, b"")
    assert answer.headers["location"].endswith(f"/jobs/{answer.headers['openeo-identifier']}")
    assert answer.headers["gdc-identifier"] == answer.headers["openeo-identifier"]
    return answer.headers["openeo-identifier"]


def ended(client, job: str) -> dict:
    for _ in range(600):
        told = client.get(f"/jobs/{job}").json()
        if told["status"] not in ("queued", "running"):
            return told
        time.sleep(0.1)
    raise AssertionError(f"the job is still {told['status']}")


def run(client, graph=SUM, **further) -> str:
    job = made(client, graph, **further)
    assert client.post(f"/jobs/{job}/results").status_code == 202
    ended(client, job)
    return job


RANGE = {"range": [0, 1]}


def served_as(client, graph=NDVI, type_="XYZ", configuration=RANGE, **further) -> str:
    """The id of a new web service."""
    body = {**wrapped(graph), "type": type_, "configuration": configuration, **further}
    answer = client.post("/services", json=body)
    assert (answer.status_code, answer.content) == (201, b""), answer.text
    assert answer.headers["location"].endswith(f"/services/{answer.headers['openeo-identifier']}")
    assert answer.headers["gdc-identifier"] == answer.headers["openeo-identifier"]
    return answer.headers["openeo-identifier"]
