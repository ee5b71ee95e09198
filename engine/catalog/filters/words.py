"""CQL2 text as words, each with its place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from engine.catalog.filters.caps import MAX_CHARACTERS, MAX_TERMS, refused, too_large
from engine.errors import Problem


class Form(Enum):
    """What a word is by its looks."""

    NAME = "name"
    QUOTED = "quoted name"
    TEXT = "text"
    NUMBER = "number"
    SIGN = "sign"
    END = "end"


@dataclass(frozen=True)
class Word:
    """A word of the text."""

    form: Form
    value: str
    """The word without its quotes; a sign or name as it stands."""
    at: int
    """Where it begins, counted from 0."""
    end: int
    """Where what follows begins."""

    def is_word(self, *keywords: str) -> bool:
        """Whether it is one of these keywords (lower case) or signs."""
        if self.form is Form.SIGN:
            return self.value in keywords
        return self.form is Form.NAME and self.value.lower() in keywords


_WORDS = re.compile(
    r"""(?P<space>\s+)
    |(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<name>[^\W\d][\w.:]*)
    |"(?P<quoted>(?:[^"]|"")+)"
    |'(?P<text>(?:[^']|'')*)'
    |(?P<sign><=|>=|<>|!=|[=<>+\-*/^%(),])""",
    re.VERBOSE,
)
_FORMS = {
    "number": Form.NUMBER,
    "name": Form.NAME,
    "quoted": Form.QUOTED,
    "text": Form.TEXT,
    "sign": Form.SIGN,
}
_UNCOUNTED = frozenset({"(", ")", ",", "-", "+"})


def words(text: str) -> tuple[Word, ...]:
    """The words of a filter, and one that says that it ends.

    Raises:
        Problem: ParameterInvalid, where it is too long, or has a character that belongs to no word.
    """
    if len(text) > MAX_CHARACTERS:
        raise too_large("characters", MAX_CHARACTERS)
    found: list[Word] = []
    at = terms = 0
    while at < len(text):
        match = _WORDS.match(text, at)
        if match is None:
            raise _unknown(text, at)
        kind = match.lastgroup or ""
        if kind != "space":
            value = match[kind]
            if kind in ("quoted", "text"):
                quote = text[at]
                value = value.replace(quote * 2, quote)
            found.append(Word(_FORMS[kind], value, at, match.end()))
            terms += kind != "number" and value not in _UNCOUNTED
            if terms > 2 * MAX_TERMS:
                raise too_large("terms", MAX_TERMS)
        at = match.end()
    found.append(Word(Form.END, "the end", at, at))
    return tuple(found)


def _unknown(text: str, at: int) -> Problem:
    what = "a quote that is not closed" if text[at] in "'\"" else f"{text[at]!r}"
    return refused(
        f"At character {at + 1} of the filter is {what}, which is no CQL2.",
        "Put texts in 'single quotes', and names with other characters in \"double quotes\".",
    )
