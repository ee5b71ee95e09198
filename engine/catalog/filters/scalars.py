"""The values of filters as SQL."""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import BigInteger, Boolean, ColumnElement, Double, false, literal, true
from sqlalchemy import Text as TextType

from engine.catalog.filters.model import (
    COLLECTION,
    DATETIME,
    GEOMETRY,
    ID,
    Calculation,
    Folded,
    Moment,
    Number,
    Property,
    Scalar,
    Text,
    Truth,
)
from engine.catalog.filters.postgresql import Postgresql
from engine.catalog.filters.sqlite import Sqlite

Speech = Sqlite | Postgresql
"""A database to write for."""

Moments = tuple[ColumnElement[Any], ColumnElement[Any]]
"""First and last microsecond since 1970; both null where there is no time."""


def number(scalar: Scalar, speech: Speech) -> ColumnElement[float]:
    """The scalar as a double, null where it is none."""
    if isinstance(scalar, Number):
        return literal(scalar.value, Double)
    if isinstance(scalar, Calculation):
        return speech.calculated(scalar)
    assert isinstance(scalar, Property)
    return speech.number(scalar)


def text(scalar: Scalar, speech: Speech) -> ColumnElement[str]:
    """The scalar as a text, null where it is none."""
    if isinstance(scalar, Text):
        return literal(scalar.value, TextType)
    if isinstance(scalar, Folded):
        return folded(text(scalar.of, speech), (scalar.fold,), speech)
    assert isinstance(scalar, Property)
    column = {ID: speech.columns.id, COLLECTION: speech.columns.collection}.get(scalar.column or "")
    return speech.text(scalar) if column is None else column


def folded(plain: ColumnElement[str], folds: tuple[str, ...], speech: Speech) -> ColumnElement[str]:
    """The text with these folds, one after the other."""
    for fold in folds:
        plain = speech.call(f"gdc_{fold}", plain, gives=TextType)
    return plain


def moment(scalar: Scalar | Moment, speech: Speech) -> Moments:
    """The scalar as a time, null where it is none."""
    if isinstance(scalar, Moment):
        micros = partial(literal, type_=BigInteger)
        return micros(scalar.first), micros(scalar.last)
    assert isinstance(scalar, Property)
    if scalar.column == DATETIME:
        return speech.columns.dt, speech.columns.dt
    written = speech.text(scalar)
    return speech.call("gdc_first", written), speech.call("gdc_last", written)


def truth(value: Truth | Property, speech: Speech) -> ColumnElement[bool]:
    """A boolean or a property that is one, null where it is none."""
    return literal(value.value, Boolean) if isinstance(value, Truth) else speech.truth(value)


def is_null(scalar: Scalar, speech: Speech) -> ColumnElement[bool]:
    """Whether a property is missing or null, or a computed value unknown."""
    if isinstance(scalar, Calculation):
        return number(scalar, speech).is_(None)
    if isinstance(scalar, Folded):
        return text(scalar, speech).is_(None)
    if not isinstance(scalar, Property):
        return false()
    columns = speech.columns
    column = {
        ID: columns.id,
        COLLECTION: columns.collection,
        DATETIME: columns.dt,
        GEOMETRY: columns.shape,
    }.get(scalar.column or "")
    return speech.is_null(scalar) if column is None else column.is_(None)


def constant(is_true: bool) -> ColumnElement[bool]:
    """A filter that says the same of every item."""
    return true() if is_true else false()
