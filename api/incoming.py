"""Bodies of requests, handed piece by piece to code that blocks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import Request
from starlette.requests import ClientDisconnect

from api.errors import Gone
from engine import Problem

T = TypeVar("T")
PIECE = 2**20
"""Bytes that are gathered before they are handed on."""
IDLE = 60.0
"""Seconds that a client may send nothing."""
UPLOADS = 32
"""Bodies that are taken in at a time, each by a thread of its own; further ones wait, and are not read meanwhile."""


class Incoming:
    """Takes bodies in, so many at a time, beside the threads that answer all else."""

    def __init__(self) -> None:
        self._limiter = CapacityLimiter(UPLOADS)

    async def taken(self, request: Request, take: Callable[[Iterator[bytes]], T]) -> T:
        """What `take` makes of the body of a request; it is called in a thread with pieces of the body.

        Raises:
            Gone: The client hung up.
            Problem: The client sent nothing for a minute.
        """
        loop = asyncio.get_running_loop()
        body = gathered(request)

        async def following() -> bytes:
            return await anext(body, b"")

        def pieces() -> Iterator[bytes]:
            while piece := asyncio.run_coroutine_threadsafe(following(), loop).result():
                yield piece

        try:
            return await to_thread.run_sync(lambda: take(pieces()), limiter=self._limiter)
        except ClientDisconnect:
            raise Gone from None
        except TimeoutError:
            raise Problem("RequestTimeout", f"nothing came for {IDLE:g} s") from None
        finally:
            await body.aclose()


async def gathered(request: Request) -> AsyncGenerator[bytes, None]:
    """The body of a request in pieces of about the same size, none of them empty."""
    held: list[bytes] = []
    size = 0
    stream = request.stream()
    while True:
        async with asyncio.timeout(IDLE):
            piece = await anext(stream, None)
        if piece is not None:
            held.append(piece)
            size += len(piece)
        if size and (piece is None or size >= PIECE):
            yield b"".join(held)
            held, size = [], 0
        if piece is None:
            return
