"""Files that users keep on a server: names that stay within their folder, uploads that appear whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from engine.disk import ABANDONED, fault_of, older, on_disk
from engine.errors import Problem
from engine.settings import Settings


@dataclass(frozen=True, slots=True)
class UserFile:
    """A file of a user."""

    path: str
    """Relative to the user's folder, with `/` between names and none before the first."""
    size: int
    """Bytes."""
    modified: float
    """Seconds since 1970."""


class Upload:
    """A file that is on its way; it counts against the quota from its first byte on."""

    def __init__(self, file: BinaryIO, room: int, quota: int) -> None:
        self._file = file
        self._room = room
        self._quota = quota

    def write(self, piece: bytes) -> None:
        """Add a piece.

        Raises:
            Problem: The user may not store so much, or the disk is full.
        """
        self._room -= len(piece)
        if self._room < 0:
            raise too_much(self._quota)
        with on_disk():
            self._file.write(piece)


class Files:
    """The files of one user."""

    def __init__(self, settings: Settings, user: str, elsewhere: Callable[[], int] = lambda: 0) -> None:
        home = settings.of_user(user).home
        self._home = home
        self._root = home / "files"
        self._uploads = home / "uploads"
        self._elsewhere = elsewhere
        """Bytes that the user stores elsewhere, now; they count, too."""
        self.quota = settings.storage_bytes
        """Bytes that the user may store."""

    def all(self) -> list[UserFile]:
        """All files, by path."""
        found = []
        for place in self._root.rglob("*"):
            with suppress(FileNotFoundError):  # it was removed meanwhile
                if place.is_file():
                    found.append(self._told(place))
        return sorted(found, key=lambda file: file.path)

    def place(self, path: str) -> Path:
        """Where a file lies.

        Raises:
            Problem: There is none, or it is a folder.
        """
        found = self._named(path)
        if found.is_dir():
            raise Problem("FileOperationUnsupported", f"{path!r} is a folder", hint="Name a file in it.")
        if not found.is_file():
            raise Problem("FileNotFound", f"you have no file {path!r}", hint="`GET /files` lists yours.")
        return found

    @contextmanager
    def upload(self, path: str) -> Iterator[Upload]:
        """Take a file in; it appears under its path when all of it is there, in place of one that was.

        Raises:
            Problem: The path can be none of a file, or there is no room.
        """
        target = self._named(path)
        if target.is_dir():
            raise Problem("FilePathInvalid", f"{path!r} is a folder", hint="Choose another path.")
        with on_disk():
            self._uploads.mkdir(parents=True, exist_ok=True)
        self._clear()
        partial = self._uploads / secrets.token_hex(16)
        try:
            with on_disk(), partial.open("xb") as file:
                yield Upload(file, self.quota - self.used(), self.quota)
                file.flush()
                os.fsync(file.fileno())
            if self.used() > self.quota:  # others came in beside it
                raise too_much(self.quota)
            with on_disk():
                self._publish(partial, target, path)
        finally:
            partial.unlink(missing_ok=True)

    def one(self, path: str) -> UserFile:
        """One file.

        Raises:
            Problem: There is none, or it is a folder.
        """
        return self._told(self.place(path))

    def remove(self, path: str) -> None:
        """Remove a file, and the folders that are empty without it.

        Raises:
            Problem: There is none, or it is a folder.
        """
        place = self.place(path)
        place.unlink(missing_ok=True)
        for folder in place.parents:
            if folder == self._root:
                break
            try:
                folder.rmdir()
            except OSError:  # something is in it
                break

    def used(self) -> int:
        """Bytes that the user stores: files, results of jobs, all else in the user's folder, and what is elsewhere."""
        total = self._elsewhere()
        for place in self._home.rglob("*"):
            with suppress(FileNotFoundError):
                total += place.lstat().st_size if place.is_file() else 0
        return total

    def _publish(self, partial: Path, target: Path, path: str) -> None:
        for _ in range(3):  # the folder may be removed as empty between the two steps
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                partial.replace(target)
            except (NotADirectoryError, FileExistsError, IsADirectoryError):
                raise Problem(
                    "FilePathInvalid", f"a part of {path!r} is a file already", hint="Choose another path."
                ) from None
            except FileNotFoundError:
                continue
            return
        raise Problem("FileLocked", f"the folder of {path!r} is being removed", hint="Try again.")

    def _clear(self) -> None:
        for old in older(self._uploads.iterdir(), ABANDONED):
            old.unlink(missing_ok=True)

    def _told(self, place: Path) -> UserFile:
        facts = place.stat()
        return UserFile(place.relative_to(self._root).as_posix(), facts.st_size, facts.st_mtime)

    def _named(self, path: str) -> Path:
        """The place of a path, which is within the user's folder."""
        names = path.removeprefix("/").split("/")
        if fault := fault_of(names):
            raise Problem("FilePathInvalid", f"{path[:80]!r} can be no path of a file: {fault}")
        place = self._root.joinpath(*names)
        if not place.resolve().is_relative_to(self._root.resolve()):
            raise Problem("FilePathInvalid", f"{path[:80]!r} leads out of your folder")
        return place


def too_much(quota: int) -> Problem:
    """The user stores all that is allowed."""
    return Problem(
        "StorageQuotaExceeded",
        f"with this file you would store more than {quota} bytes",
        hint="Delete files or jobs that you need no more.",
        facts={"quota": quota},
    )


def remove_all(settings: Settings, user: str) -> None:
    """Remove all that a user stored."""
    shutil.rmtree(settings.of_user(user).home, ignore_errors=True)
