"""What disks take: names of files, how the faults of a disk are told, and what lies there for long."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.errors import Problem

LONGEST_NAME = 255
"""Bytes of the name of a file or folder, as file systems have it."""
LONGEST_PATH = 1000
"""Bytes of a whole path."""
ABANDONED = 86_400.0
"""Seconds after which nobody ends or fetches any more what lies there."""
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def fault_of(names: Sequence[str], longest: int = LONGEST_NAME) -> str | None:
    """What is wrong with the names of a path, each of which may have so many bytes; none where all are good."""
    sizes = [len(name.encode("utf-8", "surrogatepass")) for name in names]
    if not all(names):
        return "a name in it is empty"
    if {".", ".."} & set(names):
        return "`.` and `..` are no names"
    if max(sizes) > longest or sum(sizes) + len(sizes) > LONGEST_PATH:
        return f"it is too long; names take {longest} bytes, paths {LONGEST_PATH}"
    if any(not name.isprintable() or "\\" in name for name in names):
        return "it has signs that no name may have"
    return None


@contextmanager
def on_disk() -> Iterator[None]:
    """Faults of the disk are told as such.

    Raises:
        Problem: The disk is full.
    """
    try:
        yield
    except OSError as cause:
        if cause.errno not in FULL:
            raise
        raise Problem(
            "StorageFailure", "the disk of the server is full", hint="Tell those who run the server."
        ) from cause


def older(places: Iterable[Path], seconds: float) -> Iterator[Path]:
    """Those that were not touched for so long."""
    for place in places:
        with suppress(FileNotFoundError):  # it is gone meanwhile
            if time.time() - place.stat().st_mtime > seconds:
                yield place
