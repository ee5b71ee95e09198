"""Messages between the engine and a sandbox: a JSON head, then raw arrays; nothing that is executed on reading."""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

PREFIX = struct.Struct("<I")
"""Length of the head in bytes."""
HEAD_LIMIT = 8 * 2**20
"""Longest head that is read."""
DTYPE = re.compile(r"\|b1|[|<][iu]1|<[iu][248]|<f[248]|<M8\[ns\]")
"""Types of arrays that may travel."""


class BadFrame(Exception):  # noqa: N818 (the noun of the protocol)
    """A message that does not read as one."""


@dataclass(frozen=True, slots=True)
class Slot:
    """An array that is announced in a head."""

    dtype: np.dtype[Any]
    """Type of its elements."""
    shape: tuple[int, ...]
    """Its shape."""

    @property
    def nbytes(self) -> int:
        """How many bytes follow."""
        return self.dtype.itemsize * math.prod(self.shape)


def pack(head: dict[str, Any], arrays: Sequence[np.ndarray] = ()) -> list[memoryview]:
    """The bytes of a message, in pieces."""
    sent = [np.ascontiguousarray(a, dtype=a.dtype.newbyteorder("<")).reshape(a.shape) for a in arrays]
    announced = [[a.dtype.str, list(a.shape)] for a in sent]
    text = json.dumps({**head, "arrays": announced}).encode()
    if len(text) > HEAD_LIMIT:
        raise BadFrame(f"the labels and metadata take {len(text)} bytes, at most {HEAD_LIMIT} are sent")
    raw = [a.reshape(-1).view(np.uint8).data for a in sent if a.size]
    return [memoryview(PREFIX.pack(len(text))), memoryview(text), *raw]


def head_length(raw: bytes | bytearray) -> int:
    """The length of the head that follows."""
    length: int = PREFIX.unpack(raw)[0]
    if length > HEAD_LIMIT:
        raise BadFrame(f"a head of {length} bytes is announced, at most {HEAD_LIMIT} are read")
    return length


def unpack_head(raw: bytes | bytearray) -> tuple[dict[str, Any], tuple[Slot, ...]]:
    """The head, and the arrays that follow it."""
    try:
        head = json.loads(bytes(raw))
        slots = tuple(_slot(*announced) for announced in head.pop("arrays"))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BadFrame(f"the head does not read: {type(error).__name__}") from None
    return head, slots


def _slot(dtype: Any, shape: Any) -> Slot:
    if not isinstance(dtype, str) or not DTYPE.fullmatch(dtype):
        raise BadFrame("an array of another type than numbers, booleans and times is announced")
    if len(shape) > 32 or not all(type(n) is int and 0 <= n < 2**40 for n in shape):
        raise BadFrame("an array of an impossible shape is announced")
    return Slot(np.dtype(dtype), tuple(shape))


def take(slot: Slot, raw: bytearray | bytes) -> np.ndarray:
    """An array from its bytes."""
    if slot.dtype.kind == "b":  # a byte of any other value is no boolean
        return (np.frombuffer(raw, np.uint8) != 0).reshape(slot.shape)
    return np.frombuffer(raw, slot.dtype).reshape(slot.shape)
