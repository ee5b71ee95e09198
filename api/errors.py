"""From problems to answers: the one table of status codes, and one body that is openEO's and RFC 7807's at once."""

from __future__ import annotations

import http.client
import logging
import math
import re
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from api.html.choice import likes_pages
from api.html.render import page
from engine import Problem, Problems

STATUS: Mapping[str, int] = {
    "AuthenticationRequired": 401,
    "PaymentRequired": 402,
    "AuthenticationSchemeInvalid": 403,
    "CredentialsInvalid": 403,
    "PermissionsInsufficient": 403,
    "ProcessImmutable": 403,
    "TokenInvalid": 403,
    "CollectionNotFound": 404,
    "FileNotFound": 404,
    "ItemNotFound": 404,
    "JobNotFound": 404,
    "NotFound": 404,
    "ProcessGraphNotFound": 404,
    "ProcessNotFound": 404,
    "ProjectNotFound": 404,
    "ResultNotReady": 404,
    "ServiceNotFound": 404,
    "TileOutOfRange": 404,
    "UnsupportedApiVersion": 404,
    "MethodNotAllowed": 405,
    "NotAcceptable": 406,
    "RequestTimeout": 408,
    "ItemInvalid": 422,
    "AlreadyExists": 409,
    "ProcessExists": 409,
    "PreconditionFailed": 412,
    "PayloadTooLarge": 413,
    "UnsupportedMediaType": 415,
    "ResultLinkExpired": 410,
    "TooManyRequests": 429,
    "EstimateComplexity": 500,
    "Internal": 500,
    "StorageFailure": 500,
    "InfrastructureBusy": 503,
    "InfrastructureMaintenance": 503,
}
"""Status code by error code."""
OGC = "http://www.opengis.net/def/exceptions/"
TYPES: Mapping[str, str] = {
    "JobNotFound": f"{OGC}ogcapi-processes-1/1.0/no-such-job",
    "ProcessNotFound": f"{OGC}ogcapi-processes-1/1.0/no-such-process",
    "ResultNotReady": f"{OGC}ogcapi-processes-1/1.0/result-not-ready",
    "ProcessExists": f"{OGC}ogcapi-processes-2/1.0/duplicated-process",
    "ProcessImmutable": f"{OGC}ogcapi-processes-2/1.0/immutable-process",
    "UnsupportedMediaType": f"{OGC}ogcapi-processes-2/1.0/unsupported-media-type",
}
"""What OGC's standards call a problem, by error code; RFC 7807 has `about:blank` for the others."""
FAULT_OF_REQUEST = 400
"""The status of all other codes: openEO's for graphs, and the exceptions of processes."""
RFC_7807 = "application/problem+json"
REFUSED = re.compile(r"q=0(\.0*)?")
"""What an `Accept` header has behind a media type that is not wanted."""
HUNG_UP = 499
"""What the log says of a request whose client did not wait; nginx made the number known."""
COSMOS = "/api/data/v0/"
"""Paths whose clients look for a list of errors."""
LOG = logging.getLogger("geodatacube.errors")


class Gone(Exception):  # noqa: N818 (it is no fault)
    """The client hung up; whatever is answered, nobody reads it."""


def status_of(problem: Problem) -> int:
    """The status code of a problem."""
    return STATUS.get(problem.code, FAULT_OF_REQUEST)


def told(problem: Problem) -> dict[str, Any]:
    """A problem as openEO tells it; the way out is part of the message."""
    body = sane(problem.json())
    if problem.hint:
        message = body["message"]
        body["message"] = f"{message}{'' if message.endswith('.') else '.'} {body['hint']}"
    return body


def sane(value: Any) -> Any:
    """A value as JSON can have it, whatever it is: an answer about a fault must not fail."""
    match value:
        case None | bool() | int():
            return value
        case str():
            return value.encode("utf-8", "replace").decode()  # half a surrogate pair cannot be sent
        case float():
            return float(value) if math.isfinite(value) else None
        case Mapping():
            return {sane(str(k)): sane(v) for k, v in value.items()}
        case list() | tuple() | set() | frozenset():
            return [sane(v) for v in value]
        case _ if hasattr(value, "tolist"):  # NumPy's
            return sane(value.tolist())
        case _:
            return sane(str(value))


