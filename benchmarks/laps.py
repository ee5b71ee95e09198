"""Runs that are many small things, one after the other: how long each took."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.child import Work


@dataclass(frozen=True)
class Lapped:
    """What came of such a run."""

    results: list[Any]
    """What each thing gave."""
    laps: list[float]
    """Seconds that each took."""


def lapped(act: Callable[[Any], Any], each: Iterable[Any]) -> Lapped:
    """Do it with each, and look at the clock in between."""
    results, laps = [], []
    for one in each:
        start = time.perf_counter()
        results.append(act(one))
        laps.append(time.perf_counter() - start)
    return Lapped(results, laps)


def in_laps(
    act: Callable[[Any], Any],
    before: Callable[[int], Iterable[Any]],
    names: Callable[[Any], Iterable[str]] = lambda ids: ids,
) -> Work:
    """The work that does it with each of what `before` gives; `names` are the ids in a result."""

    def answer(run: Lapped) -> Mapping[str, float]:
        found = [list(names(result)) for result in run.results]
        return {"ids": sum(map(len, found)), "order": zlib.crc32(repr(found).encode())}

    return Work(lambda each: lapped(act, each), answer, before, lambda run: run.laps)
