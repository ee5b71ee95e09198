"""How PostgreSQL with PostGIS says what filters ask; `functions.POSTGRES_DDL` gives it the functions.

A cast that fails would end the query, so each stands behind a CASE, whose order PostgreSQL keeps.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import shapely
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry
from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Double,
    Text,
    and_,
    case,
    cast,
    collate,
    func,
    literal,
    or_,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.functions import Function

from engine.catalog.filters.columns import Columns
from engine.catalog.filters.model import Calculation, Number, Property, Scalar, Spatial
from engine.catalog.filters.patterns import Pattern, as_like
from engine.catalog.filters.shapes import TURNS, around, at_edge


class Postgresql:
    """SQL for PostgreSQL."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns

    def number(self, wanted: Property) -> ColumnElement[float]:
        """The property as a double, null where it is no number."""
        return func.gdc_number(self._value(wanted), type_=Double)

    def calculated(self, wish: Calculation) -> ColumnElement[float]:
        """What comes out, null where a part is no number or there is no finite result."""
        parts = (self._operand(part) for part in (wish.left, wish.right))
        return func.gdc_calculate(literal(wish.sign, Text), *parts, type_=Double)

    def text(self, wanted: Property) -> ColumnElement[str]:
        """The property, null where it is no text."""
        plain = self.columns.properties.op("->>", return_type=Text())(literal(wanted.name, Text))
        return case((self._type(wanted) == "string", plain))

    def truth(self, wanted: Property) -> ColumnElement[bool]:
        """The property, null where it is no boolean."""
        return case((self._type(wanted) == "boolean", cast(self._value(wanted), Boolean)))

    def is_null(self, wanted: Property) -> ColumnElement[bool]:
        """Whether the property is missing or null."""
        return func.coalesce(self._type(wanted), "null") == "null"

    def array(self, wanted: Property) -> ColumnElement[Any]:
        """The property as JSON, null where it is no array."""
        return case((self._type(wanted) == "array", self._value(wanted)))

    def elements(self, values: Sequence[str | float | bool]) -> ColumnElement[Any]:
        """These values as JSON."""
        return cast(literal(json.dumps(values), Text), JSONB)

    def ordered(self, text: ColumnElement[str]) -> ColumnElement[str]:
        """The text such that it compares by code point."""
        return collate(text, "C")

    def like(self, text: ColumnElement[str], pattern: Pattern) -> ColumnElement[bool]:
        """Whether the text has the form of the pattern."""
        return collate(text, "C").like(literal(as_like(pattern), Text), escape="\\")

    def call(self, name: str, *arguments: Any, gives: Any = BigInteger) -> Function[Any]:
        """A call of one of our functions."""
        return getattr(func, name)(*arguments, type_=gives)

    def spatial(self, wish: Spatial) -> ColumnElement[bool]:
        """How the footprint lies to a geometry, by way of the index on `geom`."""
        assert self.columns.geom is not None, "PostgreSQL needs the column geom"
        geom, shape = self.columns.geom, wish.geometry.shape
        copies = [_geometry(translate(shape, turn)) for turn in TURNS]
        if wish.relation in ("s_intersects", "s_disjoint"):
            meets = or_(*(func.ST_Intersects(geom, copy, type_=Boolean) for copy in copies))
            return meets if wish.relation == "s_intersects" else ~meets
        near = or_(*(geom.op("&&", is_comparison=True, return_type=Boolean())(copy) for copy in copies))
        relation = literal(wish.relation, Text)
        exact = (geom, _geometry(shape), _geometry(around(shape)), literal(at_edge(shape), Boolean))
        return and_(near, func.gdc_relates(relation, *exact, type_=Boolean))

    def _operand(self, part: Scalar) -> ColumnElement[float]:
        if isinstance(part, Calculation):
            return self.calculated(part)
        if isinstance(part, Number):
            return literal(part.value, Double)
        assert isinstance(part, Property)
        return self.number(part)

    def _value(self, wanted: Property) -> ColumnElement[Any]:
        return self.columns.properties.op("->", return_type=JSONB())(literal(wanted.name, Text))

    def _type(self, wanted: Property) -> ColumnElement[str]:
        return func.jsonb_typeof(self._value(wanted), type_=Text)


def _geometry(shape: BaseGeometry) -> ColumnElement[Any]:
    return func.ST_GeomFromWKB(literal(shapely.to_wkb(shape)), 4326)
