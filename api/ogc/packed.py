"""Answers of several files: a folder as a ZIP archive, and what describes a coverage together with its values."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from api.parts import blocks

VALUES = "values@coverage"
"""Content identifier of the part that holds the values."""


class Outlet(io.RawIOBase):
    """What is written and not yet taken."""

    def __init__(self) -> None:
        self._written = bytearray()

    def writable(self) -> bool:
        """It is; it has no way back."""
        return True

    def write(self, data: Any) -> int:
        """Keep some bytes."""
        self._written += data
        return len(data)

    def taken(self) -> bytes:
        """What was written since this was last asked."""
        out = bytes(self._written)
        self._written.clear()
        return out


def zipped(folder: Path) -> Iterator[bytes]:
    """A folder as a ZIP archive, a piece at a time; its files are packed already."""
    outlet = Outlet()
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            name = path.relative_to(folder).as_posix()
            with archive.open(name, "w", force_zip64=True) as entry:
                for piece in blocks(path):
                    entry.write(piece)
                    yield outlet.taken()
    yield outlet.taken()


def described(
    description: Mapping[str, Any], values: Path, media_type: str
) -> Iterator[tuple[list[str], Iterable[bytes]]]:
    """A description and a file as parts of one body."""
    yield ["Content-Type: application/json", "Content-ID: <coverage>"], [json.dumps(description).encode()]
    yield [f"Content-Type: {media_type}", f"Content-ID: <{VALUES}>"], blocks(values)
