"""A PNG encoder that takes an image strip by strip, and the check of a finished file: memory of one strip.

The format is W3C's PNG, third edition. GDAL's writer swallows a full disk, and Pillow wants the whole image.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from engine.write.pour import not_as_written

_isal: Any = import_module("isal.isal_zlib") if find_spec("isal") else None
"""Three times as fast as the fastest that zlib has, for as many bytes; the pixels are the same with either."""

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
"""Grey, grey with opacity, RGB, RGBA: by the number of channels."""
PALETTE = 3
UP = 2
"""The filter that stores each row as the difference to the row above; ramps have an order, so for palettes too."""

FASTEST = 1
"""The effort for what is looked at once. Differences of rows are noise and runs, in which there is little to find
for a search of repetitions: to look for runs only takes half the time of zlib's level 3, for about as many
bytes."""
PIECE = 1 << 20


class PngWriter:
    """Writes rows of 8-bit channels, the top one first."""

    def __init__(
        self, file: BinaryIO, width: int, height: int, channels: int, palette: np.ndarray | None, level: int
    ) -> None:
        self.crc = 0
        """Checksum of all rows with their filter bytes: what the file must unpack to."""
        self._file = file
        self._above = np.zeros(width * channels, dtype="uint8")
        self._deflate = _deflater(level)
        colour = PALETTE if palette is not None else COLOUR_TYPES[channels]
        file.write(SIGNATURE)
        self._chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0))
        if palette is not None:
            self._chunk(b"PLTE", np.ascontiguousarray(palette[:, :3]).tobytes())
            self._chunk(b"tRNS", np.ascontiguousarray(palette[:, 3]).tobytes())

    def rows(self, strip: np.ndarray) -> None:
        """Append rows, (rows, columns, channels)."""
        lines = strip.reshape(len(strip), -1)
        marked = np.empty((len(lines), lines.shape[1] + 1), "uint8")
        marked[:, 0] = UP
        np.subtract(lines[0], self._above, out=marked[0, 1:])
        np.subtract(lines[1:], lines[:-1], out=marked[1:, 1:])
        self._above = lines[-1].copy()
        self.crc = zlib.crc32(marked.data, self.crc)
        self._data(self._deflate.compress(marked.data))

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


def _deflater(level: int) -> Any:
    """What compresses, with `compress` and `flush`."""
    if level > FASTEST:
        return zlib.compressobj(level)
    if _isal is not None:
        return _isal.compressobj(1)
    return zlib.compressobj(1, strategy=zlib.Z_RLE)


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
