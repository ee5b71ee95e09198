"""Files as answers, whole or in parts (RFC 9110); what cannot be cut is refused in the words of all our refusals."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse
from starlette.types import Message, Receive, Scope, Send

REFUSED = {400: "the range that is asked for is none of bytes", 416: "the file is shorter than that"}


class File(FileResponse):
    """A file, or the ranges of it that are asked for."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it.

        Raises:
            HTTPException: It has no such range.
        """

        async def sent(message: Message) -> None:
            status = message.get("status")
            if status in REFUSED:
                size = Headers(raw=message["headers"]).get("content-range")
                raise HTTPException(status, REFUSED[status], {"Content-Range": size} if size else None)
            await send(message)

        await super().__call__(scope, receive, sent)
