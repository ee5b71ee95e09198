"""Compiles kernels: once for each text, for all processes of a machine.

A kernel lives in a file that is named after its text, so that numba keeps the machine code beside it. Workers get the
text and find or make the same file.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

Kernel = Callable[..., None]
LOG = logging.getLogger("geodatacube.kernel")
_lock = threading.Lock()
_loaded: dict[str, Kernel] = {}


def kernel(text: str) -> Kernel:
    """The compiled kernel of a text."""
    name = "gdc_kernel_" + hashlib.sha256(text.encode()).hexdigest()[:24]
    with _lock:
        if name not in _loaded:
            start = time.perf_counter()
            _loaded[name] = _load(name, text)
            LOG.debug("kernel %s is there after %.2f s", name, time.perf_counter() - start)
        return _loaded[name]


def _load(name: str, text: str) -> Kernel:
    path = folder() / f"{name}.py"
    if not path.exists():
        _publish(path, text)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # numba looks it up by its name
    spec.loader.exec_module(module)
    fn: Kernel = module.kernel
    return fn


def _publish(path: Path, text: str) -> None:
    """Write a file under its name at once, so that no other process sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, suffix=".draft")
    with os.fdopen(handle, "w") as file:
        file.write(text)
    Path(draft).replace(path)


def folder() -> Path:
    """Where kernels are kept: a folder of the user's cache, after the XDG base directory specification."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "geodatacube" / "kernels"


@lru_cache(maxsize=256)
def network(size: int) -> np.ndarray:
    """A sorting network: pairs (n, 2) of places that are put in order one after the other.

    Batcher's odd-even mergesort (K. E. Batcher, Sorting networks and their applications, 1968), for any size.
    """
    pairs = []
    step = 1
    while step < size:
        gap = step
        while gap >= 1:
            for start in range(gap % step, size - gap, 2 * gap):
                inside = range(start, min(start + gap, size - gap))
                pairs += [(i, i + gap) for i in inside if i // (2 * step) == (i + gap) // (2 * step)]
            gap //= 2
        step *= 2
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)
