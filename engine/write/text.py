"""Text files that are hashed while they are written and read back before they are published."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from engine.write.atomic import storing
from engine.write.pour import not_as_written


def write_text(path: Path, pieces: Iterable[str]) -> None:
    """Write pieces of text, as UTF-8, one after the other; what the disk has afterwards must be just that."""
    written = hashlib.sha256()
    with storing(path), path.open("wb") as file:
        for piece in pieces:
            data = piece.encode()
            written.update(data)
            file.write(data)
    if sha256(path) != written.hexdigest():
        raise not_as_written(path, "its checksum differs")


SHA256 = "sha256"
"""Field of an asset on its way: its checksum, where it is known already."""


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with storing(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
