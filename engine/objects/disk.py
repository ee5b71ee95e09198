"""Objects in a folder of this machine; folders are walked from the root on, and no link is followed."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path

from engine.disk import ABANDONED, on_disk
from engine.errors import Problem
from engine.objects.names import UPLOADS
from engine.objects.shelf import Found, changed, taken

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
NO_OBJECT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})
"""Nothing is there, a part of the path is no folder, or it is a link."""
IN_THE_WAY = frozenset({errno.ENOTDIR, errno.ELOOP, errno.EISDIR, errno.EEXIST, errno.ENOTEMPTY})
PIECE = 256 * 2**10
"""Bytes that are read at a time."""


class Disk:
    """A folder. Objects cannot have names that are folders of other objects: `a` and `a/b` exclude each other."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()

    def put(
        self,
        path: str,
        chunks: Iterable[bytes],
        media_type: str,  # noqa: ARG002 (facts have it)
        *,
        new: bool = False,
    ) -> Found:
        """Write a file of its own, sync it, and give it its name."""
        if new and self.look(path) is not None:  # before the bytes come; what counts is the link in the end
            raise taken(path)
        partial = secrets.token_hex(16)
        with on_disk():
            self._root.mkdir(parents=True, exist_ok=True)
            with self._folder([UPLOADS], make=True) as uploads:
                clear(uploads)
                try:
                    with os.fdopen(os.open(partial, NEW, 0o666, dir_fd=uploads), "wb") as file:
                        file.writelines(chunks)
                        file.flush()
                        os.fsync(file.fileno())
                        found = told(path, os.fstat(file.fileno()))
                    self._publish(uploads, partial, path, new=new)
                finally:
                    with suppress(FileNotFoundError):
                        os.unlink(partial, dir_fd=uploads)
        return found

    def look(self, path: str) -> Found | None:
        """The file of that name."""
        *folders, name = path.split("/")
        try:
            with self._folder(folders) as folder:
                facts = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except OSError as cause:
            if cause.errno not in NO_OBJECT:
                raise
            return None
        return told(path, facts) if stat.S_ISREG(facts.st_mode) else None

    def read(self, path: str, start: int, end: int, etag: str) -> Iterator[bytes]:
        """Its bytes, of the version that is opened now, whatever happens to the name later."""
        *folders, name = path.split("/")
        try:
            with self._folder(folders) as folder:
                opened = os.open(name, FILE, dir_fd=folder)
        except OSError as cause:
            if cause.errno not in NO_OBJECT:
                raise
            raise changed(path) from None
        facts = os.fstat(opened)
        if not stat.S_ISREG(facts.st_mode) or told(path, facts).etag != etag:
            os.close(opened)
            raise changed(path)
        return pieces(os.fdopen(opened, "rb", buffering=0), start, end)

    def remove(self, path: str) -> None:
        """Remove the file, and the folders that are empty without it."""
        *folders, name = path.split("/")
        try:
            with self._folder(folders) as folder:
                os.unlink(name, dir_fd=folder)
            while folders:
                with self._folder(folders[:-1]) as folder:
                    os.rmdir(folders.pop(), dir_fd=folder)
        except OSError as cause:
            if cause.errno not in NO_OBJECT | IN_THE_WAY:
                raise

    def address(self, path: str) -> str:
        """The path of the file."""
        return str(self._root / path)

    def presigned(self, path: str, seconds: int) -> None:
        """Files have no URLs."""

    def _publish(self, uploads: int, partial: str, path: str, *, new: bool) -> None:
        give = os.link if new else os.replace  # a link replaces nothing
        *folders, name = path.split("/")
        for _ in range(3):  # the folder may be removed as empty between the two steps
            try:
                with self._folder(folders, make=True) as folder:
                    give(partial, name, src_dir_fd=uploads, dst_dir_fd=folder)
                    os.fsync(folder)
            except FileNotFoundError:
                continue
            except OSError as cause:
                if cause.errno not in IN_THE_WAY:
                    raise
                if new and cause.errno == errno.EEXIST:
                    raise taken(path) from None
                raise Problem(
                    "FilePathInvalid", f"{path[:80]!r}, or a part of it, is something else already",
                    hint="Choose another path.",
                ) from None  # fmt: skip
            return
        raise changed(path)

    @contextmanager
    def _folder(self, names: Sequence[str], *, make: bool = False) -> Iterator[int]:
        """The descriptor of a folder below the root; with `make`, of one that need not be there yet."""
        place = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for name in names:
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(name, dir_fd=place)
                        os.fsync(place)
                inner = os.open(name, FOLDER, dir_fd=place)
                os.close(place)
                place = inner
            yield place
        finally:
            os.close(place)


def told(path: str, facts: os.stat_result) -> Found:
    """A file as the disk tells it; each one that is written has a number and a time of its own."""
    etag = f"{facts.st_mtime_ns:x}-{facts.st_size:x}-{facts.st_ino:x}"
    return Found(path, facts.st_size, etag, facts.st_mtime)


def pieces(file: FileIO, start: int, end: int) -> Iterator[bytes]:
    """The bytes of an open file, which is closed in the end."""
    with file:
        file.seek(start)
        while start < end and (piece := file.read(min(PIECE, end - start))):
            start += len(piece)
            yield piece


def clear(uploads: int) -> None:
    """Remove uploads that were left by processes that were killed."""
    for name in os.listdir(uploads):
        with suppress(FileNotFoundError):
            if time.time() - os.stat(name, dir_fd=uploads, follow_symlinks=False).st_mtime > ABANDONED:
                os.unlink(name, dir_fd=uploads)
