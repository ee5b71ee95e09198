"""Runs that a client waits for: ended where it does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from api.auth.login import backend_of
from api.errors import Gone
from engine import Domain, User

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


@asynccontextmanager
async def computing(
    request: Request, user: User, process: Mapping[str, Any], foretold: Domain | None = None, *,
    items: bool = False, logged: bool = False,
) -> AsyncIterator[tuple[Any, Path]]:  # fmt: skip
    """The ticket of a run, and the folder of its results, which goes where no answer comes of it.

    STAC items stand beside the results where they are wanted, and a log is kept where the client is told of it.
    """
    backend = backend_of(request)
    ticket, folder = await run_in_threadpool(
        backend.compute, user, process, foretold, items=items, logged=logged
    )
    try:
        yield ticket, folder
    except BaseException:
        ticket.future.add_done_callback(lambda _: backend.discard(folder))  # when its process writes no more
        raise
