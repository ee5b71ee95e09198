"""Times, as JSON has them."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def moment(seconds: float) -> str:
    """A time as RFC 3339 has it; it is given in seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now() -> str:
    """The present, as RFC 3339 has it."""
    return moment(time.time())
