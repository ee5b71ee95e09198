"""What a place for bytes has to be able to do, and what it tells about an object without reading it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from engine.errors import Problem


@dataclass(frozen=True, slots=True)
class Found:
    """An object as its place tells it."""

    path: str
    """Its name."""
    size: int
    """Bytes."""
    etag: str
    """Names its version: it is another one whenever the bytes are others."""
    modified: float
    """Seconds since 1970."""


class Shelf(Protocol):
    """A place for bytes, by names that were checked. Calls block, and may come from several threads at once."""

    def put(self, path: str, chunks: Iterable[bytes], media_type: str, *, new: bool = False) -> Found:
        """Keep the bytes; they appear under the name when all of them are there, in place of what was.

        With `new` nothing is replaced: of several who want a name, one gets it. In a bucket that one may be seen as an
        empty object until its bytes are there.

        Raises:
            Problem: The name is taken (`AlreadyExists`, with `new` alone); the place takes no object of this name, is
                full or cannot be used.
        """

    def look(self, path: str) -> Found | None:
        """The object of that name, if there is one."""

    def read(self, path: str, start: int, end: int, etag: str) -> Iterator[bytes]:
        """Bytes from `start` up to and without `end` of one version; they come in pieces.

        Raises:
            Problem: This version is there no more.
        """

    def remove(self, path: str) -> None:
        """Remove the object; nothing happens where there is none."""

    def address(self, path: str) -> str:
        """Where programs find the bytes: a path of this machine, or an `s3://` URL."""

    def presigned(self, path: str, seconds: int) -> str | None:
        """A URL that gives the bytes to anybody for so long; none where the place serves nobody."""


def taken(path: str) -> Problem:
    """An object that was to be new has the name of one that is there."""
    return Problem("AlreadyExists", f"{path[:80]!r} is there already", hint="Choose another path.")


def changed(path: str) -> Problem:
    """The version that was to be read is there no more."""
    return Problem("FileLocked", f"{path[:80]!r} is being replaced or removed", hint="Try again.")
