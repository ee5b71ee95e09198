"""What holds for every answer: who may read it (CORS), OPTIONS and HEAD, its language, a number, a line in the log."""

from __future__ import annotations

import json
import logging
import math
import re
import secrets
import time
from typing import Any

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.auth.session import COOKIE
from api.errors import answer as refusal
from api.errors import unexpected
from api.facets import OGC, facet_of
from engine import Problem

LOG = logging.getLogger("geodatacube.access")
SANE = re.compile(r"[\w\-.]{1,64}", re.ASCII)
"""Request numbers that are taken over from the client; others could forge lines of the log."""
EXPOSED = (
    "Location, GDC-Identifier, OpenEO-Identifier, OpenEO-Costs, Link, Content-Crs, Content-Bbox, Content-Datetime, "
    "Preference-Applied, Retry-After, Content-Disposition, Accept-Ranges, Content-Range, ETag, Digest, Repr-Digest, X-Request-ID"
)
ACCEPTED = "Authorization, Content-Type, Accept, Prefer, Range, If-Match, If-None-Match, If-Range, X-API-Key, X-Request-ID"
MAX_AGE = 86_400
TAKEN = {
    "POST": ("Accept-Post", "application/geo+json, application/json"),
    "PATCH": ("Accept-Patch", "application/merge-patch+json, application/json"),
}
"""What OPTIONS tells of bodies, by method: header and media types."""
HEADLESS = "geodatacube.headless"
"""In the scope of a request by HEAD: answers without an end need not begin."""
NO_NUL = Problem("ParameterInvalid", "the address has a NUL, which is in no name")
STORED = {"/files/": ("PUT",), "/api/data/v0/storage/": ("PUT", "POST")}
"""What paths begin with whose bodies are stored, and by which methods."""
SIGNATURE = re.compile(r"(?<=/results/)[^/]+|(?<=/tiles/)[^/]+")
"""What lets anybody who has it fetch results or tiles stands in the path, not in the query."""


class Frame:
    """ASGI middleware around everything."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope["path"] = tidy(scope["path"])
        given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        scope["request_id"] = given if SANE.fullmatch(given) else secrets.token_hex(8)
        answer = Answer(scope, send)
        try:
            if "\0" in scope["path"]:  # no database and no disk has such a name
                await refusal(Request(scope), NO_NUL)(scope, receive, answer)
            else:
                await self._served(scope, receive, answer)
        except Exception as error:
            if answer.status:
                raise
            await unexpected(Request(scope), error)(scope, receive, answer)
        finally:
            answer.log()

    async def _served(self, scope: Scope, receive: Receive, answer: Answer) -> None:
        receive = Body(scope, receive).receive
        if scope["method"] == "OPTIONS" and (methods := methods_of(scope)):
            await options(scope, methods)(scope, receive, answer)
        elif scope["method"] == "HEAD":
            answer.headless = True
            await self.app({**scope, "method": "GET", HEADLESS: True}, receive, answer)
        else:
            await self.app(scope, receive, answer)


class Body:
    """What comes in: it may be so long, unless it is a file or an object, which the user's quota limits."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._receive = receive
        self._limit = scope["app"].state.backend.settings.max_body_bytes
        path = within_facet(scope["path"])
        is_stored = any(scope["method"] in methods and path.startswith(p) for p, methods in STORED.items())
        self._left = math.inf if is_stored else self._limit

    async def receive(self) -> Message:
        """The next part of it.

        Raises:
            HTTPException: It is too long.
        """
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise HTTPException(413, f"the body of a request may have {self._limit} bytes")
        return message


class Answer:
    """What is sent, on its way."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._start = time.perf_counter()
        self.status = 0
        """The status code, once it is sent."""
        self.headless = False
        """Is the body left away?"""
        self._is_personal = COOKIE.encode() in dict(scope["headers"]).get(b"cookie", b"")
        """Does a browser ask where somebody logged in?"""

    async def __call__(self, message: Message) -> None:
        """Send a message, completed."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["Access-Control-Allow-Origin"] = "*"
            headers["Access-Control-Expose-Headers"] = EXPOSED
            headers["X-Request-ID"] = self._scope["request_id"]
            if self.status == 405:  # the router tells the methods of the first route alone
                headers["Allow"] = allowed(methods_of(self._scope))
            headers.setdefault("Content-Language", "en")
            if self._is_personal:
                headers.setdefault("Cache-Control", "private")
            headers.setdefault("X-Content-Type-Options", "nosniff")
        elif self.headless and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._send(message)

    def log(self) -> None:
        """One line for the request; what may be secret (the query, headers, signatures) is not in it."""
        line: dict[str, Any] = {
            "request": self._scope["request_id"],
            "method": self._scope["method"],
            "path": SIGNATURE.sub("...", self._scope["path"]),
            "status": self.status,
            "ms": round(1000 * (time.perf_counter() - self._start), 1),
        }
        LOG.info(json.dumps(line))


def within_facet(path: str) -> str:
    """The rest of a path behind the prefix of its facet."""
    return path.removeprefix(facet_of(path).prefix)


def tidy(path: str) -> str:
    """A path with one slash behind the prefix of its facet: clients double it, and people leave it out."""
    path = f"/{path.lstrip('/')}"
    return f"{facet_of(path).prefix}/{within_facet(path).lstrip('/')}"


def methods_of(scope: Scope) -> list[str]:
    """The methods that the path of a request knows."""
    methods: set[str] = set()
    for route in scope["app"].state.routes:
        match, _ = route.matches({**scope, "method": "GET"})
        if match is not Match.NONE:
            methods |= set(getattr(route, "methods", None) or ())
    if "GET" in methods:
        methods.add("HEAD")
    return sorted(methods)


def allowed(methods: list[str]) -> str:
    """Methods of a path as headers tell them, with the one that all paths know."""
    return ", ".join([*methods, "OPTIONS"])


def options(scope: Scope, methods: list[str]) -> Response:
    """The answer to OPTIONS: 204 as openEO has it, and 200 with what may be sent where OGC's standards stand alone."""
    if facet_of(scope["path"]) is not OGC:
        return Response(status_code=204, headers=preflight(methods))
    taken = {name: kinds for method, (name, kinds) in TAKEN.items() if method in methods}
    return Response(status_code=200, headers={**preflight(methods), **taken})


def preflight(methods: list[str]) -> dict[str, str]:
    """What a browser wants to know before it asks."""
    return {
        "Access-Control-Allow-Methods": allowed(methods),
        "Access-Control-Allow-Headers": ACCEPTED,
        "Access-Control-Max-Age": str(MAX_AGE),
        "Content-Type": "application/json",
        "Allow": allowed(methods),
    }
