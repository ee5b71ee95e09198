"""Patterns of `like`: read once, written for each database."""

from __future__ import annotations

from engine.catalog.filters.caps import MAX_PATTERN, refused, too_large
from engine.catalog.filters.model import Wild

Pattern = tuple[str | Wild, ...]
"""Texts, and what stands for other characters between them."""


def read_pattern(text: str) -> Pattern:
    """The pattern: % for any characters, _ for one, a backslash before a character that means itself.

    Raises:
        Problem: ParameterInvalid, where it is too long or ends in a backslash.
    """
    if len(text) > MAX_PATTERN:
        raise too_large("characters in a pattern", MAX_PATTERN)
    tokens: list[str | Wild] = []
    plain = ""
    characters = iter(text)
    for character in characters:
        if character in "%_":
            tokens += [plain, Wild(character)] if plain else [Wild(character)]
            plain = ""
            continue
        if character == "\\" and (character := next(characters, "")) == "":
            raise refused(f"The pattern {text[-40:]!r} ends in a backslash.", "Write \\\\ for a backslash.")
        plain += character
    return (*tokens, plain) if plain else tuple(tokens)


def as_like(pattern: Pattern) -> str:
    """The pattern for LIKE with a backslash as escape."""
    return "".join(
        part.value if isinstance(part, Wild) else "".join(f"\\{c}" if c in "\\%_" else c for c in part)
        for part in pattern
    )


def as_glob(pattern: Pattern) -> str:
    """The pattern for SQLite's GLOB, which unlike its LIKE tells upper from lower case."""
    return "".join(
        {Wild.ANY: "*", Wild.ONE: "?"}[part]
        if isinstance(part, Wild)
        else "".join(f"[{c}]" if c in "*?[" else c for c in part)
        for part in pattern
    )
