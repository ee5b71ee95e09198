"""What a client is told of a problem, and by which status and headers."""

from __future__ import annotations

import json

import pytest
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from api.errors import answer, from_http, from_validation, status_of, unexpected
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
    ("status", "code"), [(404, "NotFound"), (405, "MethodNotAllowed"), (400, "BadRequest")]
)
def test_refusals_of_the_framework(status, code):
    assert from_http(HTTPException(status)).code == code


def test_faults_of_ours_keep_their_words(caplog):
    response = unexpected(asked(), KeyError("inner"))
    assert response.status_code == 500
    assert b"inner" not in response.body
    assert b"number" in response.body
    assert "number internal error" in caplog.text
    assert "inner" in caplog.text
    assert "hush" not in caplog.text + response.body.decode()
