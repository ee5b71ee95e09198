"""Stored processes that are offered as collections: what they are made of, who sees them, what is read for them."""

from __future__ import annotations

import io

import numpy as np
import pytest
import rasterio
import xarray as xr

S2 = "/collections/S2"
NDVI = "/collections/u~ada~greenness"
REL = "http://www.opengis.net/def/rel/ogc/1.0/"


def load(id_: str = "S2") -> dict:
    arguments = {"id": id_, "spatial_extent": None, "temporal_extent": None}
    return {"process_id": "load_collection", "arguments": arguments}


def greenness(id_: str = "S2", **further) -> dict:
    """The normalised difference of two bands, in each cell at each time."""
    ndvi = {"process_id": "ndvi", "arguments": {"data": {"from_node": "load"}, "nir": "B08", "red": "B04"}, "result": True}  # fmt: skip
    return {
        "process_graph": {"load": load(id_), "ndvi": ndvi}, "summary": "Greenness", "description": "How green it is.",
        "categories": ["vegetation", "coverage"], "public": True, **further,
    }  # fmt: skip


@pytest.fixture(scope="module")
def stored(ada):
    """Processes of ada: one for everybody, one for her alone, one that is not offered."""
    ada.put("/process_graphs/greenness", json=greenness()).raise_for_status()
    ada.put("/process_graphs/mine", json=greenness(public=False)).raise_for_status()
    ada.put("/process_graphs/kept", json=greenness(categories=["vegetation"])).raise_for_status()
    yield
    for name in ("greenness", "mine", "kept"):
        ada.delete(f"/process_graphs/{name}")


def read(answer) -> tuple[np.ndarray, tuple]:
    assert answer.status_code == 200, answer.text
    with rasterio.open(io.BytesIO(answer.content)) as file:
        return file.read(), tuple(file.bounds)


def by_hand(client, **asked) -> tuple[np.ndarray, tuple]:
    """The same from the bands."""
    bands, bounds = read(client.get(f"{S2}/coverage", params={"properties": "B08,B04", **asked}))
    nir, red = np.where(bands == 0, np.nan, bands.astype("float32"))
    return (nir - red) / (nir + red), bounds


@pytest.mark.parametrize("facet", ["", "/ogc"])
def test_it_is_a_collection_with_a_coverage(stored, anonymous, facet):
    listed = {c["id"]: c for c in anonymous.get(f"{facet}/collections").json()["collections"]}
    told = anonymous.get(f"{facet}{NDVI}").json()
    assert listed["u~ada~greenness"]["title"] == told["title"] == "Greenness"
    assert told["extent"] == listed["S2"]["extent"]
    links = {link["rel"]: link["href"] for link in told["links"]}
    assert links["derived_from"].endswith(f"{facet}{S2}")
    assert "items" not in links
    for part in ("coverage-domainset", "coverage-rangetype", "schema"):
        assert anonymous.get(links[REL + part]).status_code == 200
    axes = anonymous.get(f"{facet}{NDVI}/coverage/domainset").json()["generalGrid"]["axisLabels"]
    assert axes == ["E", "N", "time"]


@pytest.mark.parametrize(
    "asked",
    [
        {"bbox": "11.29,46.52,11.30,46.53", "datetime": "2022-06-17"}, {"subset": "E(675000:675400),N(5154000:5154300)"},
        {"subset": 'x(675000:675100),time("2022-04-23T10:16:18Z")'},
    ],
)  # fmt: skip
def test_a_part_is_that_of_the_result(stored, anonymous, asked):
    found, bounds = read(anonymous.get(f"{NDVI}/coverage", params=asked))
    wanted, where = by_hand(anonymous, **asked)
    assert bounds == where
    np.testing.assert_allclose(found[0], wanted, rtol=1e-5, atol=1e-6)


def test_all_that_coverages_can_be_asked(stored, anonymous, tmp_path):
    asked = {"datetime": "2022-06-01/2022-07-01", "bbox": "11.29,46.52,11.30,46.53", "scale-factor": "2", "f": "netcdf"}  # fmt: skip
    answer = anonymous.get(f"{NDVI}/coverage", params={**asked, "crs": "EPSG:3857"})
    assert answer.status_code == 200, answer.text
    (tmp_path / "a.nc").write_bytes(answer.content)
    with xr.open_dataset(tmp_path / "a.nc") as found:
        assert found.sizes["t"] == 3
    picture = anonymous.get(f"{NDVI}/coverage", params={"f": "png", "width": "50"})
    assert picture.headers["content-type"] == "image/png"
    assert anonymous.get(f"{NDVI}/coverage", params={"bbox": "0,0,1,1"}).status_code == 204
    assert anonymous.get(f"{NDVI}/coverage", params={"properties": "nix"}).status_code == 400


