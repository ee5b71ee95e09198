"""Room for what is on its way: uploads that come side by side do not share what is free."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from threading import Lock

from engine.errors import Problem

STEP = 64 * 2**20
"""Bytes that are reserved at a time for an upload that did not say how long it is."""


class Reserved:
    """Bytes that uploads of accounts under way will take; of this process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._bytes: Counter[str] = Counter()

    def of(self, account: str) -> int:
        """Bytes that are reserved for an account."""
        with self._lock:
            return self._bytes[account]

    def take(self, account: str, wanted: int, free: Callable[[], int]) -> int:
        """Reserve what is wanted, or as much as there is; says how much.

        Args:
            account: For whom.
            wanted: Bytes.
            free: Says how many bytes the account may store besides what lies there, wherever they were promised to.
        """
        with self._lock:
            before = self._bytes[account]
            self._bytes[account] += wanted
        taken = 0
        try:  # whoever comes next waits for nothing, and gets what is left behind this one
            taken = max(0, min(wanted, free() - before))
        finally:
            self.give_back(account, wanted - taken)
        return taken

    def give_back(self, account: str, size: int) -> None:
        """Let go of bytes that were reserved."""
        with self._lock:
            self._bytes[account] -= size
            if not self._bytes[account]:
                del self._bytes[account]


class Room:
    """What is reserved for one upload."""

    def __init__(self, reserved: Reserved, account: str, free: Callable[[], int], full: Problem) -> None:
        self._reserved, self._account, self._free = reserved, account, free
        self._full = full
        """What is told when there is no room."""
        self._size = 0

    def grow(self, least: int, wanted: int = 0) -> None:
        """Reserve more: what is wanted, as far as there is so much.

        Raises:
            Problem: There is less than the least that is needed.
        """
        taken = self._reserved.take(self._account, max(least, wanted), self._free)
        self._size += taken
        if taken < least:
            raise self._full

    def filled(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same bytes, for which room is made as they come.

        Raises:
            Problem: There is no more.
        """
        passed = 0
        for chunk in chunks:
            passed += len(chunk)
            if passed > self._size:
                self.grow(passed - self._size, STEP)
            yield chunk

    def leave(self) -> None:
        """Give back all of it."""
        self._reserved.give_back(self._account, self._size)
        self._size = 0
