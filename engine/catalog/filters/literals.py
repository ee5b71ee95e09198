"""The literals of filters, checked, and the places at which a filter is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any

from engine.catalog.filters.caps import refused
from engine.catalog.filters.instants import span_of_text
from engine.catalog.filters.model import Moment, Number, Text
from engine.errors import Problem


@dataclass(frozen=True)
class Node:
    """A part of a filter as it was sent, and where it stands."""

    value: Any
    place: str = ""
    """JSON pointer to it; empty for the whole."""

    def part(self, *steps: Any) -> Node:
        """The part that these steps lead to; the last of them is the part itself."""
        *names, value = steps
        return Node(value, "/".join([self.place, *map(str, names)]))

    def wrong(self, message: str, hint: str = "See OGC 21-065 for the language.") -> Problem:
        """The problem with this part."""
        return refused(f"In the filter{f' at {self.place}' if self.place else ''}, {message}.", hint)


def described(value: Any) -> str:
    """A value for messages, cut short."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return f"the text {value[:40]!r}"
    if isinstance(value, bool | float | int):
        return str(value)[:40] if not isinstance(value, int) or abs(value) < 10**40 else "a huge number"
    return "a list" if isinstance(value, list | tuple) else "an object"


def read_number(value: float, node: Node) -> Number:
    """A number as a double.

    Raises:
        Problem: ParameterInvalid, where it is not finite.
    """
    try:
        double = float(value)
    except OverflowError:
        double = float("inf")
    if not isfinite(double):
        raise node.wrong("a number is not finite or too large for a double")
    return Number(double)


def read_text(value: str, node: Node) -> Text:
    """A text that both databases can hold.

    Raises:
        Problem: ParameterInvalid, where it has a NUL or half of a surrogate pair.
    """
    if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise node.wrong("a text has a NUL or a lone surrogate, which no item can have")
    return Text(value)


def as_moment(text: str, node: Node) -> Moment:
    """The time that a text gives; one without an offset is in UTC.

    Raises:
        Problem: ParameterInvalid, where it is no date and no timestamp.
    """
    span = span_of_text(text, local=True)
    if span is None:
        raise node.wrong(
            f"{text[:40]!r} is no date and no timestamp", "Write 2020-01-31 or 2020-01-31T12:00:00Z."
        )
    return Moment(*span)


def read_moment(node: Node) -> Moment:
    """The time of `{"date": ...}` or `{"timestamp": ...}`.

    Raises:
        Problem: ParameterInvalid, where it is none.
    """
    name = "date" if "date" in node.value else "timestamp"
    text = node.value[name]
    if not isinstance(text, str) or (len(text) == len("2020-01-31")) != (name == "date"):
        raise node.wrong(f"{described(text)} is no {name}", "Write 2020-01-31 or 2020-01-31T12:00:00Z.")
    return as_moment(text, node)
