"""Names of objects: relative paths that lead nowhere else."""

from __future__ import annotations

from engine.disk import fault_of
from engine.errors import Problem

LONGEST_SEGMENT = 200
"""Bytes of a segment: less than file systems take."""
UPLOADS = ".uploads"
"""First segment of no name: folders keep what is on its way there."""


def checked(path: str) -> str:
    """The path, which can be a name of an object.

    Raises:
        Problem: It can be none: a segment is empty, `.`, `..` or longer than 200 bytes, it has control characters or
            a backslash, or it has more than 1000 bytes.
    """
    if fault := _fault_in(path):
        raise Problem("FilePathInvalid", f"{path[:80]!r} can be no path of an object: {fault}")
    return path


def is_name(path: str) -> bool:
    """Can an object have this path?"""
    return _fault_in(path) is None


def _fault_in(path: str) -> str | None:
    segments = path.split("/")
    if segments[0] == UPLOADS:
        return f"names do not begin with `{UPLOADS}`"
    return fault_of(segments, LONGEST_SEGMENT)
