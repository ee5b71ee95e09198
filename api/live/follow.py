"""Following events: each once and in order, whatever the client's pace."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import suppress

from api.live.room import Room
from engine import Event, Live, Subscription

PATIENCE = 1.0
"""Seconds between looks, should nobody be woken."""


async def follow(
    live: Live, room: Room, subscription: Subscription, after: int, ping: float
) -> AsyncGenerator[Event | None]:
    """The events of a subscription after a number; None after `ping` seconds without one.

    What is yielded is not read ahead: as long as the client does not take it, only its number is kept.
    """
    loop, bell, told = asyncio.get_running_loop(), asyncio.Event(), time.monotonic()

    def wake() -> None:
        with suppress(RuntimeError):  # the loop may have ended
            loop.call_soon_threadsafe(bell.set)

    with live.tail.heard(wake):
        while not live.tail.ended:
            bell.clear()
            found = live.tail.near(after)
            if found is None:
                found = await room.read(live.tail.read, after)
            for event in found:
                after = event.seq
                if subscription.wants(event):
                    yield event
                    told = time.monotonic()
            if not found:
                with suppress(TimeoutError):
                    await asyncio.wait_for(bell.wait(), min(ping, PATIENCE))
            if time.monotonic() > told + ping:
                yield None
                told = time.monotonic()
