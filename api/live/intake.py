"""The intake of one publisher: frames come in, wait in a short queue, and are committed many at a time."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from contextlib import suppress
from json import JSONDecodeError

from fastapi import WebSocket
from starlette.exceptions import HTTPException
from starlette.websockets import WebSocketDisconnect

from api.auth.login import backend_of
from api.bodies import strict
from api.live.frames import BROKEN, LATER, SENSELESS, TOO_LONG, frame_of
from api.live.room import room_of
from engine import Message, Problem, Receipt, User, message_of

LOG = logging.getLogger("geodatacube.publish")
AT_ONCE = 100
"""Messages of one transaction."""
QUEUED_FRAMES, QUEUED_BYTES = 400, 16 * 2**20
"""What waits at most; then nothing is read, and the client has to wait."""
PAUSES = (0.1, 0.5, 2.0)
"""Seconds until the database is asked again that could not be written."""
Frame = str | bytes


class Intake:
    """One connection, after the login."""

    def __init__(self, websocket: WebSocket, user: User, *, acknowledges: bool) -> None:
        self._websocket = websocket
        self._user = user
        self._acknowledges = acknowledges
        self._backend = backend_of(websocket)
        self._room = room_of(websocket)
        self._frames: deque[Frame] = deque()
        self._bytes = 0
        self._changed = asyncio.Condition()
        self._sending = asyncio.Lock()
        self._code: int | None = None
        """Why it ends, where that is for us to say."""
        self._ended = False
        self._gone = False
        self._count = 0
        self._faults = 0

    async def serve(self) -> None:
        """Take what comes until the client goes, or until there is a reason to end it; what came is committed."""
        reader = asyncio.create_task(self._read())
        heart = asyncio.create_task(self._beat())
        try:
            while batch := await self._next():
                await self._commit(batch)
                if self._code not in (None, TOO_LONG):
                    break
        except Exception:
            LOG.exception("a connection of %s broke", self._user.id)
            self._code = BROKEN
        finally:
            for task in (reader, heart):
                task.cancel()
            await asyncio.gather(reader, heart, return_exceptions=True)
        if self._code is not None and not self._gone:
            with suppress(RuntimeError, WebSocketDisconnect):
                await self._websocket.close(self._code)

    # ------------------------------------------------------------------------------- in
    async def _read(self) -> None:
        settings = self._backend.settings
        limit = settings.publish_bytes
        pace = self._room.pace(self._user, settings.publish_rate, settings.publish_burst)
        while True:
            frame = frame_of(await self._websocket.receive())
            async with self._changed:
                if frame is None or len(frame) > limit:
                    self._gone = frame is None
                    self._code = None if frame is None else TOO_LONG
                    self._ended = True
                    self._changed.notify_all()
                    return
                self._frames.append(frame)
                self._bytes += len(frame)
                self._changed.notify_all()
                await self._changed.wait_for(self._has_room)
            if pause := pace.pause():
                await asyncio.sleep(pause)

    def _has_room(self) -> bool:
        return len(self._frames) < QUEUED_FRAMES and self._bytes < QUEUED_BYTES

    async def _next(self) -> list[Frame]:
        """What came; nothing: the end."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._frames or self._ended)
            batch = [self._frames.popleft() for _ in range(min(AT_ONCE, len(self._frames)))]
            self._bytes -= sum(map(len, batch))
            self._changed.notify_all()
        return batch

    async def _commit(self, batch: list[Frame]) -> None:
        for pause in (*PAUSES, None):
            try:
                receipts = await self._room.write(self._publish, batch)
            except Problem as problem:
                if pause is None:
                    LOG.warning("messages of %s are not taken: %s", self._user.id, problem)
                    self._code = LATER
                    return
                await asyncio.sleep(pause)
            else:
                await self._tell(receipts)
                return

    def _publish(self, batch: list[Frame]) -> list[Receipt]:
        return self._backend.live.publisher.publish(self._user, [message_in(frame) for frame in batch])

    # ------------------------------------------------------------------------------- out
    async def _tell(self, receipts: list[Receipt]) -> None:
        for receipt in receipts:
            self._count += 1
            self._faults = self._faults + 1 if receipt.senseless else 0
            if self._faults >= self._backend.settings.publish_faults:
                self._code = SENSELESS
            if self._acknowledges:
                await self._send(json.dumps(acknowledgement(self._count, receipt)))

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._backend.settings.publish_heartbeat)
            await self._send("heartbeat")

    async def _send(self, text: str) -> None:
        if self._gone:
            return
        async with self._sending:
            try:
                await self._websocket.send_text(text)
            except (RuntimeError, WebSocketDisconnect, OSError):
                self._gone = True


def message_in(frame: Frame) -> Message | Problem:
    """The message in a frame, or why there is none."""
    try:
        return message_of(strict(frame))
    except (JSONDecodeError, UnicodeDecodeError) as fault:
        return Problem("MessageInvalid", f"it is no JSON: {fault}"[:200])
    except HTTPException as fault:
        return Problem("MessageInvalid", str(fault.detail)[:200])
    except Problem as problem:
        return problem


def acknowledgement(number: int, receipt: Receipt) -> dict[str, object]:
    """What the publisher is told of one message."""
    return {
        "n": number,
        "state": receipt.state.value,
        "id": receipt.id,
        "collection": receipt.collection,
        "seq": receipt.seq,
        "reason": receipt.reason,
    }
