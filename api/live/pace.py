"""The pace of publishers: many messages at once, and so many a second in the long run."""

from __future__ import annotations

import time
from collections.abc import Callable


class Pace:
    """A bucket that fills evenly; a message takes one of it, on credit where it is empty."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`rate` comes in each second, and there are never more than `burst`."""
        self._rate, self._burst, self._clock = rate, burst, clock
        self._left, self._seen = float(burst), clock()

    def pause(self) -> float:
        """Seconds to wait after a message, so that the long run is kept."""
        now = self._clock()
        self._left = min(self._burst, self._left + self._rate * (now - self._seen)) - 1
        self._seen = now
        return max(0.0, -self._left / self._rate)
