"""What clients need that cannot be run here: GDC's web editor, and OGC's test suites, assertion by assertion."""

from __future__ import annotations

import pytest
import rasterio

pytestmark = pytest.mark.slow

REL = "http://www.opengis.net/def/rel/ogc/1.0/"
CLASSES = "http://www.opengis.net/spec/ogcapi-coverages-1/1.0/conf/"


@pytest.fixture(scope="module")
def client(published):
    with published.client() as client:
        yield client


# ----------------------------------------------------------------------------------- the wizard of gdc-web-editor
def links_of(client, collection: str) -> list[dict]:
    document = client.get(f"/collections/{collection}").json()
    return [link for link in document["links"] if link["rel"] == f"{REL}coverage"]


def test_the_wizard_is_offered(client):
    conforming = set(client.get("/conformance").json()["conformsTo"])
    assert {
        CLASSES + name for name in ("core", "subsetting", "fieldselection", "scaling", "crs")
    } <= conforming


def test_the_wizard_asks_by_the_media_type_of_each_link(client):
    """It adds to the link's address, which has an `f` of its own already; both are of the same form."""
    asked = {"bbox": "5.5,49,6,49.5", "datetime": "2022-06-01/2022-06-01", "crs": "EPSG:3857", "scale-factor": "2"}  # fmt: skip
    links = links_of(client, "degrees")
    assert len(links) >= 6
    for link in links:
        kind = link["type"]
        shown = {"properties": "warm"} if kind == "image/png" else {}
        answer = client.get("/collections/degrees/coverage", params={**asked, **shown, "f": kind})
        assert answer.status_code == 200, (kind, answer.text)
        assert answer.headers["content-type"].startswith(kind)
        assert answer.content
        assert client.head(link["href"], params={**shown, "bbox": asked["bbox"]}).status_code == 200


def test_what_the_wizard_gets_is_where_it_asked(client):
    asked = {"bbox": "5.5,49,6,49.5", "crs": "EPSG:3857", "scale-factor": "2", "f": links_of(client, "degrees")[0]["type"]}  # fmt: skip
    answer = client.get("/collections/degrees/coverage", params=asked)
    with rasterio.MemoryFile(answer.content).open() as file:
        assert file.crs == "EPSG:3857"
        west, south, east, north = rasterio.warp.transform_bounds(file.crs, "EPSG:4326", *file.bounds)
    assert (west, south, east, north) == pytest.approx((5.5, 49, 6, 49.5), abs=0.03)


# ----------------------------------------------------------------------------------- ets-ogcapi-coverages10
@pytest.mark.parametrize("facet", ["", "/ogc"])
def test_coverages10(client, facet):
    assert any(link["rel"] == "data" for link in client.get(f"{facet}/").json()["links"])
    assert client.get(f"{facet}/conformance").json()["conformsTo"]
    listed = client.get(f"{facet}/collections")
    assert listed.status_code == 200
    for document in listed.json()["collections"]:
        place = f"/collections/{document['id']}"
        described = client.get(f"{facet}{place}")
        assert described.status_code == 200
        links = described.json()["links"]
        own = [link for link in links if link["rel"] == f"{REL}coverage"]
        assert own
        assert all(f"{place}/coverage" in link["href"] and link["type"] for link in own)
        kinds = {link["rel"] for link in links}
        assert {f"{REL}coverage-domainset", f"{REL}coverage-rangetype"} <= kinds
        assert any(
            link["rel"].endswith("/schema") and link["href"].endswith(f"{place}/schema") for link in links
        )


# ----------------------------------------------------------------------------------- ets-ogcapi-gdc10
def test_gdc10(published, client):
    landing = client.get("/").text
    assert all(word in landing for word in ("api_version", "stac_version", "endpoints"))
    assert client.get("/conformance").status_code == 200
    with published.client("ada") as ada:
        assert ada.get("/me").json()["user_id"] == "ada"
        first = client.get("/collections").json()["collections"][0]
        assert first["type"]
        for part in ("queryables", "coverage", "coverage/domainset", "coverage/rangetype"):
            answer = client.get(f"/collections/{first['id']}/{part}", headers={"Accept": "application/json"})
            assert answer.status_code == 200, part
        assert answer.json()["type"] == "DataRecord"
        for path in ("/processes", "/process_graphs", "/file_formats", "/jobs"):
            assert ada.get(path).status_code == 200
        load = {"process_id": "load_collection", "arguments": {"id": first["id"], "spatial_extent": None, "temporal_extent": None}}  # fmt: skip
        save = {"process_id": "save_result", "arguments": {"data": {"from_node": "load"}, "format": "GTiff"}, "result": True}  # fmt: skip
        process = {"process": {"process_graph": {"load": load, "save": save}}}
        assert ada.post("/result", json=process).status_code == 200
        assert ada.post("/jobs", json=process).status_code == 201
        assert ada.get("/jobs").json()["jobs"][0]["id"]
