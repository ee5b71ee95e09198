"""What holds for every answer of the server."""

from __future__ import annotations

import json
import logging

import pytest

from api.errors import STATUS

FACETS = ("", "/openeo/1.2")


@pytest.mark.parametrize("facet", FACETS)
def test_options_tells_the_methods_of_every_path_and_nothing_else(anonymous, facet):
    for endpoint in anonymous.get(f"{facet}/").json()["endpoints"]:
        answer = anonymous.options(facet + endpoint["path"].replace("{", "").replace("}", ""))
        assert (answer.status_code, answer.content) == (204, b""), endpoint
        allowed = set(answer.headers["access-control-allow-methods"].split(", "))
        assert allowed >= {*endpoint["methods"], "OPTIONS"}
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "Authorization" in answer.headers["access-control-allow-headers"]
        assert "OpenEO-Identifier" in answer.headers["access-control-expose-headers"]
        assert answer.headers["access-control-max-age"] == "86400"


def test_options_of_no_path_is_no_path(anonymous):
    assert anonymous.options("/nothing").status_code == 404


@pytest.mark.parametrize(
    "path", ["/", "/collections", "/collections/S2", "/processes", "/health", "/openapi", "/docs"]
)
def test_head_is_get_without_the_body(anonymous, path):
    got, head = anonymous.get(path), anonymous.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == got.headers["content-length"]
    assert head.headers["content-type"] == got.headers["content-type"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "NotFound"),
        ("GET", "/collections/nothing", 404, "CollectionNotFound"),
        ("GET", "/processes/nothing", 404, "ProcessNotFound"),
        ("DELETE", "/collections", 405, "MethodNotAllowed"),
        ("GET", "/collections?limit=0", 400, "ParameterInvalid"),
        ("GET", "/collections?limit=x", 400, "ParameterInvalid"),
        ("GET", "/me", 401, "AuthenticationRequired"),
        ("POST", "/result", 401, "AuthenticationRequired"),
    ],
)
def test_refusals_have_one_form_and_the_headers_of_answers(anonymous, method, path, status, code):
    answer = anonymous.request(method, path)
    body = answer.json()
    assert (answer.status_code, body["code"], body["title"], body["status"]) == (status, code, code, status)
    assert body["message"] == body["detail"]
    assert body["links"] == []
    assert body["id"] == answer.headers["x-request-id"]
    assert body["instance"] == path.partition("?")[0]
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert ("www-authenticate" in answer.headers) == (status == 401)


def test_problem_json_for_those_who_ask_for_it(anonymous):
    answer = anonymous.get("/nothing", headers={"Accept": "application/problem+json"})
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("given", "kept"), [("abc-1.2_3", True), ("a b", False), ("x" * 65, False), ("", False)]
)
def test_sane_request_numbers_are_kept(anonymous, given, kept):
    answer = anonymous.get("/health", headers={"X-Request-ID": given})
    assert (answer.headers["x-request-id"] == given) is kept


def test_a_request_is_one_line_in_the_log_without_its_secrets(anonymous, caplog):
    caplog.set_level(logging.INFO, "geodatacube.access")
    anonymous.get("/me?token=hush", headers={"Authorization": "Bearer basic//hush"})
    (line,) = [r.message for r in caplog.records if '"/me"' in r.message]
    assert json.loads(line).keys() == {"request", "method", "path", "status", "ms"}
    assert "hush" not in caplog.text


@pytest.mark.parametrize("facet", FACETS)
def test_signatures_of_links_are_not_in_the_log(anonymous, caplog, facet):
    caplog.set_level(logging.INFO, "geodatacube.access")
    assert anonymous.get(f"{facet}/results/hush.hush/a.tif").status_code == 404
    (line,) = [json.loads(r.message) for r in caplog.records if "a.tif" in r.message]
    assert line["path"] == f"{facet}/results/.../a.tif"
    assert anonymous.get("/tiles/hush.hush/1/2/3.png").status_code == 404
    assert "/tiles/.../1/2/3.png" in caplog.text
    assert "hush" not in "".join(r.message for r in caplog.records if r.name == "geodatacube.access")


@pytest.mark.parametrize(
    ("method", "path", "methods"),
    [
        ("PATCH", "/jobs", {"GET", "HEAD", "POST"}),
        ("POST", "/process_graphs/x", {"DELETE", "GET", "HEAD", "PUT"}),
        ("HEAD", "/result", {"POST"}),
    ],
)
def test_a_refused_method_is_told_all_that_are_known(anonymous, method, path, methods):
    answer = anonymous.request(method, path)
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == methods | {"OPTIONS"}


def test_a_fault_of_ours_is_answered_without_its_words(served, anonymous, monkeypatch, caplog):
    monkeypatch.setattr(type(served.backend.engine.catalog), "collections", lambda *_: 1 / 0)
    answer = anonymous.get("/collections")
    assert (answer.status_code, answer.json()["code"]) == (500, "Internal")
    assert "division" not in answer.text
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json()["id"] in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_the_table_of_codes_is_that_of_openeo(contracts):
    official = json.loads((contracts / "specs" / "openeo-1.2.0-errors.json").read_text())
    for code, told in official.items():
        expected = 400 if code == "FeatureUnsupported" else told["http"]
        assert STATUS.get(code, 400) == expected, code


@pytest.mark.parametrize("facet", FACETS)
def test_slashes_that_clients_double_are_one(ada, served, facet):
    assert ada.get(f"{served.url}{facet}//jobs").json()["jobs"] == ada.get(f"{facet}/jobs").json()["jobs"]
    assert ada.get(f"{served.url}{facet}//jobs/nothing").json()["code"] == "JobNotFound"


@pytest.mark.parametrize("prefix", ["/openeo/1.2", "/stac", "/ogc"])
def test_faces_are_found_without_their_last_slash(anonymous, prefix):
    assert anonymous.get(prefix).json() == anonymous.get(f"{prefix}/").json()
