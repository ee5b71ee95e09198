"""Times as file names and as text: one name per date, RFC 3339 where the calendar allows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

LONGEST = 80
"""Characters that a label may take of a file name."""


def file_labels(labels: np.ndarray) -> list[str]:
    """What tells the files of several dates apart: the day, with the time of day where that is not enough."""
    if labels.dtype.kind != "M" and not all(hasattr(label, "strftime") for label in labels):
        return _distinct([_slug(str(label)) for label in labels])
    finer: tuple[Callable[[str], str], ...] = (
        lambda iso: iso[:10],
        lambda iso: f"{iso[:10]}T{iso[11:19].replace(':', '')}",
        lambda iso: f"{iso[:10]}T{iso[11:].replace(':', '').replace('.', '-')}",
    )
    texts = [_iso(label) for label in labels]
    names = [finer[0](iso) for iso in texts]
    for form in finer[1:]:
        shared = {name for name, times in Counter(names).items() if times > 1}
        names = [form(iso) if name in shared else name for name, iso in zip(names, texts, strict=True)]
    return _distinct([_slug(name) for name in names])


def rfc3339(label: Any) -> str | None:
    """A time label as `2022-06-01T10:15:30Z`; None where it is no moment of the Gregorian calendar.

    Text is read as far as it goes: `2022-06` is the first moment of that month.
    """
    if isinstance(label, np.datetime64):
        return None if np.isnat(label) else f"{_trimmed(_iso(label))}Z"
    if isinstance(label, str):
        if not re.fullmatch(r"\d{4}(-\d\d(-\d\d([T ]\d\d(:\d\d(:\d\d(\.\d+)?)?)?Z?)?)?)?", label):
            return None
        try:
            moment = np.datetime64(label.rstrip("Z").replace(" ", "T"), "ns")
        except ValueError:
            return None
        return f"{_trimmed(_iso(moment))}Z"
    if isinstance(label, datetime) and label.tzinfo is not None:
        label = label.astimezone(UTC).replace(tzinfo=None)
    if hasattr(label, "isoformat"):
        text = str(label.isoformat())
        try:
            datetime.fromisoformat(text)
        except ValueError:
            return None
        return f"{_trimmed(text)}Z"
    return None


def _iso(label: Any) -> str:
    """Year to second, with as many decimals as there are."""
    if isinstance(label, np.datetime64):
        return str(np.datetime_as_string(label, unit="ns" if label.dtype.str.endswith("[ns]") else "us"))
    return str(label.isoformat())


def _trimmed(iso: str) -> str:
    """Without zeros at the end of the decimals."""
    return iso.rstrip("0").rstrip(".") if "." in iso else iso


def _slug(text: str) -> str:
    """Only what is harmless in a file name."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip(".-")[:LONGEST] or "x"


def _distinct(names: Sequence[str]) -> list[str]:
    """The same names, with -2, -3... behind those that came before (file systems may ignore case)."""
    taken: set[str] = set()
    out = []
    for name in names:
        number, fresh = 1, name
        while fresh.casefold() in taken:
            number += 1
            fresh = f"{name}-{number}"
        taken.add(fresh.casefold())
        out.append(fresh)
    return out
