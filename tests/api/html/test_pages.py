"""Who gets pages and who gets JSON, and what pages may do."""

from __future__ import annotations

import base64
import hashlib
import re
from urllib.parse import quote

import pytest

from engine import Mode, PutCollection, PutItem, RemoveCollection, User

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
PATHS = {
    "/": "application/json", "/conformance": "application/json", "/collections": "application/json",
    "/collections/S2": "application/json", "/collections/S2/items": "application/geo+json",
    "/collections/S2/items/S2_20221020": "application/geo+json", "/collections/S2/queryables": "application/schema+json",
    "/queryables": "application/schema+json", "/processes": "application/json",
}  # fmt: skip
JSON_FIRST = (
    None, "*/*", "application/json", "application/geo+json", "application/json, text/html", "text/html;q=0.5, */*",
    "text/html;q=0", "application/*, text/html;q=0.9", "image/png", "",
)  # fmt: skip
"""What clients say that want JSON, or nothing in particular."""


@pytest.mark.parametrize("path", PATHS)
def test_browsers_get_pages_and_all_others_json(anonymous, path):
    page = anonymous.get(path, headers={"Accept": BROWSER})
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "Accept" in page.headers["vary"]
    for accept in JSON_FIRST:
        answer = anonymous.get(path, headers={} if accept is None else {"Accept": accept})
        assert answer.headers["content-type"] == PATHS[path], accept
        assert "Accept" in answer.headers["vary"]
    asked = anonymous.get(path, params={"f": "html"}, headers={"Accept": "application/json"})
    assert asked.headers["content-type"].startswith("text/html")
    assert anonymous.get(path, params={"f": "json"}, headers={"Accept": BROWSER}).json()
    (place,) = re.findall(r'href="([^"]+)">This page as JSON', page.text)
    assert anonymous.get(place, headers={"Accept": BROWSER}).headers["content-type"] == PATHS[path]


@pytest.mark.parametrize("path", ["/", "/collections", "/collections/S2/items", "/ogc/conformance"])
def test_there_are_no_other_forms(anonymous, path):
    answer = anonymous.get(path, params={"f": "xml"}, headers={"Accept": BROWSER})
    assert (answer.status_code, answer.json()["code"]) == (400, "ParameterInvalid")


def test_a_process_is_a_page(anonymous):
    page = anonymous.get("/processes/linear_scale_range", headers={"Accept": BROWSER}).text
    for name in ("inputMin", "outputMax"):
        assert f"<code>{name}</code>" in page


@pytest.mark.parametrize("path", ["/ogc/processes/ndvi", "/ogc/processes/echo"])
def test_a_process_of_ogc_is_a_page(anonymous, path):
    told = anonymous.get(path).json()
    page = anonymous.get(path, headers={"Accept": BROWSER}).text
    for name in [*told["inputs"], *told["outputs"]]:
        assert f"<code>{name}</code>" in page
    listed = anonymous.get("/ogc/processes", params={"limit": 1000}, headers={"Accept": BROWSER}).text
    assert f'href="{anonymous.base_url}{path}"' in listed.replace("//ogc", "/ogc")


@pytest.mark.parametrize("path", ["/", "/collections/S2", "/collections/S2/coverage", "/docs", "/nowhere"])
def test_pages_may_fetch_nothing_and_run_nothing(anonymous, served, path):
    page = anonymous.get(path, headers={"Accept": BROWSER})
    rules = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["frame-ancestors"] == "'none'"
    assert "script-src" not in rules
    (style,) = re.findall(r"<style>(.*?)</style>", page.text, re.DOTALL)
    assert (
        rules["style-src"] == f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'"
    )
    assert "unsafe" not in page.headers["content-security-policy"]
    assert not re.findall(r"<script|\son\w+=|\sstyle=|javascript:", page.text)
    fetched = re.findall(r'<(?:img|link|source)[^>]* (?:src|href)="([^"]+)"', page.text)
    assert all(place.startswith((served.url, "data:")) for place in fetched)


