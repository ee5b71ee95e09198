"""Texts: Unicode, and patterns in linear time.

A pattern is the very text that is looked for, not a regular expression. Where case does not count, both are compared
in Unicode's folded form, in which `ß` is `ss`.
"""

from __future__ import annotations

from functools import reduce
from typing import Annotated, Any

import numpy as np

from processes.elements import each, elements_of
from processes.registry import process
from processes.types import Boolean, Schema
from processes.values import is_scalar, split

_PIECE = {"type": ["string", "number", "boolean", "null"]}
Text = Annotated[Any, Schema({"type": ["string", "null"]})]
"""A text, or an array of them of any shape."""
Pieces = Annotated[Any, Schema({"type": "array", "items": _PIECE})]
"""What texts are made of, along the first axis."""
Piece = Annotated[Any, Schema(_PIECE)]
Place = Annotated[Any, Schema({"type": ["integer", "null"], "minimum": 0})]


@process("texts", "comparison")
def text_begins(data: Text, pattern: str, case_sensitive: bool = True) -> Boolean:
    """Does a text begin with another one?

    Args:
        data: The text.
        pattern: What it may begin with, letter by letter.
        case_sensitive: `false` takes upper and lower case for the same.

    Returns:
        `true` or `false`; no-data for no-data.
    """
    return each(lambda t, p: t.startswith(p), *cased(case_sensitive, data, pattern), dtype=bool)


@process("texts", "comparison")
def text_ends(data: Text, pattern: str, case_sensitive: bool = True) -> Boolean:
    """Does a text end with another one?

    Args:
        data: The text.
        pattern: What it may end with, letter by letter.
        case_sensitive: `false` takes upper and lower case for the same.

    Returns:
        `true` or `false`; no-data for no-data.
    """
    return each(lambda t, p: t.endswith(p), *cased(case_sensitive, data, pattern), dtype=bool)


@process("texts", "comparison")
def text_contains(data: Text, pattern: str, case_sensitive: bool = True) -> Boolean:
    """Is a text part of another one?

    Args:
        data: The text to look in.
        pattern: What to look for, letter by letter.
        case_sensitive: `false` takes upper and lower case for the same.

    Returns:
        `true` or `false`; no-data for no-data.
    """
    return each(lambda t, p: p in t, *cased(case_sensitive, data, pattern), dtype=bool)


@process("texts", experimental=True)
def text_find(data: Text, pattern: str, case_sensitive: bool = True) -> Place:
    """Where a text comes up in another one for the first time

    Args:
        data: The text to look in.
        pattern: What to look for, letter by letter.
        case_sensitive: `false` takes upper and lower case for the same.

    Returns:
        How many characters stand before it; no-data where it is not found, and for no-data.
    """
    return each(place if case_sensitive else folded_place, data, pattern, dtype=np.int64)


@process("texts")
def text_concat(data: Pieces, separator: Piece = "") -> Annotated[Any, Schema({"type": "string"})]:
    """Put pieces together to one text

    Numbers, booleans and no-data become what JSON writes for them: `-1.5`, `true`, `null`.

    Args:
        data: The pieces.
        separator: What stands between them.

    Returns:
        The text.
    """
    between = written(separator)
    pieces = [written(e) for e in elements_of(data)]
    return reduce(lambda text, piece: text + between + piece, pieces) if pieces else ""


# ---------------------------------------------------------------------------------------- how it is done
def cased(case_sensitive: bool, *texts: Any) -> list[Any]:
    """The texts, folded where case does not count."""
    if case_sensitive:
        return list(texts)
    return [t if t is None else each(str.casefold, t, dtype=object) for t in texts]


def place(text: str, pattern: str) -> int | None:
    """Where the pattern begins; `None` where it is not found."""
    found = text.find(pattern)
    return None if found < 0 else found


def folded_place(text: str, pattern: str) -> int | None:
    """The same without regard to case, counted in characters of the text as it came."""
    found = place(text.casefold(), pattern.casefold())
    if not found:
        return found
    ends = np.cumsum([len(c.casefold()) for c in text])  # folding may lengthen: one character becomes two
    return int(np.searchsorted(ends, found, side="right"))


def written(piece: Any) -> Any:
    """A piece as JSON writes it, without quotation marks; cells one by one."""
    if piece is None or isinstance(piece, bool):
        return {None: "null", True: "true", False: "false"}[piece]
    if isinstance(piece, str):
        return piece
    if is_scalar(piece):
        return written_number(piece)
    values, null = split(piece)
    out = np.empty(np.shape(values), dtype=object)
    cells = zip(np.asarray(values).flat, np.broadcast_to(null, out.shape).flat, strict=True)
    out.reshape(-1)[:] = ["null" if n else written_cell(v) for v, n in cells]
    return out[()]


def written_cell(value: Any) -> str:
    """One cell as text, with no more decimals than its type has."""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    return written_number(value) if isinstance(value, (int, float, np.number)) else str(value)


def written_number(value: Any) -> str:
    """A number as text: whole ones without a decimal point, NaN and infinities in lower case."""
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    whole = np.isfinite(value) and value == np.trunc(value) and abs(value) < 1e15
    return str(int(value)) if whole else str(value).lower()
