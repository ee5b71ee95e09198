"""Relations of spans of time as SQL.

Instants count as spans without length, and dates as their days; ends are included. An open end lies before or
after everything. Two spans meet where one ends in the moment, or on the date, in which the other begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, literal, or_

from engine.catalog.filters.model import DATETIME, Interval, Property, Span, Temporal
from engine.catalog.filters.relations import TEMPORAL_TURNED
from engine.catalog.filters.scalars import Moments, Speech, moment
from engine.catalog.times import EVER


@dataclass(frozen=True)
class _Ends:
    start: Moments
    end: Moments

    @property
    def first(self) -> ColumnElement[Any]:
        return self.start[0]

    @property
    def last(self) -> ColumnElement[Any]:
        return self.end[1]


def temporal(wish: Temporal, speech: Speech) -> ColumnElement[bool]:
    """How the spans lie to each other; unknown where an end is no time."""
    left, right = _ends(wish.left, speech), _ends(wish.right, speech)
    relation = wish.relation
    if relation in TEMPORAL_TURNED:
        left, right, relation = right, left, TEMPORAL_TURNED[relation]
    match relation:
        case "t_before":
            return left.last < right.first
        case "t_meets":
            return and_(left.end[0] <= right.start[1], left.end[1] >= right.start[0])
        case "t_overlaps":
            return and_(left.first < right.first, right.first < left.last, left.last < right.last)
        case "t_starts":
            return and_(left.first == right.first, left.last < right.last)
        case "t_during":
            return and_(left.first > right.first, left.last < right.last)
        case "t_finishes":
            return and_(left.first > right.first, left.last == right.last)
        case "t_equals":
            return and_(left.first == right.first, left.last == right.last)
        case "t_disjoint":
            return or_(left.last < right.first, left.first > right.last)
        case _:
            return and_(left.first <= right.last, left.last >= right.first)


def _ends(span: Span, speech: Speech) -> _Ends:
    if isinstance(span, Interval):
        return _Ends(_end(span.start, -EVER, speech), _end(span.end, EVER, speech))
    if isinstance(span, Property) and span.column == DATETIME:
        columns = speech.columns
        return _Ends((columns.t0, columns.t0), (columns.t1, columns.t1))
    first, last = moment(span, speech)
    return _Ends((first, first), (last, last))


def _end(end: Any, ever: int, speech: Speech) -> Moments:
    if end is None:
        return (literal(ever, BigInteger),) * 2
    return moment(end, speech)
