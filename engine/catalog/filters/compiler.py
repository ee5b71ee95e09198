"""Filters as SQL: one way for both databases, which differ in how they say the parts.

SQL has three values. What a filter cannot tell of an item (a property is missing, or is of another kind than what
it is compared with) is unknown, and stays so when it is negated: the item does not match.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from sqlalchemy import Boolean, ColumnElement, and_, func, not_, or_
from sqlalchemy import Text as TextType
from sqlalchemy import literal as bound

from engine.catalog.filters.caps import refused
from engine.catalog.filters.columns import Columns
from engine.catalog.filters.folds import FOLDS
from engine.catalog.filters.model import (
    And,
    Answer,
    Array,
    Comparison,
    Elements,
    Filter,
    In,
    IsNull,
    Kind,
    Like,
    Not,
    Number,
    Or,
    Property,
    Scalar,
    Spatial,
    Temporal,
    Text,
    Truth,
)
from engine.catalog.filters.postgresql import Postgresql
from engine.catalog.filters.scalars import Moments, Speech, constant, is_null, moment, number, text, truth
from engine.catalog.filters.sqlite import Sqlite
from engine.catalog.filters.temporal import temporal

SPEECHES: Mapping[str, Callable[[Columns], Speech]] = {"sqlite": Sqlite, "postgresql": Postgresql}
_SIGNS: Mapping[str, Callable[[Any, Any], Any]] = {"=": eq, "<>": ne, "<": lt, "<=": le, ">": gt, ">=": ge}


def compiled(wish: Filter, columns: Columns, dialect: str) -> ColumnElement[bool]:
    """The filter as a condition on these columns; everything a user wrote is a bound parameter.

    Args:
        wish: What `parse_text`, `parse_json` or `parse_query` gave.
        columns: The columns of an item's row.
        dialect: `sqlite`, whose connection has had `install`, or `postgresql`, where `POSTGRES_DDL` was run.

    Raises:
        Problem: ParameterInvalid, for a database that is neither.
    """
    if dialect not in SPEECHES:
        raise refused(f"Filters are not known to the database {dialect!r}.", "Use SQLite or PostgreSQL.")
    return _filter(wish, SPEECHES[dialect](columns))


def _filter(wish: Filter, speech: Speech) -> ColumnElement[bool]:
    match wish:
        case Truth(value):
            return constant(value)
        case Property():
            return truth(wish, speech)
        case And(parts):
            return and_(*(_filter(part, speech) for part in parts))
        case Or(parts):
            return or_(*(_filter(part, speech) for part in parts))
        case Not(part):
            return not_(_filter(part, speech))
        case Comparison(sign, left, right):
            return _comparison(sign, left, right, speech)
        case In(value, options):
            return _in(value, options, speech)
        case Like():
            return _like(wish, speech)
        case IsNull(Answer(part)):
            return _filter(part, speech).is_(None)
        case IsNull(value):
            return is_null(value, speech)
        case Temporal():
            return temporal(wish, speech)
        case Spatial():
            return speech.spatial(wish)
        case Array(relation, left_array, right_array):
            arrays = (_array(part, speech) for part in (left_array, right_array))
            return speech.call("gdc_arrays", bound(relation, TextType), *arrays, gives=Boolean)


def _comparison(sign: str, left: Scalar, right: Scalar, speech: Speech) -> ColumnElement[bool]:
    kinds = left.kinds & right.kinds
    if Kind.MOMENT in kinds and not _is_untyped(left, right):
        return _ordered(sign, moment(left, speech), moment(right, speech))
    answers = [
        _SIGNS[sign](_of_kind(left, kind, speech), _of_kind(right, kind, speech))
        for kind in (Kind.NUMBER, Kind.TEXT, Kind.TRUTH)
        if kind in kinds
    ]
    return answers[0] if len(answers) == 1 else func.coalesce(*answers, type_=Boolean)


def _is_untyped(left: Scalar, right: Scalar) -> bool:
    """Whether nothing says that times are meant: texts in two properties are compared as texts."""
    return len(left.kinds) > 1 and len(right.kinds) > 1


def _ordered(sign: str, left: Moments, right: Moments) -> ColumnElement[bool]:
    """Two times in order. What overlaps is equal: a date and a moment of its day."""
    (left_first, left_last), (right_first, right_last) = left, right
    match sign:
        case "<":
            return left_last < right_first
        case ">=":
            return left_last >= right_first
        case ">":
            return left_first > right_last
        case "<=":
            return left_first <= right_last
        case "=":
            return and_(left_first <= right_last, left_last >= right_first)
        case _:
            return or_(left_first > right_last, left_last < right_first)


def _of_kind(scalar: Scalar, kind: Kind, speech: Speech) -> ColumnElement[Any]:
    if kind is Kind.NUMBER:
        return number(scalar, speech)
    if kind is Kind.TEXT:
        return speech.ordered(text(scalar, speech))
    if isinstance(scalar, Answer):
        return _filter(scalar.of, speech)
    assert isinstance(scalar, Truth | Property)
    return truth(scalar, speech)


def _in(value: Scalar, options: Sequence[Scalar], speech: Speech) -> ColumnElement[bool]:
    """As comparisons joined by or; numbers and texts of one kind as a list, which is quicker."""
    for literals, kind in ((Number, Kind.NUMBER), (Text, Kind.TEXT)):
        if options and all(isinstance(option, literals) for option in options):
            found = _of_kind(value, kind, speech)
            return found.in_([option.value for option in options if isinstance(option, Number | Text)])
    return or_(constant(False), *(_comparison("=", value, option, speech) for option in options))


def _like(wish: Like, speech: Speech) -> ColumnElement[bool]:
    pattern = wish.pattern
    for fold in wish.folds:
        pattern = tuple(FOLDS[fold](part) if isinstance(part, str) else part for part in pattern)
    return speech.like(text(wish.value, speech), pattern)


def _array(part: Property | Elements, speech: Speech) -> ColumnElement[Any]:
    if isinstance(part, Property):
        return speech.array(part)
    return speech.elements([scalar.value for scalar in part.values])
