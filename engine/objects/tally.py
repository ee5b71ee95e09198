"""Digests of bytes on their way."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

import google_crc32c

from engine.errors import Problem


class Tally:
    """Pieces of an object, which are counted and digested as they pass by, once."""

    def __init__(self, chunks: Iterable[bytes], most: int | None = None) -> None:
        self._chunks = chunks
        self._most = most
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._crc32c = google_crc32c.Checksum()
        self.size = 0
        """Bytes that have passed."""

    def __iter__(self) -> Iterator[bytes]:
        """The pieces, as they are.

        Raises:
            Problem: There are more than `most` bytes.
        """
        for chunk in self._chunks:
            self.size += len(chunk)
            if self._most is not None and self.size > self._most:
                raise Problem(
                    "PayloadTooLarge",
                    f"the object has more than the {self._most} bytes that it may have",
                    facts={"limit": self._most},
                )
            self._md5.update(chunk)
            self._crc32c.update(chunk)
            yield chunk

    @property
    def md5(self) -> bytes:
        """MD5 of what has passed, 16 bytes."""
        return self._md5.digest()

    @property
    def crc32c(self) -> int:
        """CRC-32C of what has passed, unsigned."""
        return int.from_bytes(self._crc32c.digest(), "big")
