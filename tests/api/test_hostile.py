"""Requests that are meant ill, or went wrong on their way: refused with words, never a 500."""

from __future__ import annotations

import base64
import json

import pytest

DEEP = b"[" * 100_000 + b"]" * 100_000
NESTED = json.dumps(
    {"process": {"process_graph": {"a": {"process_id": "add", "arguments": {"x": 1}, "result": True}}}}
)
for _ in range(900):
    NESTED = '{"a":' + NESTED + "}"
BODIES = {
    "deep": DEEP,
    "nested": NESTED.encode(),
    "deep in a graph": b'{"process":{"process_graph":{"a":{"process_id":"add","arguments":{"x":' + b'{"y":' * 5000 + b"1" + b"}" * 5000 + b'},"result":true}}}}',
    "no JSON": b"{",
    "not a number": b'{"process":{"process_graph":{"a":{"process_id":"add","arguments":{"x":NaN,"y":Infinity},"result":true}}},"title":NaN}',
    "no UTF-8": b'{"title":"\xff\xfe"}',
    "half a pair": b'{"title":"\\ud800","process":{"process_graph":{"\\ud800":{"process_id":"\\udfff","arguments":{},"result":true}}}}',
    "NUL": b'{"title":"\\u0000","process":{"process_graph":{"\\u0000":{"process_id":"add\\u0000","arguments":{},"result":true}}}}',
    "huge": b'{"budget":1e999,"process":{"process_graph":{"a":{"process_id":"add","arguments":{"x":' + b"9" * 5000 + b',"y":1},"result":true}}}}',
    "list": b"[]",
    "text": b'"a"',
    "null": b"null",
    "empty": b"",
    "twice": b'{"process":1,"process":{"process_graph":{}}}',
}  # fmt: skip
PLACES = [
    ("POST", "/jobs"), ("POST", "/result"), ("POST", "/validation"), ("POST", "/services"),
    ("PUT", "/process_graphs/hostile"), ("PATCH", "/jobs/nothing"), ("PATCH", "/services/nothing"),
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize(("method", "path"), PLACES)
def test_bodies(ada, method, path, body):
    answer = ada.request(method, path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.json()["code"]
        assert answer.json()["message"]
    ada.delete("/process_graphs/hostile")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"budget": 1e999}', "1e999"),
        (b'{"budget": NaN}', "NaN"),
        (b'{"budget": 1' + b"0" * 400 + b"}", "1000"),
        (b'{"budget": 1' + b"0" * 9000 + b"}", "1000"),
        (b'{"a": {"x": 1, "y": 2, "x": 3}}', "'x' twice"),
        (b'{"title": "\\ud800"}', "surrogate"),
    ],
)
def test_what_cannot_be_told_again_is_not_taken(ada, body, words):
    answer = ada.post("/jobs", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "BadRequest")
    assert words in answer.json()["message"]


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "multipart/form-data", "application/json; charset=utf-7", ""]
)
def test_media_types(ada, kind):
    answer = ada.post("/jobs", content=b'{"process": {}}', headers={"Content-Type": kind})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/jobs?limit=" + "9" * 40, "/jobs?limit=-1", "/jobs?limit=1&page=" + "9" * 40, "/jobs?limit=%00", "/jobs?page=0",
        "/jobs/%00", "/jobs/%ff", "/jobs/" + "x" * 5000, "/jobs/a%2fb", "/process_graphs/%00", "/services/%00",
        "/collections/%00", "/collections/%ff%fe", "/processes/%00", "/processes/u:%00/x", "/files/%00", "/results/%00/x", "/tiles/%00/1/1/1.png",
        "/result/logs/%00", "/result/logs/..%2f..%2fstore", "/jobs/x/logs?offset=" + "9" * 40, "/jobs/x/logs?level=loud",
    ],
)  # fmt: skip
def test_paths_and_queries(ada, path):
    answer = ada.get(path)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.json()["code"]


def test_offsets_of_logs_that_are_no_numbers_of_entries(ada):
    from requests_of_users import SUM, made

    job = made(ada, SUM)
    for offset in ("9" * 40, "-1", "x", "%00"):
        assert ada.get(f"/jobs/{job}/logs?offset={offset}").status_code < 500


@pytest.mark.parametrize("credentials", [b"a\x00b:c", b"\xff:\xff", b"no colon", b":", b"x" * 10_000 + b":y"])
def test_credentials(anonymous, credentials):
    header = {"Authorization": f"Basic {base64.b64encode(credentials).decode()}"}
    assert anonymous.get("/credentials/basic", headers=header).status_code == 403


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer basic//", "Bearer basic//\x7f", "Bearer a/b/c/d", "Basic x", "x" * 5000],
)
def test_tokens(anonymous, header):
    assert anonymous.get("/me", headers={"Authorization": header}).status_code in (401, 403)
