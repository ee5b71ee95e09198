"""The order of a search's items, and the place in it where the next page begins; the same on every database."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Double, Text, and_, case, cast, func, literal, or_
from sqlalchemy.sql.elements import ColumnElement, UnaryExpression

from engine.catalog.tables import COLLECTIONS, ITEMS
from engine.errors import Problem

MOST = 10
"""Properties that one search may sort by."""
TIMES = {"datetime": ITEMS.c.t0, "start_datetime": ITEMS.c.t0, "end_datetime": ITEMS.c.t1}
LONGEST = 8192
"""Characters of a token."""


@dataclass(frozen=True, slots=True)
class Sort:
    """One property to sort by."""

    name: str
    """`id`, `collection`, `datetime` or any property of items, also as `properties.NAME`."""
    descending: bool = False

    @property
    def bare(self) -> str:
        """The name without `properties.`."""
        return self.name.removeprefix("properties.")


LATEST = (Sort("datetime", descending=True),)
"""The order where none is asked for."""


@dataclass(frozen=True, slots=True)
class Key:
    """One thing that rows are sorted by."""

    column: ColumnElement[Any]
    descending: bool
    kind: type
    """What its values are in Python: never null, of one type."""

    @property
    def ordered(self) -> UnaryExpression[Any]:
        """As ORDER BY has it."""
        return self.column.desc() if self.descending else self.column.asc()


def keys_of(sorts: Sequence[Sort], dialect: str, *, arrival: bool = False) -> list[Key]:
    """The keys of an order; the last ones tell items apart, so that none comes twice or never.

    Without one, the latest come first, or those that came first with `arrival`. Items that lack a property come last, whichever way it is sorted. Numbers come before texts, and these before
    booleans; texts are sorted by code points.

    Raises:
        Problem: There are too many, or a name is none of a property.
    """
    if arrival and not sorts:
        return [Key(ITEMS.c.pk, False, int)]
    sorts = tuple(sorts) or LATEST
    if len(sorts) > MOST:
        raise Problem("ParameterInvalid", f"sortby: {len(sorts)} properties are more than the {MOST} allowed")
    keys = [key for sort in sorts for key in _keys(sort, dialect)]
    down = sorts[-1].descending
    return keys + [Key(_by_code_points(c, dialect), down, str) for c in (ITEMS.c.id, COLLECTIONS.c.id)]


def after(keys: Sequence[Key], values: Sequence[Any]) -> ColumnElement[bool]:
    """Rows that come later in the order than the one with these values."""
    ways: list[ColumnElement[bool]] = []
    for at, key in enumerate(keys):
        value = literal(values[at])
        beyond = key.column < value if key.descending else key.column > value
        same = [k.column == literal(v) for k, v in zip(keys[:at], values[:at], strict=True)]
        ways.append(and_(*same, beyond))
    return or_(*ways)


def token_of(values: Sequence[Any]) -> str:
    """The place in an order after the row with these values, as text for an address."""
    return base64.urlsafe_b64encode(json.dumps(list(values)).encode()).rstrip(b"=").decode()


def values_of(token: str, keys: Sequence[Key]) -> list[Any]:
    """What `token_of` made, read again.

    Raises:
        Problem: It is no token of this order.
    """
    try:
        if len(token) > LONGEST:
            raise ValueError("it is too long")
        values = json.loads(base64.urlsafe_b64decode(token.encode() + b"=" * (-len(token) % 4)))
        fits = isinstance(values, list) and len(values) == len(keys)
        if not fits or not all(_is(v, k.kind) for v, k in zip(values, keys, strict=True)):
            raise ValueError("it is of another order")
    except (ValueError, RecursionError) as cause:
        raise Problem(
            "ParameterInvalid",
            f"token: {token[:40]!r} is no place in this search",
            hint="Follow the link `next` of the page before, with the same `sortby`.",
        ) from cause
    return list(values)


def _is(value: Any, kind: type) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, int | float) if kind is float else isinstance(value, kind)


def _keys(sort: Sort, dialect: str) -> list[Key]:
    name, down = sort.bare, sort.descending
    if name in TIMES:
        return [Key(TIMES[name], down, int)]
    if name == "id":
        return [Key(_by_code_points(ITEMS.c.id, dialect), down, str)]
    if name == "collection":
        return [Key(_by_code_points(COLLECTIONS.c.id, dialect), down, str)]
    rank, number, text = _parts(name, dialect)
    return [Key(rank, False, int), Key(number, down, float), Key(_by_code_points(text, dialect), down, str)]


def _parts(name: str, dialect: str) -> tuple[ColumnElement[Any], ColumnElement[Any], ColumnElement[Any]]:
    """A property as its kind, its number and its text, none of which is null."""
    if dialect == "postgresql":
        kind = func.jsonb_typeof(ITEMS.c.properties[name])
        value = func.jsonb_extract_path_text(ITEMS.c.properties, name)
        numbers, texts, booleans = ["number"], ["string"], ["boolean"]
        yes = and_(kind == "boolean", value == "true")
    else:
        if '"' in name or not name:
            raise Problem("ParameterInvalid", f"sortby: {name[:40]!r} cannot be sorted by")
        path = f'$."{name}"'
        kind = func.json_type(ITEMS.c.properties, path)
        value = func.json_extract(ITEMS.c.properties, path)
        numbers, texts, booleans = ["integer", "real"], ["text"], ["true", "false"]
        yes = kind == "true"
    rank = case((kind.in_(numbers), 0), (kind.in_(texts), 1), (kind.in_(booleans), 2), else_=3)
    number = case((kind.in_(numbers), cast(value, Double)), (yes, 1.0), else_=0.0)
    return rank, number, case((kind.in_(texts), cast(value, Text)), else_="")


def _by_code_points(column: ColumnElement[Any], dialect: str) -> ColumnElement[Any]:
    return column.collate("C") if dialect == "postgresql" else column
