"""Forms that are sent by POST, as browsers and OAuth 2.0 have them."""

from __future__ import annotations

from urllib.parse import parse_qs

from fastapi import Request

from engine import Problem

FORM = "application/x-www-form-urlencoded"
LONGEST = 8192
"""Bytes of a form."""


async def fields(request: Request) -> dict[str, str]:
    """What a form says; of a name that stands there twice, the last.

    Raises:
        Problem: It is too long.
    """
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LONGEST:
            raise Problem("PayloadTooLarge", f"a form may have {LONGEST} bytes")
    return {k: v[-1] for k, v in parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True).items()}
