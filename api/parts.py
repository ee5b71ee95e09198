"""Files as answers, whole, in parts (RFC 9110), or beside others; what cannot be cut is refused in the words of all our refusals."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse
from starlette.types import Message, Receive, Scope, Send

BLOCK = 2**20
SMALL = 2**18
"""Bytes up to which a file is sent in one piece: each of the many steps otherwise is a change of threads."""
MULTIPART = "multipart/related"
REFUSED = {400: "the range that is asked for is none of bytes", 416: "the file is shorter than that"}


class File(FileResponse):
    """A file, or the ranges of it that are asked for."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it.

        Raises:
            HTTPException: It has no such range.
        """
        if scope["type"] == "http" and scope["method"] == "GET" and "range" not in Headers(scope=scope):
            found = await run_in_threadpool(small, Path(self.path))
            if found is not None:
                status, content = found
                self.set_stat_headers(status)
                head = {
                    "type": "http.response.start",
                    "status": self.status_code,
                    "headers": self.raw_headers,
                }
                await send(head)
                await send({"type": "http.response.body", "body": content})
                if self.background is not None:
                    await self.background()
                return

        async def sent(message: Message) -> None:
            status = message.get("status")
            if status in REFUSED:
                size = Headers(raw=message["headers"]).get("content-range")
                raise HTTPException(status, REFUSED[status], {"Content-Range": size} if size else None)
            await send(message)

        await super().__call__(scope, receive, sent)


def small(path: Path) -> tuple[os.stat_result, bytes] | None:
    """What is known of a file, and its bytes, where they are few; none where it cannot be read, either."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            return (status, file.read()) if status.st_size <= SMALL else None
    except OSError:
        return None


def blocks(path: Path) -> Iterator[bytes]:
    """The bytes of a file, a block at a time."""
    with path.open("rb") as file:
        yield from iter(partial(file.read, BLOCK), b"")


def related(parts: Iterable[tuple[Sequence[str], Iterable[bytes]]], boundary: str) -> Iterator[bytes]:
    """Parts side by side as one body (RFC 2387), each with the lines of its head."""
    for head, pieces in parts:
        yield "\r\n".join([f"--{boundary}", *head, "", ""]).encode()
        yield from pieces
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()
