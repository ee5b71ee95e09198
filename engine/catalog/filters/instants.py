"""Texts of dates and timestamps as microseconds since 1970."""

from __future__ import annotations

import re
from datetime import date

DAY = 86_400_000_000
"""Microseconds of a day."""

_DATE = r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
_FORM = re.compile(
    _DATE + r"(?:[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?([Zz]|[+-][0-9]{2}:[0-9]{2})?)?",
    re.ASCII,
)


def span_of_text(text: str, *, local: bool = False) -> tuple[int, int] | None:
    """First and last microsecond since 1970 of an RFC 3339 timestamp or date, or None where it is none.

    A date lasts its day in UTC. Digits beyond microseconds are cut off; there are no leap seconds. A timestamp
    without an offset is one only where `local` says so; it then is in UTC.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    try:
        days = date(int(year), int(month), int(day)).toordinal() - 719_163
    except ValueError:
        return None
    if hour is None:
        return days * DAY, days * DAY + DAY - 1
    if int(hour) > 23 or int(minute) > 59 or int(second) > 59 or (offset is None and not local):
        return None
    shift = _shift(offset or "Z")
    if shift is None:
        return None
    seconds = int(hour) * 3600 + int(minute) * 60 + int(second) - shift
    at = days * DAY + seconds * 1_000_000 + int(((fraction or "") + "000000")[:6])
    return at, at


def _shift(offset: str) -> int | None:
    """Seconds that a clock of this offset is ahead of UTC."""
    if offset in "Zz":
        return 0
    hours, minutes = int(offset[1:3]), int(offset[4:6])
    if hours > 23 or minutes > 59:
        return None
    return (hours * 3600 + minutes * 60) * (-1 if offset[0] == "-" else 1)
