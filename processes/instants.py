"""Dates and times as texts of RFC 3339: read to the nanosecond, shifted by the calendar, written as they came."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from processes.errors import ProcessParameterInvalid

PATTERN: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?([Zz]|[+-][0-9]{2}:[0-9]{2})?)?"
)
TIME: Final = re.compile(r"([0-9]{2}):([0-9]{2}):([0-9]{2})[Zz]?")
EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 (clocks on the wall; the zone is kept beside them)
SECOND: Final = 10**9
"""Nanoseconds."""
STEPS: Mapping[str, int] = {
    "millisecond": 10**6,
    "second": SECOND,
    "minute": 60 * SECOND,
    "hour": 3600 * SECOND,
    "day": 86400 * SECOND,
    "week": 7 * 86400 * SECOND,
}
"""Units that have one length, in nanoseconds."""
MONTHS: Mapping[str, int] = {"month": 1, "year": 12}
"""Units that the calendar gives a length to, in months."""
UNITS = (*STEPS, *MONTHS)


@dataclass(frozen=True, slots=True)
class Moment:
    """A date, perhaps with a time."""

    wall: datetime
    """What calendar and clock show, to the second."""
    nanos: int = 0
    """Nanoseconds of the second."""
    digits: int = 0
    """How many decimals of the second are written."""
    zone: str | None = None
    """The time zone as it is written; `None` where there is no time."""

    @property
    def instant(self) -> int:
        """Nanoseconds since 1970 in UTC."""
        clock = self.wall - EPOCH
        seconds = clock.days * 86400 + clock.seconds - offset(self.zone)
        return seconds * SECOND + self.nanos

    def shifted(self, value: int, unit: str) -> Moment:
        """This moment so many units later, on the same clock."""
        if unit in MONTHS:
            return replace(self, wall=_months_later(self.wall, value * MONTHS[unit]))
        seconds, nanos = divmod(self.nanos + value * STEPS[unit], SECOND)
        return replace(self, wall=self.wall + timedelta(seconds=seconds), nanos=nanos)

    def __str__(self) -> str:
        if self.zone is None:
            return self.wall.date().isoformat()
        digits = min(self.digits, 9)
        if self.nanos % 10 ** (9 - digits):
            digits = 3  # milliseconds were added to a time with fewer decimals
        fraction = "." + f"{self.nanos:09d}"[:digits] if digits else ""
        return f"{self.wall.isoformat()}{fraction}{self.zone}"


def _months_later(wall: datetime, months: int) -> datetime:
    """The same day and time of another month, or that month's last day."""
    years, month = divmod(wall.year * 12 + wall.month - 1 + months, 12)
    if not 1 <= years <= 9999:
        raise OverflowError(f"year {years}")
    return wall.replace(year=years, month=month + 1, day=min(wall.day, monthrange(years, month + 1)[1]))


def offset(zone: str | None) -> int:
    """Seconds by which the clocks of a time zone are ahead of UTC."""
    if zone is None or zone in ("Z", "z", ""):
        return 0
    seconds = int(zone[1:3]) * 3600 + int(zone[4:6]) * 60
    return -seconds if zone[0] == "-" else seconds


def read_moment(text: str) -> Moment | None:
    """The date or date-time that a text stands for; `None` where it is none.

    A leap second is read as the second before it, so that it is never written.
    """
    found = PATTERN.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(g or 0) for g in found.groups()[:6])
    decimals = found[7] or ""
    try:
        wall = datetime(year, month, day, hour, minute, 59 if second == 60 else second)  # noqa: DTZ001
    except ValueError:
        return None
    if found[8] and len(found[8]) > 1 and (int(found[8][1:3]) > 23 or int(found[8][4:6]) > 59):
        return None
    return Moment(
        wall,
        int(decimals[:9].ljust(9, "0")),
        len(decimals),
        None if found[4] is None else found[8] or "",
    )


def moment(text: str, parameter: str | None = None) -> Moment:
    """The date or date-time that a text stands for.

    Raises:
        ProcessParameterInvalid: It stands for none.
    """
    read = read_moment(text)
    if read is None:
        raise ProcessParameterInvalid(
            f"{text!r} is neither a date nor a date with time and zone",
            hint="Write 2020-01-31 or 2020-01-31T12:00:00Z (RFC 3339).",
            parameter=parameter,
        )
    return read


def time_of_day(text: str) -> int | None:
    """Seconds since midnight of a text like 12:30:00; `None` where it is none."""
    found = TIME.fullmatch(text)
    if found is None:
        return None
    hour, minute, second = (int(g) for g in found.groups())
    return hour * 3600 + minute * 60 + second if hour < 24 and minute < 60 and second < 61 else None
