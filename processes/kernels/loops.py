"""Compiles loops when they are first needed, and shares their work among threads.

A loop is a plain function of arrays; numba is imported and the loop compiled only where there is enough to do. The
machine code is kept on disk, beside the source or in the user's cache. Loops hold no lock while they run. They are
compiled without liberties in the order of sums, so that NumPy gives the same numbers.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise
from types import FunctionType
from typing import Any

import numpy as np

Loop = Callable[..., None]
SHARED = 1 << 21
"""Cells from which on an array in memory is worth more than one thread."""
_lock = threading.Lock()
_ready: dict[tuple[Loop, str], Loop] = {}
_helpers: dict[Loop, tuple[Callable[..., Any], ...]] = {}
_done: dict[tuple[Loop, str], float] = {}


@lru_cache(maxsize=256)
def reads(dtype: Any, axes: int) -> str:
    """The type of an array that a loop reads."""
    return f"Array({np.dtype(dtype).name}, {axes}, 'C', readonly=True)"


@lru_cache(maxsize=256)
def writes(dtype: Any, axes: int) -> str:
    """The type of an array that a loop writes."""
    return f"Array({np.dtype(dtype).name}, {axes}, 'C')"


def made_of(*helpers: Callable[..., Any]) -> Callable[[Loop], Loop]:
    """Says which functions of its file a loop calls, those first that others call: they are compiled with it."""

    def mark(loop: Loop) -> Loop:
        _helpers[loop] = helpers
        return loop

    return mark


def worth(loop: Loop, types: tuple[str, ...], work: float) -> bool:
    """Is it worth to have a loop for these types, now that there is more work for it?

    What NumPy did before counts, so that many small pieces of work are as good a reason as a large one.

    Args:
        loop: The loop.
        types: Types of its arguments.
        work: What is to be done; 1 is what NumPy needs as long for as it takes to import numba and get the loop.
    """
    key = (loop, ", ".join(types))
    with _lock:
        _done[key] = _done.get(key, 0.0) + work
        return key in _ready or _done[key] >= 1


def compiled(loop: Loop, *types: str) -> Loop:
    """A loop for arguments of these types, as numba names them."""
    key = (loop, ", ".join(types))
    with _lock:
        if key not in _ready:
            _ready[key] = _compile(loop, f"void({key[1]})")
        return _ready[key]


def _compile(loop: Loop, signature: str) -> Loop:
    import numba

    options: Any = {"nogil": True, "error_model": "numpy"}
    code: Any = loop
    known = dict(code.__globals__)
    for helper in _helpers.get(loop, ()):  # those that others call come first
        known[helper.__name__] = numba.njit(**options)(with_globals(helper, known))
    whole = with_globals(loop, known)
    try:
        made: Loop = numba.njit(signature, cache=True, **options)(whole)
    except RuntimeError:  # there is no folder to keep machine code in
        made = numba.njit(signature, **options)(whole)
    return made


def with_globals(function: Callable[..., Any], known: dict[str, Any]) -> Callable[..., Any]:
    """The same function, to which names mean something else."""
    code: Any = function
    made = FunctionType(code.__code__, known, code.__name__)
    made.__module__ = code.__module__
    return made


def threads(cells: int) -> int:
    """How many threads an array of so many cells is worth, where no other thread works on other blocks."""
    return len(os.sched_getaffinity(0)) if cells >= SHARED else 1


def share(run: Callable[[int, int], None], count: int, workers: int) -> None:
    """Run a loop from 0 to `count`, in parts, one for each thread."""
    if workers < 2 or count < workers:
        run(0, count)
        return
    edges = np.linspace(0, count, workers + 1).astype(int).tolist()
    with ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(run, a, b) for a, b in pairwise(edges)]:
            done.result()
