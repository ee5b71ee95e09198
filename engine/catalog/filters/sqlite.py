"""How SQLite says what filters ask; `functions.install` gives it the functions."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import shapely
from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Double,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.sql.functions import Function

from engine.catalog.filters.columns import Columns
from engine.catalog.filters.model import Calculation, Number, Property, Scalar, Spatial
from engine.catalog.filters.patterns import Pattern, as_glob
from engine.catalog.filters.shapes import is_box

_PLAIN = re.compile(r"[ !#-\[\]-~]+")
"""Names that stand in JSON as they are, and in a path between double quotes."""


class Sqlite:
    """SQL for SQLite."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns

    def number(self, wanted: Property) -> ColumnElement[float]:
        """The property as a double, null where it is no number."""
        if (own := self.columns.numbers.get(wanted.name)) is not None:
            return own
        return case((self._type(wanted).in_(("integer", "real")), cast(self._value(wanted), Double)))

    def calculated(self, wish: Calculation) -> ColumnElement[float]:
        """What comes out, null where a part is no number or there is no finite result.

        One call for all of it: calls within calls soon exceed the stack of SQLite's parser.
        """
        program: list[str | float | None] = []
        numbers: list[ColumnElement[float]] = []
        open_: list[Scalar | str] = [wish]
        while open_:
            part = open_.pop()
            if isinstance(part, Calculation):
                open_ += [part.sign, part.right, part.left]
            elif isinstance(part, Property):
                program.append(None)
                numbers.append(self.number(part))
            else:
                program.append(part if isinstance(part, str) else _plain(part))
        return func.gdc_calculate(literal(json.dumps(program), Text), *numbers, type_=Double)

    def text(self, wanted: Property) -> ColumnElement[str]:
        """The property, null where it is no text."""
        if (own := self.columns.texts.get(wanted.name)) is not None:
            return own
        return case((self._type(wanted) == "text", cast(self._value(wanted), Text)))

    def truth(self, wanted: Property) -> ColumnElement[bool]:
        """The property, null where it is no boolean."""
        kind = self._type(wanted)
        return cast(case((kind == "true", literal(1)), (kind == "false", literal(0))), Boolean)

    def is_null(self, wanted: Property) -> ColumnElement[bool]:
        """Whether the property is missing or null."""
        return func.coalesce(self._type(wanted), "null") == "null"

    def array(self, wanted: Property) -> ColumnElement[Any]:
        """The property as JSON, null where it is no array."""
        return case((self._type(wanted) == "array", self._value(wanted)))

    def elements(self, values: Sequence[str | float | bool]) -> ColumnElement[Any]:
        """These values as JSON."""
        return literal(json.dumps(values), Text)

    def ordered(self, text: ColumnElement[str]) -> ColumnElement[str]:
        """The text such that it compares by code point."""
        return text

    def like(self, text: ColumnElement[str], pattern: Pattern) -> ColumnElement[bool]:
        """Whether the text has the form of the pattern."""
        return text.op("GLOB", is_comparison=True, return_type=Boolean())(literal(as_glob(pattern), Text))

    def call(self, name: str, *arguments: Any, gives: Any = BigInteger) -> Function[Any]:
        """A call of one of our functions."""
        return getattr(func, name)(*arguments, type_=gives)

    def spatial(self, wish: Spatial) -> ColumnElement[bool]:
        """How the footprint lies to a geometry: by its box first, where that can tell."""
        wkb = literal(shapely.to_wkb(wish.geometry.shape))
        if wish.relation == "s_disjoint":
            return ~self._relates(literal("s_intersects"), wkb)
        exact = self._relates(literal(wish.relation), wkb)
        if wish.relation == "s_intersects" and is_box(wish.geometry.shape):
            exact = or_(self._lies_in(wish), exact)  # what lies in it is not read: that takes longest
        return and_(self._meets(wish), exact)

    def _relates(self, relation: ColumnElement[str], wkb: ColumnElement[bytes]) -> ColumnElement[bool]:
        return func.gdc_relates(relation, self.columns.shape, wkb, type_=Boolean)

    def _lies_in(self, wish: Spatial) -> ColumnElement[bool]:
        """Whether the box of the footprint lies wholly in one of the boxes, which then holds all of it."""
        here = self.columns
        return or_(
            *(
                and_(
                    here.west >= west,
                    here.east <= east,
                    here.west <= here.east,
                    here.south >= south,
                    here.north <= north,
                )
                for west, south, east, north in wish.boxes
            )
        )

    def _meets(self, wish: Spatial) -> ColumnElement[bool]:
        here = self.columns
        return or_(
            *(
                and_(
                    here.south <= north,
                    here.north >= south,
                    case(
                        (here.west <= here.east, and_(here.west <= east, here.east >= west)),
                        else_=or_(here.west <= east, here.east >= west),
                    ),
                )
                for west, south, east, north in wish.boxes
            )
        )

    def _type(self, wanted: Property) -> ColumnElement[str]:
        return self._asked("json_type", "type", wanted)

    def _value(self, wanted: Property) -> ColumnElement[Any]:
        return self._asked("json_extract", "value", wanted)

    def _asked(self, function: str, column: str, wanted: Property) -> ColumnElement[Any]:
        """By a path where the name can stand in one; SQLite's paths have no escapes."""
        if _PLAIN.fullmatch(wanted.name):
            return getattr(func, function)(self.columns.properties, f'$."{wanted.name}"')
        members = func.json_each(self.columns.properties).table_valued("key", column)
        return select(members.c[column]).where(members.c.key == wanted.name).limit(1).scalar_subquery()


def _plain(part: Scalar) -> float:
    assert isinstance(part, Number)
    return part.value
