"""Filters as values: what may be compared, and what may be asked of an item."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from shapely.geometry.base import BaseGeometry

from engine.catalog.model import Box

ID, COLLECTION, DATETIME, GEOMETRY = "id", "collection", "datetime", "geometry"
"""Names that mean members of the item; all others are names of its `properties`."""


class Kind(Enum):
    """What a value is; values of different kinds are never compared."""

    NUMBER = "number"
    TEXT = "text"
    TRUTH = "boolean"
    MOMENT = "time"


ANY_KIND = frozenset(Kind)


@dataclass(frozen=True)
class Property:
    """A member of `properties` by its literal name, or one of the four names above."""

    name: str
    own: bool = False
    """Written as `properties.NAME`: `id`, `collection` and `geometry` then mean members of `properties`."""

    @property
    def column(self) -> str | None:
        """Which of the four names it is, or None."""
        if self.name == DATETIME or (not self.own and self.name in (ID, COLLECTION, GEOMETRY)):
            return self.name
        return None

    @property
    def kinds(self) -> frozenset[Kind]:
        """Kinds that its value may have."""
        if self.column is None:
            return ANY_KIND
        return {DATETIME: frozenset({Kind.MOMENT}), GEOMETRY: frozenset()}.get(
            self.name, frozenset({Kind.TEXT})
        )


@dataclass(frozen=True)
class Number:
    """A finite number, as a double."""

    value: float
    kinds: frozenset[Kind] = field(default=frozenset({Kind.NUMBER}), init=False, repr=False)


@dataclass(frozen=True)
class Text:
    """A text without NUL."""

    value: str
    kinds: frozenset[Kind] = field(default=frozenset({Kind.TEXT}), init=False, repr=False)


@dataclass(frozen=True)
class Truth:
    """True or false, as a value or as a whole filter."""

    value: bool
    kinds: frozenset[Kind] = field(default=frozenset({Kind.TRUTH}), init=False, repr=False)


@dataclass(frozen=True)
class Moment:
    """A timestamp, or a date, which lasts its whole day in UTC."""

    first: int
    """First microsecond since 1970."""
    last: int
    """Last microsecond since 1970, included."""
    kinds: frozenset[Kind] = field(default=frozenset({Kind.MOMENT}), init=False, repr=False)


@dataclass(frozen=True)
class Folded:
    """A text without the difference of upper and lower case, or without accents."""

    of: Scalar
    fold: str
    """`casei` or `accenti`."""
    kinds: frozenset[Kind] = field(default=frozenset({Kind.TEXT}), init=False, repr=False)


@dataclass(frozen=True)
class Calculation:
    """Two numbers made one."""

    sign: str
    """One of + - * / ^ % div."""
    left: Scalar
    right: Scalar
    kinds: frozenset[Kind] = field(default=frozenset({Kind.NUMBER}), init=False, repr=False)


@dataclass(frozen=True)
class Answer:
    """What a filter says of the item, compared as a boolean."""

    of: Filter
    kinds: frozenset[Kind] = field(default=frozenset({Kind.TRUTH}), init=False, repr=False)


Scalar: TypeAlias = "Property | Number | Text | Truth | Moment | Folded | Calculation | Answer"


@dataclass(frozen=True)
class Interval:
    """From one moment to another, both included; None is an open end."""

    start: Moment | Property | None
    end: Moment | Property | None


Span: TypeAlias = Moment | Property | Interval


@dataclass(frozen=True)
class Geometry:
    """A geometry to compare with, in WGS84 degrees."""

    shape: BaseGeometry
    """Valid, flat, in one piece: its west lies in -180..180, its east may run past 180."""


@dataclass(frozen=True)
class Elements:
    """An array of texts, numbers and booleans; order and repetition do not count."""

    values: tuple[Text | Number | Truth, ...]


class Wild(Enum):
    """What stands for other characters in a pattern."""

    ANY = "%"
    ONE = "_"


@dataclass(frozen=True)
class And:
    """All parts hold."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True)
class Or:
    """Some part holds."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: Filter


@dataclass(frozen=True)
class Comparison:
    """Two values of one kind in an order. A date equals each moment of its day."""

    sign: str
    """One of = <> < <= > >=."""
    left: Scalar
    right: Scalar


@dataclass(frozen=True)
class In:
    """The value equals one of the options."""

    value: Scalar
    options: tuple[Scalar, ...]


@dataclass(frozen=True)
class Like:
    """The text has the form of a pattern."""

    value: Scalar
    pattern: tuple[str | Wild, ...]
    folds: tuple[str, ...] = ()
    """Folds of the pattern, the innermost first."""


@dataclass(frozen=True)
class IsNull:
    """There is no such value, or it is null."""

    value: Scalar


@dataclass(frozen=True)
class Temporal:
    """How two spans of time lie to each other."""

    relation: str
    """One of `relations.TEMPORAL`."""
    left: Span
    right: Span


@dataclass(frozen=True)
class Spatial:
    """How the footprint of the item lies to a geometry."""

    relation: str
    """One of `relations.SPATIAL`."""
    geometry: Geometry
    boxes: tuple[Box, ...]
    """Boxes within -180..180, none across the antimeridian: an item that matches has a box that meets one.
    Of no use for `s_disjoint`."""


@dataclass(frozen=True)
class Array:
    """How two arrays, as sets, lie to each other."""

    relation: str
    """One of `relations.ARRAY`."""
    left: Property | Elements
    right: Property | Elements


Filter: TypeAlias = (
    "Truth | Property | And | Or | Not | Comparison | In | Like | IsNull | Temporal | Spatial | Array"
)


def queryable_names(wish: Filter) -> frozenset[str]:
    """Names of the properties that a filter asks for, `geometry` for what asks where the item is."""
    return frozenset(_names(wish))


def _names(node: object) -> Iterator[str]:
    if isinstance(node, Property):
        yield node.name
    elif isinstance(node, Spatial):
        yield GEOMETRY
    elif isinstance(node, tuple):
        for part in node:
            yield from _names(part)
    elif hasattr(node, "__dataclass_fields__") and not isinstance(node, Geometry):
        for name in node.__dataclass_fields__:
            yield from _names(getattr(node, name))
