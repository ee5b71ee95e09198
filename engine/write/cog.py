"""Lays a Cloud Optimized GeoTIFF out: all heads first, then the tiles, those of the smallest copy first."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from engine.write.packing import checksum
from engine.write.tiff import HEIGHT, SUBFILE, TILE_OFFSETS, TILE_SIZES, WIDTH, Form, Head, longs

PROMISES = (
    b"LAYOUT=IFDS_BEFORE_DATA\nBLOCK_ORDER=ROW_MAJOR\nBLOCK_LEADER=SIZE_AS_UINT4\n"
    b"BLOCK_TRAILER=LAST_4_BYTES_REPEATED\nKNOWN_INCOMPATIBLE_EDITION=NO\n "
)
"""What GDAL looks for behind the first bytes: a reader may then take a tile and its size in one request."""

GHOST = f"GDAL_STRUCTURAL_METADATA_SIZE={len(PROMISES):06d} bytes\n".encode() + PROMISES
GHOST += b"\0" * (-len(GHOST) % 8)

FRAME = 8
"""Bytes around each tile: its size before it, its last four bytes once more behind it."""

CLASSIC = 2**32 - 1
"""Where files end that are no BigTIFF."""

OF_COPIES = frozenset((256, 257, 258, 259, 262, 277, 284, 317, 322, 323, 338, 339, 42113))
"""Tags that reduced copies have too: sizes, types, compression, no-data; not where they lie, nor what they are."""

Place = tuple[int, int, int]
"""Band, row and column of a tile, from 0."""


@dataclass
class Level:
    """The tiles of one resolution, packed, in a file that they were appended to in any order."""

    width: int
    """Columns."""
    height: int
    """Rows."""
    source: Path
    """The file."""
    shape: tuple[int, int, int]
    """Bands, and rows and columns of tiles."""
    starts: np.ndarray = field(init=False)
    """Where a tile lies in the file."""
    sizes: np.ndarray = field(init=False)
    """Its bytes; 0 for a tile without values, which is not stored."""
    sums: np.ndarray = field(init=False)
    """The checksum of what it was before compression."""

    def __post_init__(self) -> None:
        self.starts, self.sizes, self.sums = (np.zeros(self.shape, "int64") for _ in range(3))

    def append(self, place: Place, plain: np.ndarray, packed: bytes) -> None:
        """Keep a tile."""
        with self.source.open("ab") as file:
            self.starts[place] = file.tell()
            file.write(packed)
        self.sizes[place], self.sums[place] = len(packed), checksum(plain)

    def stored(self) -> Iterator[Place]:
        """The tiles that are not empty, in the order of the finished file."""
        return ((band, row, column) for band, row, column in np.argwhere(self.sizes).tolist())


def lay_out(place: Path, template: Head, levels: Sequence[Level]) -> None:
    """Write the finished file; `template` is the head of the full resolution, but for where its tiles are."""
    reduced = template.only(OF_COPIES).put(longs(SUBFILE, 1, Form(big=False)))
    heads = [template, *(reduced for _ in levels[1:])]
    form = Form(_length(heads, levels, Form(big=False)) > CLASSIC)
    offsets, at = [], _first(form) + _heads_size(heads, levels, form)
    for level in reversed(levels):
        framed = np.where(level.sizes > 0, level.sizes + FRAME, 0)
        before = np.cumsum(framed).reshape(level.shape) - framed
        offsets.append(np.where(level.sizes > 0, at + before + 4, 0))
        at += int(framed.sum())
    offsets.reverse()
    with place.open("wb") as file:
        _write_heads(file, [_head(*three, form) for three in zip(heads, levels, offsets, strict=True)], form)
        for level in reversed(levels):
            _copy_tiles(level, file)


def _first(form: Form) -> int:
    """Where the first head lies."""
    return (16 if form.big else 8) + len(GHOST)


def _length(heads: Sequence[Head], levels: Sequence[Level], form: Form) -> int:
    tiles = sum(int(level.sizes.sum()) + FRAME * np.count_nonzero(level.sizes) for level in levels)
    return int(_first(form) + _heads_size(heads, levels, form) + tiles)


def _heads_size(heads: Sequence[Head], levels: Sequence[Level], form: Form) -> int:
    return sum(_head(*pair, None, form).size(form) for pair in zip(heads, levels, strict=True))


def _head(template: Head, level: Level, offsets: np.ndarray | None, form: Form) -> Head:
    """The head of a level; where its tiles are may be filled in later."""
    places = np.zeros(level.sizes.size) if offsets is None else offsets.ravel()
    return template.put(
        longs(WIDTH, level.width, Form(big=False)),
        longs(HEIGHT, level.height, Form(big=False)),
        longs(TILE_OFFSETS, places, form),
        longs(TILE_SIZES, level.sizes.ravel(), Form(big=False)),
    )


def _write_heads(file: BinaryIO, heads: Sequence[Head], form: Form) -> None:
    start = _first(form)
    file.write(
        b"II+\0" + struct.pack("<HHQ", 8, 0, start) if form.big else b"II*\0" + struct.pack("<I", start)
    )
    file.write(GHOST)
    for number, head in enumerate(heads, start=1):
        end = start + head.size(form)
        file.write(head.packed(form, start, end if number < len(heads) else 0))
        start = end


def _copy_tiles(level: Level, file: BinaryIO) -> None:
    """The tiles in their order, each in its frame, by way of the same memory."""
    if not level.sizes.any():
        return
    room = memoryview(bytearray(FRAME + int(level.sizes.max())))
    with level.source.open("rb") as source:
        for place in level.stored():
            end = 4 + int(level.sizes[place])
            source.seek(level.starts[place])
            source.readinto(room[4:end])
            room[:4] = struct.pack("<I", end - 4)
            room[end : end + 4] = bytes(room[max(4, end - 4) : end]).rjust(4, b"\0")
            file.write(room[: end + 4])
