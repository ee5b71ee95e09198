"""What is remembered of files on web servers: their pieces and how they were found, for all threads."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from engine.http.egress import Egress

Piece = bytes | memoryview
"""A part of a file, which may be a part of a longer answer."""
TRUSTED = 300.0
"""Seconds for which a file is taken to be as it was; then its first piece is asked for again."""


@dataclass
class Pieces:
    """Pieces of files that were read last, for all threads."""

    room: int
    """Bytes that are kept."""
    kept: OrderedDict[tuple[Any, ...], Piece] = field(default_factory=OrderedDict)
    size: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: tuple[Any, ...]) -> Piece | None:
        """A piece, if it is here still."""
        with self.lock:
            if key in self.kept:
                self.kept.move_to_end(key)
            return self.kept.get(key)

    def put(self, key: tuple[Any, ...], piece: Piece) -> None:
        """Keep a piece; those that were not read for longest go."""
        with self.lock:
            self.size += len(piece) - len(self.kept.pop(key, b""))
            self.kept[key] = piece
            while self.size > self.room:
                self.size -= len(self.kept.popitem(last=False)[1])

    def drop(self, key: tuple[Any, ...]) -> None:
        """Forget a piece."""
        with self.lock:
            self.size -= len(self.kept.pop(key, b""))


@dataclass(frozen=True)
class State:
    """A file as it was found."""

    size: int
    """Its bytes."""
    mark: str
    """What its server says of its version."""
    head: bytes
    """Its first piece."""
    ranged: bool
    """Whether its server gives parts of it."""
    seen: float
    """When that was, on the clock that only runs on."""


@dataclass
class States:
    """The files that were seen last, for all threads."""

    room: int
    """Files that are kept."""
    kept: OrderedDict[tuple[Egress, str], State] = field(default_factory=OrderedDict)
    asking: dict[tuple[Egress, str], list[threading.Lock]] = field(default_factory=dict)
    """For each file that is being asked for a lock, once for each that asks or waits."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def alone(self, egress: Egress, href: str) -> Iterator[None]:
        """While in here nobody else asks for this file's first piece: who waits finds it then."""
        with self.lock:
            locks = self.asking.setdefault((egress, href), [])
            locks.append(locks[0] if locks else threading.Lock())
        try:
            with locks[0]:
                yield
        finally:
            with self.lock:
                if len(locks) == 1:
                    del self.asking[egress, href]
                else:
                    locks.pop()

    def get(self, egress: Egress, href: str) -> State | None:
        """How the file was a short while ago."""
        with self.lock:
            state = self.kept.get((egress, href))
            if state is None or time.monotonic() - state.seen > TRUSTED:
                return None
            self.kept.move_to_end((egress, href))
            return state

    def put(self, egress: Egress, href: str, state: State) -> None:
        """Keep what was seen."""
        with self.lock:
            self.kept[egress, href] = state
            self.kept.move_to_end((egress, href))
            while len(self.kept) > self.room:
                self.kept.popitem(last=False)

    def clear(self) -> None:
        """Forget all files: each is looked at again, but what is known of its bytes stays if it is the same."""
        with self.lock:
            self.kept.clear()

    def drop(self, egress: Egress, href: str) -> None:
        """Forget a file."""
        with self.lock:
            self.kept.pop((egress, href), None)
