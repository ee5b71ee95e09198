"""Logins of those who publish and follow: `Token T` as well as `Bearer T`, in a header or as the first message."""

from __future__ import annotations

import asyncio
import json

from fastapi import Request, WebSocket

from api.auth.login import backend_of, user_of
from api.live.frames import frame_of
from api.live.room import room_of
from engine import Backend, Problem, User

TOKEN = "token"  # noqa: S105 (the name of a scheme)
LONGEST = 16_384
"""Characters of a token."""


def by_token(backend: Backend, authorization: str) -> User:
    """The user whom a header `Authorization` names, with either scheme.

    Raises:
        Problem: Nobody is named (401), or nobody is known by that token (403).
    """
    scheme, _, token = authorization.strip().partition(" ")
    return user_of(backend, f"Bearer {token}" if scheme.lower() == TOKEN else authorization)


def token_user(request: Request) -> User:
    """The user who sends a request.

    Raises:
        Problem: Nobody is named (401), or nobody is known by that token (403).
    """
    return by_token(backend_of(request), request.headers.get("authorization", ""))


async def by_header(websocket: WebSocket) -> User | None:
    """The user whom the handshake names; None: it names nobody.

    Raises:
        Problem: Nobody is known by that token.
    """
    header = websocket.headers.get("authorization", "").strip()
    if not header:
        return None
    return await room_of(websocket).read(by_token, backend_of(websocket), header)


async def by_first_message(websocket: WebSocket) -> User | None:
    """The user whose token is the first message; None: there is none, in time."""
    backend = backend_of(websocket)
    try:
        async with asyncio.timeout(backend.settings.publish_login_seconds):
            frame = frame_of(await websocket.receive())
        if frame is None:
            return None
        return await room_of(websocket).read(by_token, backend, header_in(frame))
    except (TimeoutError, Problem, ValueError):
        return None


def header_in(frame: str | bytes) -> str:
    """What a header would be: the message is `{"Authorization": "Token T"}`, `Token T`, or the token alone.

    Raises:
        ValueError: It is none of these.
    """
    text = (frame if isinstance(frame, str) else frame.decode()).strip()
    if len(text) > LONGEST:
        raise ValueError("no token is that long")
    if text.startswith("{"):
        value = json.loads(text).get("Authorization")
        if not isinstance(value, str):
            raise ValueError("there is no token in it")
        text = value.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1].strip()
    return text if " " in text else f"Bearer {text}"
