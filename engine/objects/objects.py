"""Objects under names, with facts about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Protocol

from engine.errors import Problem
from engine.objects.media import media_type_of
from engine.objects.names import checked
from engine.objects.shelf import Found, Shelf
from engine.objects.tally import Tally
from engine.records import Stored


class Facts(Protocol):
    """Keeps what is known about objects of several stores; `engine.store.objects` does."""

    def get(self, store: str, path: str) -> Stored | None:
        """What is known about an object."""

    def put(self, store: str, stored: Stored, still: Callable[[], bool]) -> None:
        """Note it, if `still`, which is asked when nobody else can note anything, says that it holds."""

    def remove(self, store: str, path: str, gone: Callable[[], bool]) -> None:
        """Forget it, if `gone`, asked likewise, says that it is there no more."""


class Objects:
    """A store of objects: bytes on a shelf, facts beside them.

    The shelf is what counts. Facts that are of another version than the one that lies there, or of none (a process was
    killed between the two, or others write to the bucket as well), are found out anew, by reading the object once.

    All calls block. Paths are relative, with `/` between segments; those that can be no names are refused by all calls
    as `FilePathInvalid`.
    """

    def __init__(self, name: str, shelf: Shelf, facts: Facts) -> None:
        self.name = name
        """What facts about its objects are kept under; it stays, wherever the shelf is moved."""
        self._shelf = shelf
        self._facts = facts

    def put(
        self, path: str, chunks: Iterable[bytes], media_type: str, *, most: int | None = None,
        owner: str | None = None,
    ) -> Stored:  # fmt: skip
        """Store an object of up to `most` bytes; it appears when all of it is there, in place of one that was.

        What the chunks raise is raised on, and nothing of them is left.

        Raises:
            Problem: There are more bytes, the place takes no object of this name, is full or cannot be used.
        """
        name = checked(path)
        tally = Tally(chunks, most)
        found = self._shelf.put(name, tally, media_type)
        stored = Stored(
            name, tally.size, media_type, tally.md5, tally.crc32c, found.etag, found.modified, owner,
            found.modified,
        )  # fmt: skip
        self._facts.put(self.name, stored, lambda: self._is_there(found))
        return stored

    def known(self, path: str) -> Stored | None:
        """What was noted about an object, whether it is there or not."""
        return self._facts.get(self.name, checked(path))

    def stat(self, path: str) -> Stored:
        """The facts about an object.

        Raises:
            Problem: There is none, or its place cannot be used.
        """
        found = self._look(path)
        known = self._facts.get(self.name, found.path)
        return known if known is not None and known.etag == found.etag else self._learned(found, known)

    def read(
        self, path: str, start: int = 0, end: int | None = None, *, etag: str | None = None
    ) -> Iterator[bytes]:
        """Bytes from `start` up to and without `end`, in pieces; of the version `etag`, where one is named.

        Raises:
            Problem: There is no such object, or not in this version (any more), or its place cannot be used.
        """
        found = self._look(path)
        stop = found.size if end is None else min(end, found.size)
        return self._shelf.read(found.path, start, max(start, stop), etag or found.etag)

    def remove(self, path: str) -> None:
        """Remove an object.

        Raises:
            Problem: There is none, or its place cannot be used.
        """
        name = checked(path)
        is_there = self._shelf.look(name) is not None
        if is_there:
            self._shelf.remove(name)
        self._facts.remove(self.name, name, lambda: self._shelf.look(name) is None)
        if not is_there:
            raise missing(name)

    def presigned(self, path: str, seconds: int) -> str | None:
        """A URL at which anybody gets the bytes for so many seconds; none for objects on a disk."""
        return self._shelf.presigned(checked(path), seconds)

    def _look(self, path: str) -> Found:
        name = checked(path)
        found = self._shelf.look(name)
        if found is None:
            raise missing(name)
        return found

    def _is_there(self, found: Found) -> bool:
        there = self._shelf.look(found.path)
        return there is not None and there.etag == found.etag

    def _learned(self, found: Found, known: Stored | None) -> Stored:
        """Facts of a version that none were noted of."""
        tally = Tally(self._shelf.read(found.path, 0, found.size, found.etag))
        for _ in tally:
            pass
        learned = Stored(
            found.path, tally.size, media_type_of(found.path), tally.md5, tally.crc32c, found.etag, found.modified,
            created=found.modified,
        )  # fmt: skip
        if known is not None:
            learned = replace(learned, media_type=known.media_type, owner=known.owner, created=known.created)
        self._facts.put(self.name, learned, lambda: self._is_there(found) and not self._is_noted(found))
        return learned

    def _is_noted(self, found: Found) -> bool:
        known = self._facts.get(self.name, found.path)
        return known is not None and known.etag == found.etag


def missing(path: str) -> Problem:
    """There is no such object."""
    return Problem("FileNotFound", f"there is no object {path[:80]!r}")
