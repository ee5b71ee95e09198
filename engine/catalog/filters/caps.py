"""How large a filter may be: checked before anything recursive looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.errors import Problem

MAX_CHARACTERS = 20_000
MAX_JSON_CHARACTERS = 1_000_000
MAX_DEPTH = 50
"""Levels of operators within operators, or of parentheses."""
MAX_TERMS = 500
"""Operators, properties and literals, without the numbers of geometries."""
MAX_COORDINATES = 20_000
MAX_PATTERN = 1_000
"""Characters of a pattern of `like`."""

COORDINATES = frozenset({"coordinates", "bbox"})


def refused(message: str, hint: str) -> Problem:
    """The problem with a filter."""
    return Problem("ParameterInvalid", message, hint=hint)


def too_large(what: str, most: int) -> Problem:
    """The problem that a filter has too much of something."""
    return refused(f"The filter has more than {most:,} {what}.", "Ask for less at once.")


def check_depth(text: str) -> None:
    """Refuse a text of JSON whose brackets are nested too deep for a recursive parser.

    Raises:
        Problem: ParameterInvalid, where it is too long or too deep.
    """
    if len(text) > MAX_JSON_CHARACTERS:
        raise too_large("characters", MAX_JSON_CHARACTERS)
    depth, quoted, escaped = 0, False, False
    for character in text:
        if quoted:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                quoted = False
        elif character == '"':
            quoted = True
        elif character in "[{":
            depth += 1
            if depth > 2 * MAX_DEPTH + 10:
                raise too_large("levels", MAX_DEPTH)
        elif character in "]}":
            depth -= 1


def check_tree(tree: Any) -> None:
    """Refuse a JSON value that is nested too deep or has too many parts.

    Raises:
        Problem: ParameterInvalid, naming the cap.
    """
    level, depth, terms, coordinates = [tree], 0, 0, 0
    while level:
        if (depth := depth + 1) > 2 * MAX_DEPTH + 1:  # an operator is an object that holds a list
            raise too_large("levels", MAX_DEPTH)
        below: list[Any] = []
        for value in level:
            if isinstance(value, Mapping):
                terms += 1
                for name, part in value.items():
                    if name in COORDINATES:
                        coordinates += _coordinates(part)
                    elif isinstance(part, list | tuple | Mapping):
                        below.append(part)
            elif isinstance(value, list | tuple):
                below.extend(value)
                terms += sum(not isinstance(part, Mapping | list | tuple) for part in value)
        if terms > MAX_TERMS:
            raise too_large("terms", MAX_TERMS)
        if coordinates > MAX_COORDINATES:
            raise too_large("coordinates", MAX_COORDINATES)
        level = below


def _coordinates(nested: Any) -> int:
    count, level = 0, [nested]
    while level and count <= MAX_COORDINATES:
        below: list[Any] = []
        for value in level:
            count += 1
            if isinstance(value, list | tuple):
                below.extend(value)
        level = below
    return count
