"""Discovery: everything public, at both facets, as the standards' schemas have it."""

from __future__ import annotations

import re

import pystac_client
import pytest
from openapi_spec_validator import validate

from api.stac.collections import is_address

MAKES = re.compile(r"/collections|/api/data/|/webhooks|/processes")
"""Paths of the catalogue, of the storage, of webhooks and of OGC processes."""
PAGES = (
    "/",
    "/conformance",
    "/collections",
    "/collections/S2",
    "/collections/S2/queryables",
    "/processes",
    "/file_formats",
    "/udf_runtimes",
)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("facet", ["", "/openeo/1.2"])
def test_answers_are_there_and_valid(anonymous, facet, path):
    """That they are as the standards have them is what the client sees to."""
    assert anonymous.get(facet + path).status_code == 200


@pytest.mark.parametrize("facet", ["", "/openeo/1.2"])
def test_every_endpoint_that_is_listed_is_there(anonymous, facet):
    landing = anonymous.get(f"{facet}/").json()
    assert landing["conformsTo"] == anonymous.get(f"{facet}/conformance").json()["conformsTo"]
    assert {"/", "/collections", "/result", "/validation"} <= {e["path"] for e in landing["endpoints"]}
    for link in landing["links"]:
        needs_login = link["rel"].endswith("/job-list")
        assert anonymous.get(link["href"]).status_code == (401 if needs_login else 200), link


def test_the_well_known_document_leads_to_the_facet_of_openeo(anonymous):
    (version,) = anonymous.get("/.well-known/openeo").json()["versions"]
    landing = anonymous.get(version["url"]).json()
    assert landing["api_version"] == version["api_version"] == "1.2.0"
    assert all(link["href"].startswith(str(anonymous.base_url)) for link in landing["links"])


def test_a_list_without_a_limit_is_whole_and_with_one_has_pages(anonymous):
    whole = [p["id"] for p in anonymous.get("/processes").json()["processes"]]
    assert len(whole) > 150
    found, page = [], anonymous.get("/processes?limit=50").json()
    while True:
        found += [p["id"] for p in page["processes"]]
        rels = {link["rel"]: link["href"] for link in page["links"]}
        assert {"self", "first", "last"} <= rels.keys()
        if "next" not in rels:
            break
        page = anonymous.get(rels["next"]).json()
    assert found == whole
    assert "prev" in rels
    assert [p["id"] for p in anonymous.get(rels["last"]).json()["processes"]] == whole[
        -(len(whole) % 50 or 50) :
    ]


def test_a_collection_tells_its_cube(anonymous, served):
    body = anonymous.get("/collections/S2").json()
    assert set(body["cube:dimensions"]) == {"x", "y", "t", "bands"}
    rels = {link["rel"]: link["href"] for link in body["links"]}
    assert rels["self"] == f"{served.url}/collections/S2"


def test_paths_of_the_server_are_nobodys_business(anonymous, catalog):
    for path in ("/collections", "/collections/S2", "/collections/S2/queryables"):
        assert str(catalog.parent) not in anonymous.get(path).text


@pytest.mark.parametrize(
    ("href", "told"),
    [
        ("https://example.org/a", True),
        ("s3://bucket/a", True),
        ("http://[broken", True),
        ("/data/a", False),
        ("./a", False),
        ("file:///data/a", False),
        ("/vsicurl/https://example.org/a", False),
        ("", False),
        (None, False),
    ],
)
def test_addresses_are_told_and_paths_are_not(href, told):
    assert is_address(href) is told


@pytest.mark.parametrize(
    ("path", "scheme"),
    [
        ("/collections", None),
        ("/results/{token}/{name}", None),
        ("/jobs/{job_id}/results", "Bearer"),
        ("/credentials/basic", "Basic"),
    ],
)
def test_openapi_tells_who_needs_a_login(anonymous, path, scheme):
    operation = anonymous.get("/openapi").json()["paths"][path]["get"]
    assert operation.get("security") == (scheme and [{scheme: []}])


def test_openapi_is_3_0_and_lists_what_is_mounted(anonymous):
    answer = anonymous.get("/openapi")
    assert answer.headers["content-type"] == "application/vnd.oai.openapi+json;version=3.0"
    document = answer.json()
    assert document["openapi"].startswith("3.0.")
    told = {(path, method.upper()) for path, found in document["paths"].items() for method in found}
    landing = anonymous.get("/").json()
    assert {(e["path"], m) for e in landing["endpoints"] for m in e["methods"]} <= told
    assert '"null"' not in answer.text


def test_openapi_is_sound(anonymous):
    validate(anonymous.get("/openapi").json())


def test_openapi_tells_of_each_operation_what_it_takes_and_gives(anonymous):
    document = anonymous.get("/openapi").json()
    told = [
        (f"{method} {path}", operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    ids = [operation["operationId"] for _, operation in told]
    assert len(set(ids)) == len(ids)
    assert max(map(len, ids)) <= 40
    for name, operation in told:
        assert operation["summary"], name
        assert operation["tags"], name
        good = {s: a for s, a in operation["responses"].items() if s.startswith(("2", "303"))}
        assert good, name
        for status, answer in good.items():
            content = answer.get("content", {})
            if status == "201" and MAKES.search(name):  # what is made is told at once
                assert content, name
                continue
            assert bool(content) == (status in ("200", "206")) or (name.startswith("put"), status) == (
                True,
                "200",
            )
            for kind, one in content.items():
                assert ("$ref" in one["schema"]) == ("json" in kind), (name, kind)
        bare = "/results" in name or name == "post /logout"
        assert ("requestBody" in operation) == name.startswith(("post", "put", "patch")) or bare
        assert all(p["description"] for p in operation.get("parameters", ()) if p["in"] != "query"), name


def test_docs_tell_all_routes(anonymous):
    assert "/process_graphs/{process_graph_id}" in anonymous.get("/docs").text


def test_the_face_of_stac_is_read_by_pystac_client(served):
    client = pystac_client.Client.open(f"{served.url}/stac/")
    (collection,) = client.get_collections()
    assert collection.id == "S2"
    assert collection.summaries.get_list("platform")
    assert client.get_collection("S2").extent.spatial.bboxes == collection.extent.spatial.bboxes


@pytest.mark.parametrize(
    ("facet", "member", "begin"),
    [("/stac", "stac_version", ("https://api.stacspec.org/", "http://www.opengis.net/")), ("/ogc", "conformsTo", ("http://www.opengis.net/",))],
)  # fmt: skip
def test_the_faces_of_one_standard_tell_no_other(anonymous, facet, member, begin):
    landing = anonymous.get(f"{facet}/").json()
    assert landing[member]
    assert not {"api_version", "gdc_version", "endpoints", "billing"} & landing.keys()
    assert landing["conformsTo"]
    assert all(uri.startswith(begin) for uri in landing["conformsTo"])
    for link in landing["links"]:
        needs_login = link["rel"].endswith("/job-list")
        assert anonymous.get(link["href"]).status_code == (401 if needs_login else 200), link
    assert anonymous.get(f"{facet}/jobs").status_code == (401 if facet == "/ogc" else 404)
    (collection,) = anonymous.get(f"{facet}/collections").json()["collections"]
    assert all("/openeo/" not in link["href"] for link in collection["links"])
