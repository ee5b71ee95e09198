"""How deep a filter is once what is written level over level for nothing is flat.

SQLite's parser has a stack of 100 words, of which the query around the filter needs some: a filter that it could
not read is refused before.
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.catalog.filters.caps import refused
from engine.catalog.filters.model import (
    And,
    Answer,
    Calculation,
    Comparison,
    Filter,
    Folded,
    In,
    IsNull,
    Like,
    Not,
    Or,
    Property,
    Scalar,
)

MAX_LEVELS = 12
"""Levels of and, or, not, and filters compared."""
MAX_FOLDS = 4
"""Folds over folds."""
MAX_CALCULATED = 12
"""Levels of a calculation."""
MAX_NAMES = 30
"""Properties in one calculation, as often as they stand there: SQLite's functions have few arguments."""


def joined(kind: type[And | Or], parts: Iterable[Filter]) -> Filter:
    """The parts joined; those that are joined so already are taken apart."""
    flat: list[Filter] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, kind) else (part,))
    return flat[0] if len(flat) == 1 else kind(tuple(flat))


def negated(part: Filter) -> Filter:
    """The part negated; what is negated twice is itself, also where it is unknown."""
    return part.part if isinstance(part, Not) else Not(part)


def check_levels(wish: Filter) -> Filter:
    """The filter, if the databases can read it.

    Raises:
        Problem: ParameterInvalid, where it mixes and, or, not and calculations over too many levels.
    """
    _check_filter(wish, 1)
    return wish


def _check_filter(wish: Filter, level: int) -> None:
    if level > MAX_LEVELS:
        raise refused(
            f"The filter mixes and, or and not over more than {MAX_LEVELS} levels.",
            "Write it flat: and of many parts, or of many parts.",
        )
    match wish:
        case And(parts) | Or(parts):
            for part in parts:
                _check_filter(part, level + 1)
        case Not(part):
            _check_filter(part, level + 1)
        case Comparison(_, left, right):
            _check_scalar(left, level)
            _check_scalar(right, level)
        case In(value) | IsNull(value) | Like(value):
            _check_scalar(value, level)


def _check_scalar(scalar: Scalar, level: int) -> None:
    if isinstance(scalar, Answer):
        _check_filter(scalar.of, level + 1)
    elif isinstance(scalar, Folded):
        folds = 0
        while isinstance(scalar, Folded):
            scalar, folds = scalar.of, folds + 1
        if folds > MAX_FOLDS:
            raise refused(
                f"The filter folds a text more than {MAX_FOLDS} times.", "Once casei, once accenti is enough."
            )
    elif _height(scalar) > MAX_CALCULATED or _names(scalar) > MAX_NAMES:
        raise refused(
            f"The filter calculates over more than {MAX_CALCULATED} levels or {MAX_NAMES} properties.",
            "Write sums and products in fewer steps.",
        )


def _height(scalar: Scalar) -> int:
    if not isinstance(scalar, Calculation):
        return 0
    return 1 + max(_height(scalar.left), _height(scalar.right))


def _names(scalar: Scalar) -> int:
    if isinstance(scalar, Calculation):
        return _names(scalar.left) + _names(scalar.right)
    return int(isinstance(scalar, Property))
