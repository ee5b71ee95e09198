"""Frames of WebSockets: what comes in, as text or bytes."""

from __future__ import annotations

from starlette.types import Message

POLICY, SENSELESS, TOO_LONG, BROKEN, LATER = 1008, 1007, 1009, 1011, 1013
"""Why a connection is closed (RFC 6455): no login, no sense, too long, a fault of ours, try again later."""


def frame_of(message: Message) -> str | bytes | None:
    """The frame in a message of the server; None: the client has gone."""
    if message["type"] != "websocket.receive":
        return None
    text, data = message.get("text"), message.get("bytes")
    return text if text is not None else data or b""
