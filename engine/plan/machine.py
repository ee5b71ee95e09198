"""What the machine has."""

from __future__ import annotations

import os
from pathlib import Path

LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""Where Linux says how much memory a container may take: its second and its first kind of groups."""


def memory() -> int:
    """Bytes of memory, or as many as this process may take where it is given less."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for name in LIMITS:
        try:
            told = Path(name).read_text().strip()
        except OSError:
            continue
        found += [int(told)] if told.isdigit() else []
    return min(found)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
