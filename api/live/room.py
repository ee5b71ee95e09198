"""Who is connected, and the threads in which what they do waits for the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.requests import HTTPConnection

from api.live.pace import Pace
from engine import Problem, User

T = TypeVar("T")
WRITERS, READERS = 2, 4
"""Threads; writers take turns anyway, and those who wait keep nobody else from a thread."""


class Room:
    """The long connections of one application; made in its event loop."""

    def __init__(self) -> None:
        self._writers = CapacityLimiter(WRITERS)
        self._readers = CapacityLimiter(READERS)
        self._open: Counter[tuple[str, str]] = Counter()
        self._paces: dict[str, Pace] = {}

    async def write(self, work: Callable[..., T], *given: Any) -> T:
        """Do something that writes, in a thread; it is finished, whoever hangs up."""
        return await to_thread.run_sync(work, *given, limiter=self._writers)

    async def read(self, work: Callable[..., T], *given: Any) -> T:
        """Do something that reads, in a thread."""
        return await to_thread.run_sync(work, *given, limiter=self._readers)

    def demand(self, kind: str, user: User, most: int) -> None:
        """Is there a place for one more connection of a user?

        Raises:
            Problem: There is none.
        """
        if self._open[kind, user.id] >= most:
            raise Problem(
                "TooManyRequests", f"you have {most} connections already", hint="Close one of them first."
            )

    @contextmanager
    def seat(self, kind: str, user: User, most: int) -> Iterator[None]:
        """A place for a connection of a user.

        Raises:
            Problem: There is none.
        """
        self.demand(kind, user, most)
        self._open[kind, user.id] += 1
        try:
            yield
        finally:
            self._open[kind, user.id] -= 1
            self._open += Counter()

    def pace(self, user: User, rate: float, burst: int) -> Pace:
        """The pace of a publisher, whatever connections there are; it is the same again after a reconnect."""
        return self._paces.setdefault(user.id, Pace(rate, burst))


def room_of(connection: HTTPConnection) -> Room:
    """The room of the application that serves a connection."""
    found: Room = connection.app.state.room
    return found
