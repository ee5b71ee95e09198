"""Results that become items: a graph exports what it made into a collection of its user, and another one goes on from it."""

from __future__ import annotations

import io

import numpy as np
import rasterio

from tests.api.datacosmos.test_processing import graph, published  # noqa: F401 (a fixture)


def test_a_result_is_catalogued_found_fetched_and_computed_from(published, ada, bob, cosmos):  # noqa: F811
    export = graph("new")
    nodes = export["process"]["process_graph"]
    del nodes["save"]["result"]
    nodes["export"] = {
        "process_id": "export_collection", "arguments": {"data": {"from_node": "save"}, "collection": "mine"}, "result": True,
    }  # fmt: skip
    answer = ada.post("/result", json=export)
    assert answer.status_code == 200, answer.text
    found = ada.get("/search", params={"collections": "ada:mine"}).json()["features"]
    assert len(found) == 1
    (asset,) = [a for a in found[0]["assets"].values() if "data" in a.get("roles", [])]
    assert asset["href"].startswith(f"{cosmos.url}/api/data/v0/storage/owned/ada/mine/")
    with rasterio.open(io.BytesIO(ada.get(asset["href"]).content)) as file:
        np.testing.assert_array_equal(file.read(1), published)
    again = ada.post("/result", json=graph("ada:mine"))
    assert again.status_code == 200, again.text
    with rasterio.open(io.BytesIO(again.content)) as file:
        np.testing.assert_array_equal(file.read(1), published)
    assert bob.get("/search", params={"collections": "ada:mine"}).json()["features"] == []
    assert bob.get(asset["href"]).status_code == 403
    assert bob.post("/result", json=graph("ada:mine")).json()["code"] == "CollectionNotFound"
