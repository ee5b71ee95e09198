"""A PNG encoder that takes an image strip by strip, and the check of a finished file: memory of one strip.

The format is W3C's PNG, third edition. GDAL's writer swallows a full disk, and Pillow wants the whole image.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from engine.write.pour import not_as_written

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
"""Grey, grey with opacity, RGB, RGBA: by the number of channels."""
PALETTE = 3
UP = 2
"""The filter that stores each row as the difference to the row above."""
PIECE = 1 << 20


class PngWriter:
    """Writes rows of 8-bit channels, the top one first."""

    def __init__(
        self, file: BinaryIO, width: int, height: int, channels: int, palette: np.ndarray | None, level: int
    ) -> None:
        self.crc = 0
        """Checksum of all rows with their filter bytes: what the file must unpack to."""
        self._file = file
        self._filter = 0 if palette is not None else UP
        self._above = np.zeros((width, channels), dtype="uint8")
        self._deflate = zlib.compressobj(level)
        colour = PALETTE if palette is not None else COLOUR_TYPES[channels]
        file.write(SIGNATURE)
        self._chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0))
        if palette is not None:
            self._chunk(b"PLTE", np.ascontiguousarray(palette[:, :3]).tobytes())
            self._chunk(b"tRNS", np.ascontiguousarray(palette[:, 3]).tobytes())

    def rows(self, strip: np.ndarray) -> None:
        """Append rows, (rows, columns, channels)."""
        filtered = strip
        if self._filter == UP:
            above = np.concatenate([self._above[np.newaxis], strip[:-1]])
            filtered = strip - above
            self._above = strip[-1].copy()
        lines = filtered.reshape(len(strip), -1)
        marked = np.concatenate([np.full((len(lines), 1), self._filter, "uint8"), lines], axis=1).tobytes()
        self.crc = zlib.crc32(marked, self.crc)
        self._data(self._deflate.compress(marked))

    def end(self) -> None:
        """Finish the file."""
        self._data(self._deflate.flush())
        self._chunk(b"IEND", b"")

    def _data(self, packed: bytes) -> None:
        if packed:
            self._chunk(b"IDAT", packed)

    def _chunk(self, kind: bytes, body: bytes) -> None:
        head = struct.pack(">I", len(body))
        self._file.write(b"".join((head, kind, body, struct.pack(">I", zlib.crc32(kind + body)))))


def check_png(path: Path, crc: int) -> None:
    """Read a file back: whole chunks, right checksums, and rows with the checksum `crc`."""
    inflate = zlib.decompressobj()
    found = 0
    try:
        with path.open("rb") as file:
            for body in _image_data(file):
                rest = body
                while rest:
                    found = zlib.crc32(inflate.decompress(rest, PIECE), found)
                    rest = inflate.unconsumed_tail
    except (ValueError, struct.error, zlib.error) as fault:
        raise not_as_written(path, f"it is damaged ({fault})") from fault
    if not inflate.eof or found != crc:
        raise not_as_written(path, "its rows differ")


def _image_data(file: BinaryIO) -> Iterator[bytes]:
    """The bodies of the IDAT chunks of a whole file."""
    if file.read(len(SIGNATURE)) != SIGNATURE:
        raise ValueError("no PNG signature")
    kind = b""
    while kind != b"IEND":
        length, kind = struct.unpack(">I4s", file.read(8))
        body = file.read(length)
        if struct.unpack(">I", file.read(4))[0] != zlib.crc32(kind + body):
            raise ValueError(f"checksum of a {kind.decode('latin-1')} chunk")
        if kind == b"IDAT":
            yield body
