"""What a client is told of a problem, and by which status and headers."""

from __future__ import annotations

import asyncio
import json
import math
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from api.errors import add_handlers, answer, from_http, from_validation, status_of, unexpected
from engine import Problem, Problems


def asked(accept: str = "*/*") -> Request:
    return Request(
        {
            "type": "http",
            "method": "GET",
            "path": "/here",
            "query_string": b"token=hush",
            "headers": [(b"accept", accept.encode()), (b"host", b"example.org")],
            "request_id": "number",
        }
    )


def told(problem: Problem) -> dict:
    return json.loads(answer(asked(), problem).body)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ProcessParameterInvalid", 400),
        ("NoDataAvailable", 400),
        ("FormatUnsuitable", 400),
        ("DimensionNotAvailable", 400),  # an exception of a process
        ("NobodyKnowsThisCode", 400),
        ("AuthenticationRequired", 401),
        ("PermissionsInsufficient", 403),
        ("JobNotFound", 404),
        ("MethodNotAllowed", 405),
        ("TooManyRequests", 429),
        ("Internal", 500),
        ("InfrastructureBusy", 503),
    ],
)
def test_status_by_code(code, status):
    assert status_of(Problem(code, "m")) == status
    assert answer(asked(), Problem(code, "m")).status_code == status


def test_the_body_is_of_openeo_and_of_rfc_7807():
    body = told(Problem("BandNotFound", "no band B99", pointer="/a/b", hint="Take B04.", facts={"bands": 2}))
    assert body == {
        "id": "number",
        "code": "BandNotFound",
        "message": "no band B99. Take B04.",
        "pointer": "/a/b",
        "hint": "Take B04.",
        "facts": {"bands": 2},
        "links": [],
        "type": "about:blank",
        "title": "BandNotFound",
        "status": 400,
        "detail": "no band B99. Take B04.",
        "instance": "/here",
    }


@pytest.mark.parametrize(
    ("message", "hint", "whole"), [("a", None, "a"), ("a", "B.", "a. B."), ("a.", "B.", "a. B.")]
)
def test_the_way_out_is_part_of_the_message(message, hint, whole):
    assert told(Problem("X", message, hint=hint))["message"] == whole


def test_all_faults_are_told_at_once():
    body = told(Problems([Problem("A", "a", pointer="/1"), Problem("B", "b", hint="C.")]))
    assert (body["code"], body["pointer"]) == ("A", "/1")
    assert [(e["code"], e["message"]) for e in body["errors"]] == [("A", "a"), ("B", "b. C.")]


@pytest.mark.parametrize(
    ("code", "facts", "headers"),
    [
        ("AuthenticationRequired", {}, {"www-authenticate": 'Bearer realm="geodatacube"'}),
        ("TooManyRequests", {}, {"retry-after": "5"}),
        ("TooManyRequests", {"retry_after": 12}, {"retry-after": "12"}),
        ("InfrastructureBusy", {"retry_after": 1}, {"retry-after": "1"}),
        ("TokenInvalid", {}, {}),
        ("Internal", {}, {}),
    ],
)
def test_headers_by_code(code, facts, headers):
    found = answer(asked(), Problem(code, "m", facts=facts)).headers
    assert {k: found[k] for k in ("www-authenticate", "retry-after") if k in found} == headers


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("application/problem+json", "application/problem+json"),
        ("text/html, application/problem+json", "application/problem+json"),
        ("Application/Problem+JSON ; q=0.1", "application/problem+json"),
        ("application/problem+json;q=0", "application/json"),
        ("application/problem+json; q=0.000, */*", "application/json"),
        ("application/problem+json-seq", "application/json"),
        (";,;q=0", "application/json"),
    ],
)
def test_media_types(accept, kind):
    assert answer(asked(accept), Problem("NotFound", "m")).headers["content-type"] == kind


@pytest.mark.parametrize(
    ("where", "code"), [(("query", "limit"), "ParameterInvalid"), (("body",), "ContentTypeInvalid")]
)
def test_what_is_wrong_with_a_request_is_named(where, code):
    problem = from_validation(RequestValidationError([{"loc": where, "msg": "no number", "type": "int"}]))
    assert problem.code == code
    assert f"{'.'.join(where)}: no number" in problem.message


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "BadRequest"),
        (404, "NotFound"),
        (405, "MethodNotAllowed"),
        (406, "NotAcceptable"),
        (413, "PayloadTooLarge"),
        (415, "UnsupportedMediaType"),
        (499, "Status499"),
        (503, "ServiceUnavailable"),
    ],
)
def test_refusals_of_the_framework(status, code):
    assert from_http(HTTPException(status, "no")).code == code


def test_a_refusal_of_the_framework_keeps_its_status():
    app = FastAPI()
    add_handlers(app)

    @app.get("/")
    def refuse() -> None:
        raise HTTPException(415, "no such type", {"X-Why": "not"})

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return await client.get("/")

    found = asyncio.run(ask())
    assert (found.status_code, found.json()["status"], found.headers["x-why"]) == (415, 415, "not")


@pytest.mark.parametrize(
    ("fact", "sent"),
    [
        (float("nan"), None),
        (-math.inf, None),
        (np.float32(0.5), 0.5),
        (np.float64("nan"), None),
        (np.int16(3), 3),
        (np.array([1.0, np.nan]), [1.0, None]),
        (Path("/a"), "/a"),
        (b"a", "b'a'"),
        ("\ud800", "?"),
        ({1: {2, 3}}, {"1": [2, 3]}),
        (datetime(2022, 6, 1, tzinfo=UTC), "2022-06-01 00:00:00+00:00"),
    ],
)
def test_whatever_the_facts_are_there_is_an_answer(fact, sent):
    body = told(Problem("X", "m \ud800", hint="h", facts={"fact": fact}))
    assert body["facts"] == {"fact": sent}
    assert body["message"] == "m ?. h"


def test_faults_of_ours_keep_their_words(caplog):
    response = unexpected(asked(), KeyError("inner"))
    assert response.status_code == 500
    assert b"inner" not in response.body
    assert b"number" in response.body
    assert "number internal error" in caplog.text
    assert "inner" in caplog.text
    assert "hush" not in caplog.text + response.body.decode()
