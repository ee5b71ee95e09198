"""What the C library keeps of memory that was given back: little, where it can be told so."""

from __future__ import annotations

import ctypes
import os
from functools import cache

TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8
"""Numbers of parameters in glibc's `malloc.h`."""
FREED = 16 << 20
"""Bytes at the end of a heap that are given back as soon as they are free."""
APART = 8 << 20
"""Bytes from which on memory has pages of its own, which are given back at once; filling new ones takes time."""
TOLD = ("MALLOC_", "GLIBC_TUNABLES")
"""How environment variables begin that say how the heap is meant to be."""


@cache
def spare() -> bool:
    """Have this process keep less of what it lets go; gives whether it could be told.

    Left alone, glibc has eight heaps for each core, and keeps freed blocks of up to 32 MB in them, between others
    that are still needed: blocks of a cube that are done leave holes of a hundred megabytes and more. Now there is a heap
    for each core. Nothing changes where the environment says how it is to be, and under other C libraries.
    """
    if any(name.startswith(TOLD) for name in os.environ) or not _is_glibc():
        return False
    wanted = {ARENA_MAX: len(os.sched_getaffinity(0)), MMAP_THRESHOLD: APART, TRIM_THRESHOLD: FREED}
    tell = ctypes.CDLL(None).mallopt
    heard = [tell(parameter, value) for parameter, value in wanted.items()]
    return all(answer == 1 for answer in heard)


def _is_glibc() -> bool:
    try:
        return bool(os.confstr("CS_GNU_LIBC_VERSION"))
    except (AttributeError, ValueError):  # no such question on this system
        return False
