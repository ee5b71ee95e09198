"""Objects of users: who may do what with them, and how much each may store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from engine.errors import Problem
from engine.objects import Objects
from engine.objects.media import media_type_of
from engine.quota import Reserved, Room
from engine.records import Stored, User
from engine.settings import Settings

LINK_SECONDS = 600
"""For how long a signed address of an object store holds."""


class Rights(Protocol):
    """Who may read and write which objects."""

    def may_read(self, user: User, path: str) -> bool:
        """May the user read an object of this name, whether it is there or not?"""

    def may_write(self, user: User, path: str) -> bool:
        """May the user store and remove an object of this name?"""


class Storage:
    """The objects that users store by HTTP. All calls block; all of them refuse paths that can be no names."""

    def __init__(
        self,
        settings: Settings,
        objects: Objects,
        rights: Rights,
        free: Callable[[User], int],
        reserved: Reserved,
    ) -> None:
        self._settings = settings
        self.objects = objects
        """The store, without asking who may."""
        self.rights = rights
        """Who may read and write what."""
        self._free = free
        """Bytes that a user may store besides what lies there."""
        self._reserved = reserved
        """What is promised to uploads under way."""

    def room(self, user: User, path: str) -> int:
        """Bytes that an object of this name may have if the user stores it; what it replaces is there until then.

        Raises:
            Problem: The user may not store it, or nothing more.
        """
        self._check(self.rights.may_write(user, path), "store or remove", path)
        free = self._free(user) - self._reserved.of(user.id)
        if free <= 0:
            raise too_much(self._settings.storage_bytes)
        return min(free, self._settings.max_object_bytes)

    def put(
        self, user: User, path: str, chunks: Iterable[bytes], media_type: str | None = None, size: int = 0
    ) -> tuple[Stored, bool]:
        """Store an object; says whether its name is new.

        Args:
            user: Who stores it.
            path: Its name.
            chunks: Its bytes.
            media_type: Without one, its name speaks of one.
            size: How many bytes it has, where that is known; room is reserved for them before the first comes.

        Raises:
            Problem: The user may not store it, or not so much, or it has more bytes than objects may have.
        """
        self.room(user, path)
        known = self.objects.known(path)
        full = too_much(self._settings.storage_bytes)
        room = Room(self._reserved, user.id, lambda: self._free(user), full)
        try:
            room.grow(size)
            stored = self.objects.put(
                path, room.filled(chunks), media_type or media_type_of(path),
                most=self._settings.max_object_bytes, owner=user.id,
            )  # fmt: skip
        finally:
            room.leave()
        return stored, known is None

    def stat(self, user: User, path: str) -> Stored:
        """The facts about an object.

        Raises:
            Problem: The user may not read it, or there is none.
        """
        self._check(self.rights.may_read(user, path), "read", path)
        return self.objects.stat(path)

    def read(self, stored: Stored, start: int, end: int) -> Iterator[bytes]:
        """Bytes of the version that `stat` told of, from `start` up to and without `end`, in pieces.

        Raises:
            Problem: This version is there no more.
        """
        return self.objects.read(stored.path, start, end, etag=stored.etag)

    def link(self, stored: Stored) -> str | None:
        """Where the object store itself gives an object that `stat` told of, for a while; none where it is not to."""
        if not self._settings.storage_redirect:
            return None
        return self.objects.presigned(stored.path, LINK_SECONDS)

    def has(self, path: str) -> bool:
        """Is there such an object, whoever may read it?"""
        try:
            self.objects.stat(path)
        except Problem as problem:
            if problem.code in ("FileNotFound", "FilePathInvalid"):
                return False
            raise
        return True

    def remove(self, user: User, path: str) -> None:
        """Remove an object.

        Raises:
            Problem: The user may not, or there is none.
        """
        self._check(self.rights.may_write(user, path), "store or remove", path)
        self.objects.remove(path)

    @staticmethod
    def _check(allowed: bool, what: str, path: str) -> None:
        if not allowed:
            raise Problem(
                "PermissionsInsufficient",
                f"you may not {what} objects in {path.rpartition('/')[0][:80]!r}",
                hint="Objects have paths of the form `catalog/COLLECTION/...`; a role or a grant is needed.",
            )


def too_much(quota: int) -> Problem:
    """The user stores all that is allowed."""
    return Problem(
        "StorageQuotaExceeded",
        f"with this object you would store more than {quota} bytes",
        hint="Delete files, jobs or objects that you need no more.",
        facts={"quota": quota},
    )
