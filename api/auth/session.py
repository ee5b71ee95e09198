"""The login of a browser: a cookie with a token."""

from __future__ import annotations

from starlette.requests import HTTPConnection

COOKIE = "gdc_session"


def token_in(request: HTTPConnection) -> str | None:
    """The token of a browser that logged in; None where there is none, or something is to be changed.

    Browsers send cookies by themselves, so that a page of another site could have them send something.
    """
    return request.cookies.get(COOKIE) if request.scope.get("method") in ("GET", "HEAD") else None
