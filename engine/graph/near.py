"""What somebody who misspelt a name may have meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest_of(name: str, known: Iterable[str]) -> str | None:
    """`Did you mean ...?`, or nothing where no name is close."""
    names = {k.lower(): k for k in map(str, known)}
    found = [names[n] for n in get_close_matches(str(name).lower(), list(names), n=3, cutoff=0.6)]
    return f"Did you mean {' or '.join(map(repr, found))}?" if found else None
