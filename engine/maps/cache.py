"""Tiles that were drawn, on disk: so many bytes, for so long; what nobody asked for longest goes first."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from contextlib import suppress
from pathlib import Path
from threading import Lock

ROOM = 0.9
"""The share that is left when tiles have to go, so that it is not done for each new one."""


class Tiles:
    """A folder of tiles; several server processes may share it, for a tenth more of bytes at most for each further one.

    A file's time of change says how old it is, its time of access when it was asked for: both are set here, because
    file systems are often told not to note accesses.
    """

    def __init__(self, folder: Path, most: int, seconds: float) -> None:
        self._folder = folder
        self._most = most
        self._seconds = seconds
        self._lock = Lock()
        self._bytes: int | None = None
        """About how many there are; not known before the first one is added."""

    def get(self, service: str, version: int, name: str) -> bytes | None:
        """A tile, unless there is none, or it is too old."""
        path = self._folder / service / str(version) / name
        try:
            made, now = path.stat().st_mtime, time.time()
            if now - made > self._seconds:
                return None
            found = path.read_bytes()
            os.utime(path, (now, made))
        except OSError:
            return None
        return found

    def put(self, service: str, version: int, name: str, tile: bytes) -> None:
        """Keep a tile; that it cannot be kept is no fault."""
        if len(tile) > self._most:
            return
        path = self._folder / service / str(version) / name
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            staged = path.with_name(f".{secrets.token_hex(8)}")
            staged.write_bytes(tile)
            staged.replace(path)
            self._added(len(tile))

    def drop(self, service: str, but: int | None = None) -> None:
        """Forget the tiles of a service, all or those of other versions."""
        for folder in (self._folder / service).glob("*"):
            if folder.name != str(but):
                shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):
            (self._folder / service).rmdir()

    def _added(self, count: int) -> None:
        with self._lock:
            if self._bytes is not None and self._bytes + count <= self._most:
                self._bytes += count
                return
            self._bytes = self._trimmed()

    def _trimmed(self) -> int:
        """Remove the oldest ones where there are too many; gives how many bytes are left."""
        found = []
        for path in self._folder.glob("*/*/*"):
            with suppress(OSError):
                seen = path.stat()
                found.append((seen.st_atime, seen.st_size, path))
        total = sum(size for _, size, _ in found)
        if total <= self._most:
            return total
        for _, size, path in sorted(found, key=lambda entry: entry[0]):
            if total <= ROOM * self._most:
                break
            with suppress(OSError):
                path.unlink()
            total -= size
        return total
