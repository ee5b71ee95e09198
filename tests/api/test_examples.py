"""The processes that the standards' documents show are taken as they stand there."""

from __future__ import annotations

import pytest
import yaml

OPENEO, GDC = "openeo-1.2.0-openapi.yaml", "gdc-1.0.0-beta-openapi.patched.yaml"


@pytest.fixture(params=[OPENEO, GDC])
def parts(request, contracts) -> dict:
    """The components of a document."""
    document = yaml.load((contracts / "specs" / request.param).read_text(), Loader=yaml.CSafeLoader)
    return document["components"]


def test_processes_of_the_documents_are_stored_and_come_back(ada, parts):
    shown = [e["value"] for e in parts["examples"].values() if "process_graph" in e.get("value", {})]
    assert shown
    for process in shown:
        assert ada.put(f"/process_graphs/shown_{process['id']}", json=process).status_code == 200
        back = ada.get(f"/process_graphs/shown_{process['id']}").json()
        assert back["process_graph"] == process["process_graph"]
        assert ada.post("/validation", json=process).json()["errors"] == []
        assert ada.delete(f"/process_graphs/shown_{process['id']}").status_code == 204


def test_the_graph_of_the_documents_is_told_what_is_out_of_date_in_it(ada, parts):
    """It calls `reduce`, and `subtract` with a list, as processes before 1.0 had them."""
    graph = {"process_graph": parts["schemas"]["process_graph"]["example"]}
    told = ada.post("/validation", json=graph).json()["errors"]
    assert {e["pointer"] for e in told if e["code"] == "ProcessUnsupported"} == {
        "/process_graph/evi",
        "/process_graph/mintime",
    }
    assert ada.post("/result", json={"process": graph}).status_code == 400
    made = ada.post("/jobs", json={"process": graph})
    assert made.status_code == 201
    assert ada.delete(f"/jobs/{made.headers['openeo-identifier']}").status_code == 204
