"""Lists of `axis(value)`: the one form that all parameters about axes have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.coverages.moments import MOMENT

MOST = 64
"""Terms in one request."""
TERM = re.compile(r"\s*([^()\"]+?)\s*\((.*)\)\s*", re.DOTALL)
UNQUOTED = re.compile(rf"({MOMENT.pattern}|\*|):({MOMENT.pattern}|\*|)")
"""An interval of times without quotes: the colon between two moments, and not those within them."""


@dataclass(frozen=True, slots=True)
class Term:
    """What is wanted along one axis."""

    axis: str
    """Its name, as it came."""
    low: str
    """The lower end, or the one value; `*` is the end that there is."""
    high: str | None
    """The upper end; none where it is one value."""


def read_terms(texts: Sequence[str]) -> tuple[Term, ...]:
    """The terms of a parameter that may be given more than once.

    Raises:
        ValueError: One of them has another form.
    """
    found = tuple(read_term(part) for text in texts for part in split(text, ","))
    if len(found) > MOST:
        raise ValueError(f"there are {len(found)} terms, more than {MOST}")
    return found


def read_term(text: str) -> Term:
    """One term."""
    match = TERM.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:60]!r} is not of the form axis(value) or axis(low:high)")
    axis, inside = match[1], match[2].strip()
    if MOMENT.fullmatch(inside):
        return Term(axis, inside, None)
    if ends := UNQUOTED.fullmatch(inside):
        return Term(axis, ends[1] or "*", ends[2] or "*")
    parts = [bare(part) for part in split(inside, ":")]
    if len(parts) > 2 or not parts[0] or not parts[-1]:
        raise ValueError(f"{inside[:60]!r} is neither one value nor low:high; texts stand in quotes")
    return Term(axis, parts[0], parts[1] if len(parts) == 2 else None)


def bare(text: str) -> str:
    """A value without its quotes."""
    text = text.strip()
    quoted = len(text) >= 2 and text[0] == text[-1] == '"'
    return text[1:-1] if quoted else text


def split(text: str, mark: str) -> Iterator[str]:
    """The parts between marks that stand outside of parentheses and quotes."""
    depth, quoted, start = 0, False, 0
    for place, sign in enumerate(text):
        if sign == '"':
            quoted = not quoted
        elif not quoted:
            depth += (sign == "(") - (sign == ")")
            if sign == mark and depth == 0:
                yield text[start:place]
                start = place + 1
    if quoted or depth:
        raise ValueError(f"{text[:60]!r} has a quote or a parenthesis without its partner")
    yield text[start:]