def wanted(media_type: str, accept: str) -> bool:
    """Does an `Accept` header name a media type, and not to refuse it?"""
    for one in accept.lower().split(","):
        name, *parameters = (part.strip() for part in one.split(";"))
        if name == media_type:
            return not any(REFUSED.fullmatch(p) for p in parameters)
    return False


def monitoring(request: Request) -> str:
    """The header `Link` to the log of a request, where it has one."""
    place = getattr(request.state, "monitor", None)
    return f'<{place}>; rel="monitor"' if place else ""


def answer(request: Request, problem: Problem, status: int | None = None) -> Response:
    """The response to a request that met a problem; browsers get a page."""
    status = status or status_of(problem)
    body = {
        "id": request.scope.get("request_id", ""),
        **told(problem),
        "links": [],
        "type": TYPES.get(problem.code, "about:blank"),
        "title": problem.code,
        "status": status,
        "instance": request.url.path,
    }
    body["detail"] = body["message"]
    if isinstance(problem, Problems):
        body["errors"] = [told(p) for p in problem.problems]
    if request.url.path.startswith(COSMOS):
        each = problem.problems if isinstance(problem, Problems) else (problem,)
        body["errors"] = [of_cosmos(p, str(body["id"])) for p in each]
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="geodatacube"'
    if link := monitoring(request):
        headers["Link"] = link
    if status in (429, 503):
        headers["Retry-After"] = str(problem.facts.get("retry_after", 5))
    rfc = wanted(RFC_7807, request.headers.get("accept", ""))
    if status < 500 and not rfc and request.method in ("GET", "HEAD") and likes_pages(request):
        return page(request, "error.html", status, headers, doc=body)
    return JSONResponse(body, status, headers, RFC_7807 if rfc else "application/json")


def of_cosmos(problem: Problem, number: str) -> dict[str, Any]:
    """A problem as DataCosmos' clients read it."""
    field = problem.facts.get("field") or problem.facts.get("parameter")
    one = {**told(problem), "type": problem.code, "source": "geodatacube", "trace_id": number}
    return {**one, **({"field": str(field)} if field else {})}


def from_validation(error: RequestValidationError) -> Problem:
    """What is wrong with parameters or body, by the words of the validator."""
    faults = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
    return Problem(
        "ContentTypeInvalid" if all(e["loc"] == ("body",) for e in error.errors()) else "ParameterInvalid",
        f"the request cannot be understood: {'; '.join(faults)}",
        hint="`/docs` shows what is taken here; bodies are JSON objects, sent as application/json.",
    )


def from_http(error: HTTPException) -> Problem:
    """A refusal of the framework: no such path, or not with this method."""
    if error.status_code == 404:
        return Problem("NotFound", "there is nothing at this address", hint="`GET /` lists all endpoints.")
    if error.status_code == 405:
        return Problem("MethodNotAllowed", "this address does not know that method")
    if error.status_code == 413:
        return Problem("PayloadTooLarge", str(error.detail), hint="Data are stored with `PUT /files/{path}`.")
    if error.status_code == 416:
        return Problem(
            "RangeNotSatisfiable", str(error.detail), hint="`Range: bytes=0-99` gives the first 100."
        )
    phrase = http.client.responses.get(error.status_code, f"Status {error.status_code}")
    return Problem("".join(word.capitalize() for word in re.findall(r"\w+", phrase)), str(error.detail))


def add_handlers(app: FastAPI) -> None:
    """Have all errors answered in the same form."""

    @app.exception_handler(Problem)
    async def _problem(request: Request, error: Problem) -> Response:
        if status_of(error) >= 500:
            LOG.error("%s %s", request.scope.get("request_id", ""), error)
        return answer(request, error)

    @app.exception_handler(Gone)
    async def _gone(_: Request, __: Gone) -> Response:
        return Response(status_code=HUNG_UP)

    @app.exception_handler(RequestValidationError)
    async def _validation(request: Request, error: RequestValidationError) -> Response:
        return answer(request, from_validation(error))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        response = answer(request, from_http(error), error.status_code)
        response.headers.update(error.headers or {})
        return response


def unexpected(request: Request, error: Exception) -> Response:
    """The answer to a fault of ours; the log has it, the client its number."""
    LOG.error("%s internal error", request.scope.get("request_id", ""), exc_info=error)
    number = request.scope.get("request_id", "")
    return answer(request, Problem("Internal", f"this server met an internal error, number {number}"))