def test_what_is_asked_for_is_pushed_into_the_graph(stored, ada, served):
    """Of the source is loaded what the part needs, and no more."""
    desk, user = served.backend.coverages, served.backend.store.users.get("ada")
    ada.get(f"{NDVI}/coverage/domainset").raise_for_status()
    from engine import read_wish
    from engine.jobs.belongings import belongings
    from engine.service import Engine

    wish = read_wish({"subset": ["E(675000:675400),N(5154000:5154300)"], "datetime": ["2022-06-17"]})
    domain = desk.known(user, "u~ada~greenness")
    made = desk.plan(user, "u~ada~greenness", domain, wish, "geotiff")
    own = belongings(served.backend.store, served.backend.settings, user, made.process)
    with Engine(served.backend.settings, own.processes, own.results, own.readable) as engine:
        (read_,) = engine.explain(made.process).reads
    assert (read_.items, read_.bands) == (1, ("B04", "B08"))


def test_who_sees_it(stored, anonymous, ada, bob):
    for client in (anonymous, bob):
        ids = {c["id"] for c in client.get("/collections").json()["collections"]}
        assert "u~ada~greenness" in ids
        assert ids.isdisjoint({"u~ada~mine", "u~ada~kept"})
        for name in ("mine", "kept", "nix"):
            for part in ("", "/coverage", "/coverage/rangetype", "/schema"):
                answer = client.get(f"/collections/u~ada~{name}{part}")
                assert (answer.status_code, answer.json()["code"]) == (404, "CollectionNotFound")
    assert ada.get("/collections/u~ada~mine").json()["id"] == "u~ada~mine"
    asked = {"subset": "E(675000:675100),N(5155000:5155100)"}
    mine, _ = read(ada.get("/collections/u~ada~mine/coverage", params=asked))
    shared, _ = read(bob.get(f"{NDVI}/coverage", params=asked))
    np.testing.assert_array_equal(mine, shared)
    for facet in ("/stac", "/openeo/1.2"):
        assert anonymous.get(f"{facet}{NDVI}").status_code == 404


def test_a_process_over_what_is_hidden_is_hidden(ada, anonymous):
    ada.post("/catalog/collections", json={"id": "veiled", "description": "hush"}).raise_for_status()
    ada.put("/process_graphs/over", json=greenness("ada:veiled")).raise_for_status()
    ids = {c["id"] for c in anonymous.get("/collections").json()["collections"]}
    assert "u~ada~over" not in ids
    for part in ("", "/coverage"):
        answer = anonymous.get(f"/collections/u~ada~over{part}")
        assert (answer.status_code, answer.json()["code"]) == (404, "CollectionNotFound")
        assert "veiled" not in answer.text
    ada.delete("/process_graphs/over").raise_for_status()
    ada.delete("/catalog/collections/ada:veiled")


def test_another_version_has_another_domain(ada):
    ada.put("/process_graphs/changing", json=greenness()).raise_for_status()
    place = "/collections/u~ada~changing/coverage/domainset"
    assert ada.get(place).json()["generalGrid"]["axisLabels"] == ["E", "N", "time"]
    latest = {"process_id": "reduce_dimension", "arguments": {
        "data": {"from_node": "load"}, "dimension": "t",
        "reducer": {"process_graph": {"max": {"process_id": "max", "arguments": {"data": {"from_parameter": "data"}}, "result": True}}},
    }, "result": True}  # fmt: skip
    graph = {"load": load(), "latest": latest}
    ada.put("/process_graphs/changing", json=greenness(process_graph=graph)).raise_for_status()
    assert ada.get(place).json()["generalGrid"]["axisLabels"] == ["E", "N"]
    ada.delete("/process_graphs/changing")
    assert ada.get(place).status_code == 404


@pytest.mark.parametrize(
    ("graph", "further", "word"),
    [
        ({"a": load(), "b": load(), "c": {"process_id": "merge_cubes", "arguments": {"cube1": {"from_node": "a"}, "cube2": {"from_node": "b"}}, "result": True}},
         {}, "2 nodes"),
        ({"a": load(), "b": {"process_id": "save_result", "arguments": {"data": {"from_node": "a"}, "format": "GTiff"}, "result": True}},
         {}, "save_result"),
        ({"a": {**load(), "result": True}},
         {"parameters": [{"name": "p", "description": "A number.", "schema": {"type": "number"}}]}, "'p' has no default"),
        ({"a": {"process_id": "load_stac", "arguments": {"url": "http://127.0.0.1/x"}, "result": True}}, {}, "0 nodes"),
    ],
)  # fmt: skip
def test_what_is_no_coverage_says_why(ada, graph, further, word):
    ada.put("/process_graphs/odd", json=greenness(process_graph=graph, **further)).raise_for_status()
    assert "u~ada~odd" not in {c["id"] for c in ada.get("/collections").json()["collections"]}
    for part in ("", "/coverage"):
        answer = ada.get(f"/collections/u~ada~odd{part}")
        assert (answer.status_code, answer.json()["code"]) == (404, "NotFound")
        assert word in answer.json()["message"]
        assert answer.json()["hint"]
    ada.delete("/process_graphs/odd")