@pytest.mark.parametrize("face", ["", "/stac", "/ogc", "/openeo/1.2"])
def test_pages_of_a_face_stay_in_it(anonymous, served, face):
    page = anonymous.get(f"{face}/collections/S2", headers={"Accept": BROWSER}).text
    crumbs = re.search(r'aria-label="Breadcrumb">(.*?)</nav>', page, re.DOTALL)
    places = re.findall(r'href="([^"]+)"', crumbs[1])
    assert places == [f"{served.url}{face}/", f"{served.url}{face}/collections"]
    assert ("/coverage" in page) == (face in ("", "/ogc"))
    assert ("/items" in page) == (face != "/openeo/1.2")


def test_refusals_are_pages_for_browsers_only(anonymous):
    page = anonymous.get("/collections/none", headers={"Accept": BROWSER})
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "CollectionNotFound" in page.text
    for accept in ("*/*", "application/json", "application/problem+json, text/html"):
        answer = anonymous.get("/collections/none", headers={"Accept": accept})
        assert answer.json()["code"] == "CollectionNotFound"
    assert anonymous.post("/result", json={}, headers={"Accept": BROWSER}).json()["code"]
    head = anonymous.head("/collections/none", headers={"Accept": BROWSER})
    assert (head.status_code, head.content) == (404, b"")


def test_empty_fields_of_forms_ask_for_nothing(anonymous):
    empty = {"bbox": "", "datetime": "", "filter": "eo:cloud_cover < 5"}
    page = anonymous.get("/collections/S2/items", params=empty, headers={"Accept": BROWSER})
    found = anonymous.get("/collections/S2/items", params={"filter": empty["filter"]}).json()["numberMatched"]
    assert (page.status_code, page.text.count('<th scope="row">')) == (200, found)
    assert anonymous.get("/collections/S2/items", params=empty).status_code == 400
    page = anonymous.get("/collections", params={"q": "", "bbox": ""}, headers={"Accept": BROWSER})
    assert "1 found" in page.text


def test_what_is_asked_stands_on_the_page_as_text(anonymous):
    bad = '"><script>alert(1)</script>'
    for path, query in (
        ("/collections", {"q": bad}),
        ("/collections/S2/items", {"filter": f"id = '{bad}'"}),
        (f"/collections/{bad}", {}),
    ):
        page = anonymous.get(path, params=query, headers={"Accept": BROWSER}).text
        assert "<script" not in page
        assert "&lt;script&gt;" in page


def test_documents_of_strangers_may_lack_nearly_everything(anonymous, served):
    """What STAC demands is demanded by the catalogue; all else may be missing, or odd."""
    odd = {
        "id": "odd", "description": "<b>", "license": "other", "providers": ["x", {}, {"name": 1, "url": "javascript:alert(1)"}],
        "keywords": [1, None], "summaries": {"a": None, "b": [[1]], "c": {"minimum": "x", "maximum": 2}},
        "cube:dimensions": {"x": {"type": "spatial", "axis": "x", "extent": [0, 1]}, "b": {"type": "bands"}, "t": {}},
        "extent": {"spatial": {"bbox": [[0, 0, -5, 1, 1, 5]]}, "temporal": {"interval": [[None, None]]}},
    }  # fmt: skip
    item = {
        "type": "Feature", "stac_version": "1.0.0", "id": "a<b&c", "geometry": None, "links": [],
        "properties": {"datetime": None, "start_datetime": "2024-01-01T00:00:00Z", "end_datetime": "2024-01-02T00:00:00Z", "x": {"y": None}, "title": 5},
        "assets": {"<a>": {"href": "https://a.example/x"}, "c": {"href": "https://a.example/c", "roles": ["data"]}},
    }  # fmt: skip
    hub = served.backend.hub
    writer = User("root", roles=frozenset({"catalog_write"}))
    hub.apply(writer, [PutCollection(odd, Mode.CREATE)], "test")
    hub.apply(writer, [PutItem("odd", {**item, "collection": "odd"}, Mode.CREATE)], "test")
    try:
        name = quote(item["id"], safe="")
        for face in ("", "/ogc"):
            for path in ("", "/odd", "/odd/items", "/odd/queryables", f"/odd/items/{name}"):
                page = anonymous.get(f"{face}/collections{path}", headers={"Accept": BROWSER})
                assert page.status_code == 200, (path, page.text)
                assert not re.findall(r'href="javascript', page.text)
                assert "<b>" not in page.text
    finally:
        hub.apply(writer, [RemoveCollection("odd")], "test")
