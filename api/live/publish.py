"""Publishing: a WebSocket that takes STAC catalogues, collections and items, and the log of what became of them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, WebSocket

from api.auth.login import backend_of
from api.declared import gives
from api.live.frames import LATER, POLICY
from api.live.intake import Intake
from api.live.login import by_first_message, by_header, token_user
from api.live.room import room_of
from api.moments import moment
from engine import Problem, User

router = APIRouter(tags=["Publishing"])
Json = dict[str, Any]
Caller = Annotated[User, Depends(token_user)]
ACKNOWLEDGED = "stac-publish.ack"
"""The subprotocol of those who want to be told what became of each message."""
KIND = "publish"
Latest = Annotated[int, Query(ge=1, le=1000, description="At most so many entries.")]


@router.websocket("/publish/v1/")
async def publish(websocket: WebSocket) -> None:
    """Take messages until the client goes."""
    backend, room = backend_of(websocket), room_of(websocket)
    try:
        user = await by_header(websocket)
    except Problem:
        await websocket.close(POLICY)
        return
    if user is not None and not backend.live.publisher.may_publish(user):
        await websocket.close(POLICY)
        return
    acknowledges = ACKNOWLEDGED in websocket.scope.get("subprotocols", ())
    await websocket.accept(ACKNOWLEDGED if acknowledges else None)
    user = user or await by_first_message(websocket)
    if user is None or not backend.live.publisher.may_publish(user):
        await websocket.close(POLICY)
        return
    try:
        with room.seat(KIND, user, backend.settings.publish_connections_user):
            await Intake(websocket, user, acknowledges=acknowledges).serve()
    except Problem:
        await websocket.close(LATER)


@router.get("/publish/v1/log", summary="What became of what you published", responses=gives("PublishLog"))
def log(request: Request, user: Caller, limit: Latest = 100) -> Json:
    """How many messages were accepted, wait, or were rejected, and the latest of them."""
    counts, entries = backend_of(request).live.publisher.log(user, limit)
    names = ("kind", "id", "collection", "state", "reason", "seq")
    told = [
        {"time": moment(e["time"]), "provider": e["org"], **{name: e[name] for name in names}}
        for e in entries
    ]
    return {"counts": counts, "entries": told}
