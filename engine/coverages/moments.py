"""Moments and intervals of time as requests write them, both ends included."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

DATE = r"\d{4}-\d\d-\d\d"
TIME = r"[Tt ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:[Zz]|[+\- ]\d\d:?\d\d)?"
MOMENT = re.compile(rf"{DATE}(?:{TIME})?")
OPEN = ("", "..", "*")
"""What stands for an end that is open."""
EXAMPLE = "Write 2022-06-01T10:00:00Z or 2022-06-01, an interval as FIRST/LAST, and .. for an open end."


@dataclass(frozen=True, slots=True)
class Span:
    """From one moment to another, in UTC, both included; an end may be open."""

    first: datetime | None
    last: datetime | None
    is_moment: bool = False
    """Was one moment, or one day, asked for, and not an interval?"""


def read_moment(text: str) -> Span:
    """A moment; of a date all of the day (RFC 3339; a time without an offset is in UTC).

    Raises:
        ValueError: It is none.
    """
    text = text.strip()
    if not MOMENT.fullmatch(text):
        raise ValueError(f"{text[:60]!r} is no date or time of RFC 3339")
    plain = re.sub(
        r" (?=\d\d:?\d\d$)", "+", text[11:].upper().replace(",", ".")
    )  # `+` in an address is a space
    try:
        found = datetime.fromisoformat(f"{text[:10]}T{plain}" if plain else text[:10])
        moment = found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
    except (ValueError, OverflowError):
        raise ValueError(f"there is no moment {text[:60]!r}") from None
    if plain:
        return Span(moment, moment, is_moment=True)
    return Span(moment, moment + timedelta(days=1) - timedelta(microseconds=1), is_moment=True)


def is_moment(text: str) -> bool:
    """Is it a date or a time of RFC 3339? Those of other calendars may be none."""
    try:
        read_moment(text)
    except ValueError:
        return False
    return True


def read_ends(low: str, high: str) -> Span:
    """An interval by its ends.

    Raises:
        ValueError: An end is no moment, or the first comes after the last.
    """
    first = None if low.strip() in OPEN else read_moment(low).first
    last = None if high.strip() in OPEN else read_moment(high).last
    if first is not None and last is not None and first > last:
        raise ValueError(f"the interval begins after its end: {low.strip()[:40]}, {high.strip()[:40]}")
    return Span(first, last)


def read_datetime(text: str) -> Span:
    """A moment or an interval, as the parameter `datetime` has it.

    Raises:
        ValueError: It is none of these.
    """
    low, slash, high = text.partition("/")
    if not slash:
        if text.strip() in OPEN:
            raise ValueError("it is empty")
        return read_moment(text)
    return read_ends(low, high)
