"""Parts of what is sent, as requests ask for them (RFC 9110)."""

from __future__ import annotations

import re

from starlette.exceptions import HTTPException

RANGE = re.compile(r"bytes=\s*(\d*)-(\d*)\s*", re.ASCII)


def part(asked: str | None, size: int) -> tuple[int, int] | None:
    """The part that a header `Range` asks for, of so many bytes: its first byte, and the first one behind it.

    None stands for all of it: nothing is asked for, several parts at once, or units other than bytes.

    Raises:
        HTTPException: It is shorter than that (416), or the header is none of bytes (400).
    """
    if asked is None or not asked.startswith("bytes=") or "," in asked:
        return None
    found = RANGE.fullmatch(asked[:60])
    first, last = found.groups() if found else ("", "")
    if not first + last or (first and last and int(last) < int(first)):
        raise HTTPException(400, "the range that is asked for is none of bytes")
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    if start >= size:
        raise HTTPException(416, "the object is shorter than that", {"Content-Range": f"bytes */{size}"})
    return start, end
