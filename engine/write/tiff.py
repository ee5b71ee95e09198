"""Heads of TIFF files as values: read from a file, and laid out for another one (TIFF 6.0 and BigTIFF)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

SUBFILE, WIDTH, HEIGHT = 254, 256, 257
STRIP_OFFSETS, STRIP_SIZES = 273, 279
TILE_OFFSETS, TILE_SIZES = 324, 325

LONG, LONG8 = 4, 16
WIDTHS = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
"""Bytes of a value, by the number of its type."""


@dataclass(frozen=True)
class Form:
    """How wide things are in a head."""

    big: bool
    """Whether it is BigTIFF, which reaches beyond 4 GiB."""

    @property
    def count(self) -> str:
        """`struct` code of the number of entries."""
        return "<Q" if self.big else "<H"

    @property
    def entry(self) -> str:
        """`struct` code of an entry: tag, type, number of values, the values or where they lie."""
        return "<HHQ8s" if self.big else "<HHI4s"

    @property
    def place(self) -> str:
        """`struct` code of a position in the file."""
        return "<Q" if self.big else "<I"

    @property
    def room(self) -> int:
        """Bytes that values have inside an entry."""
        return 8 if self.big else 4


@dataclass(frozen=True)
class Entry:
    """One tag with its values."""

    tag: int
    """Its number."""
    kind: int
    """Number of the type of the values."""
    value: bytes
    """The values, little end first."""

    @property
    def count(self) -> int:
        """How many values."""
        return len(self.value) // WIDTHS[self.kind]


@dataclass(frozen=True)
class Head:
    """What a TIFF says of one of its images."""

    entries: tuple[Entry, ...]
    """By number."""

    def numbers(self, tag: int) -> np.ndarray:
        """The whole numbers under a tag."""
        for entry in self.entries:
            if entry.tag == tag:
                return np.frombuffer(entry.value, f"<u{WIDTHS[entry.kind]}").astype("int64")
        raise ValueError(f"no tag {tag}")

    def number(self, tag: int) -> int:
        """The only number under a tag."""
        return int(self.numbers(tag)[0])

    def put(self, *entries: Entry) -> Head:
        """With other values for some tags."""
        merged = {entry.tag: entry for entry in (*self.entries, *entries)}
        return Head(tuple(merged[tag] for tag in sorted(merged)))

    def only(self, tags: frozenset[int]) -> Head:
        """With some of the tags."""
        return Head(tuple(entry for entry in self.entries if entry.tag in tags))

    def size(self, form: Form) -> int:
        """Bytes that it takes with all values."""
        inside = struct.calcsize(form.count) + struct.calcsize(form.place)
        inside += len(self.entries) * struct.calcsize(form.entry)
        outside = sum(_even(len(e.value)) for e in self.entries if len(e.value) > form.room)
        return _even(inside) + outside

    def packed(self, form: Form, start: int, following: int) -> bytes:
        """As it lies at `start`, its values behind it; `following` is where the next head lies, or 0."""
        fixed = struct.pack(form.count, len(self.entries))
        length = len(fixed) + len(self.entries) * struct.calcsize(form.entry) + struct.calcsize(form.place)
        free, outside = start + _even(length), b""
        for entry in self.entries:
            if len(entry.value) <= form.room:
                value = entry.value
            else:
                value = struct.pack(form.place, free + len(outside))
                outside += entry.value.ljust(_even(len(entry.value)), b"\0")
            fixed += struct.pack(form.entry, entry.tag, entry.kind, entry.count, value)
        fixed += struct.pack(form.place, following)
        return fixed.ljust(_even(length), b"\0") + outside


def longs(tag: int, numbers: np.ndarray | int, form: Form) -> Entry:
    """An entry of whole numbers, as wide as positions are."""
    kind = LONG8 if form.big else LONG
    return Entry(tag, kind, np.atleast_1d(numbers).astype(f"<u{WIDTHS[kind]}").tobytes())


def read_heads(file: BinaryIO) -> list[Head]:
    """The heads of a little-endian file in their order; ValueError where it is none."""
    file.seek(0)
    start = file.read(16)
    if start[:4] not in (b"II*\0", b"II+\0") or len(start) < 8:
        raise ValueError("no little-endian TIFF")
    form = Form(start[2:3] == b"+")
    (place,) = struct.unpack_from(form.place, start, 8 if form.big else 4)
    heads: list[Head] = []
    seen: set[int] = set()
    while place:
        if place in seen:
            raise ValueError("its heads go in a circle")
        seen.add(place)
        file.seek(place)
        (count,) = _read(file, form.count)
        rows = [_read(file, form.entry) for _ in range(count)]
        (place,) = _read(file, form.place)
        heads.append(Head(tuple(_entry(file, form, *row) for row in rows)))
    return heads


def _entry(file: BinaryIO, form: Form, tag: int, kind: int, count: int, value: bytes) -> Entry:
    if kind not in WIDTHS:
        raise ValueError(f"tag {tag} has values of type {kind}")
    length = count * WIDTHS[kind]
    if length > form.room:
        file.seek(struct.unpack(form.place, value)[0])
        value = file.read(length)
        if len(value) != length:
            raise ValueError(f"tag {tag} is cut off")
    return Entry(tag, kind, value[:length])


def _read(file: BinaryIO, code: str) -> tuple[Any, ...]:
    data = file.read(struct.calcsize(code))
    if len(data) != struct.calcsize(code):
        raise ValueError("it is cut off")
    return struct.unpack(code, data)


def _even(size: int) -> int:
    """Rounded up to eight, where every type may begin."""
    return -(-size // 8) * 8
