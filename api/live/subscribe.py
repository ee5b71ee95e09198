"""Subscriptions: new items of a package as server-sent events, or over a WebSocket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, WebSocket
from starlette.requests import HTTPConnection
from starlette.responses import Response, StreamingResponse
from starlette.websockets import WebSocketDisconnect

from api.auth.login import backend_of
from api.declared import sends
from api.frame import HEADLESS
from api.live.follow import follow
from api.live.frames import LATER, POLICY, frame_of
from api.live.login import by_first_message, by_header, token_user
from api.live.room import room_of
from api.schemas import TEXT
from api.stac.shown import item_of
from engine import Event, Hit, Problem, Subscription, User

router = APIRouter(tags=["Subscriptions"])
Caller = Annotated[User, Depends(token_user)]
Package = Annotated[str, Query(description="Name of the package.")]
EVENTS = "text/event-stream"
KIND = "subscription"
MISSED = "missed"
"""What a subscriber is told that comes back after so long that events up to a number are gone."""
LARGEST = 2**63 - 1
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""Neither kept nor held back by those in between."""
RESUMED: dict[str, Any] = {
    "parameters": [
        {
            "in": "header",
            "name": "Last-Event-ID",
            "schema": TEXT,
            "description": "The last event that the client has; those after it are sent.",
        }
    ]
}


@router.get(
    "/subscription/v1/",
    summary="Follow new items of a package",
    response_class=StreamingResponse,
    responses=sends("Events without an end, each with an item.", EVENTS, schema=TEXT),
    openapi_extra=RESUMED,
)
async def subscription(request: Request, user: Caller, package: Package) -> Response:
    """Each event has the number of the change as `id`, and the STAC item as `data`."""
    backend, room = backend_of(request), room_of(request)
    subscribed = backend.live.packages.of(user, package)
    room.demand(KIND, user, backend.settings.subscriptions_user)
    given = request.headers.get("last-event-id", "").strip()
    after = number(given) if given else await room.read(backend.live.tail.newest)
    if request.scope.get(HEADLESS):
        return Response(media_type=EVENTS, headers=HEADERS)
    return StreamingResponse(lines(request, user, subscribed, after), media_type=EVENTS, headers=HEADERS)


@router.websocket("/subscription/v1/ws/")
async def subscription_by_socket(websocket: WebSocket, package: str = "", after: str = "") -> None:
    """Each message has the number of the change as `id`, and the STAC item as `data`."""
    backend, room = backend_of(websocket), room_of(websocket)
    try:
        user = await by_header(websocket)
        if user is not None:
            backend.live.packages.of(user, package)
        begin = number(after) if after else await room.read(backend.live.tail.newest)
    except Problem:
        await websocket.close(POLICY)
        return
    await websocket.accept()
    user = user or await by_first_message(websocket)
    try:
        if user is None:
            raise Problem("TokenInvalid", "there is no token")
        subscribed = backend.live.packages.of(user, package)
        with room.seat(KIND, user, backend.settings.subscriptions_user):
            await push(websocket, subscribed, begin)
    except Problem as problem:
        await websocket.close(LATER if problem.code == "TooManyRequests" else POLICY)


async def lines(request: Request, user: User, subscribed: Subscription, after: int) -> AsyncIterator[str]:
    """Events as they are sent; the first has no item, and tells where to resume."""
    backend, room = backend_of(request), room_of(request)
    settings = backend.settings
    with room.seat(KIND, user, settings.subscriptions_user):
        missed = await room.read(partial(backend.live.missed, after))
        yield f"id: {after}\n\n" if missed is None else f"event: {MISSED}\nid: {missed}\ndata: {missed}\n\n"
        following = follow(backend.live, room, subscribed, after, settings.subscription_ping)
        async with aclosing(following) as events:
            async for event in events:
                if event is None:
                    yield ": ping\n\n"
                else:
                    yield f"id: {event.seq}\ndata: {json.dumps(shown(request, event))}\n\n"


async def push(websocket: WebSocket, subscribed: Subscription, after: int) -> None:
    """Send events until the client goes."""
    sender = asyncio.create_task(send(websocket, subscribed, after))
    reader = asyncio.create_task(drain(websocket))
    try:
        await asyncio.wait([sender, reader], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sender, reader):
            task.cancel()
        await asyncio.gather(sender, reader, return_exceptions=True)


async def send(websocket: WebSocket, subscribed: Subscription, after: int) -> None:
    """Send events; without any, a sign of life."""
    live, ping = backend_of(websocket).live, backend_of(websocket).settings.subscription_ping
    try:
        missed = await room_of(websocket).read(partial(live.missed, after))
        if missed is not None:
            await websocket.send_text(json.dumps({"type": MISSED, "id": missed}))
        async with aclosing(follow(live, room_of(websocket), subscribed, after, ping)) as events:
            async for event in events:
                told = {"id": event.seq, "data": shown(websocket, event)} if event else {"type": "ping"}
                await websocket.send_text(json.dumps(told))
    except (RuntimeError, WebSocketDisconnect, OSError):
        return  # the client has gone


async def drain(websocket: WebSocket) -> None:
    """Take what the client sends, which says nothing, until it goes."""
    while frame_of(await websocket.receive()) is not None:
        pass


def shown(connection: HTTPConnection, event: Event) -> dict[str, Any]:
    """The item of an event as clients see it."""
    return item_of(connection, Hit(event.doc or {}, event.owner, ""))


def number(text: str) -> int:
    """The number of an event.

    Raises:
        Problem: It is none.
    """
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or int(text) > LARGEST:
        raise Problem("ParameterInvalid", f"{text[:40]!r} is no number of an event")
    return int(text)
