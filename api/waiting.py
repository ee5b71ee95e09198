"""Runs that a client waits for: ended where it does not."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import Request

from api.errors import Gone

GLANCE = 0.5
"""Seconds between looks at whether the client is still there."""


async def answer(request: Request, ticket: Any) -> Any:
    """What a run gives; it is ended where the client does not wait for it."""
    future = asyncio.wrap_future(ticket.future)
    try:
        while not (await asyncio.wait([future], timeout=GLANCE))[0]:
            if await request.is_disconnected():
                raise Gone
        return future.result()
    finally:
        ticket.cancel()
