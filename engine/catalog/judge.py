"""Filters held against documents at hand, without a table: SQLite is asked as it would be of a row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Engine,
    Float,
    LargeBinary,
    Select,
    Text,
    bindparam,
    create_engine,
    event,
    select,
)

from engine.catalog.features import usual_span
from engine.catalog.filters import Columns, Filter, compiled, install
from engine.catalog.model import Json
from engine.catalog.space import Footprint, footprint
from engine.catalog.times import instant_of, span_of

TYPES: Mapping[str, Any] = {
    "id": Text, "collection": Text, "t0": BigInteger, "t1": BigInteger, "dt": BigInteger, "shape": LargeBinary,
    "west": Float, "south": Float, "east": Float, "north": Float, "properties": Text,
}  # fmt: skip
PARTS: Mapping[str, Any] = {name: bindparam(name, type_=type_) for name, type_ in TYPES.items()}
COLUMNS = Columns(**PARTS)
Row = Mapping[str, Any]
"""A document as a row has it, by the names of `Columns`."""


def holds(wish: Filter, row: Row) -> bool:
    """Is the filter true of a document? One that says nothing of what is asked is not found."""
    with _engine().connect() as connection:
        return connection.execute(_question(wish), row).scalar_one() in (True, 1)


def row_of_item(item: Json) -> Row:
    """A STAC item, or a feature, which was checked."""
    is_item, properties = "assets" in item, item["properties"]
    first, last = span_of(properties) if is_item else usual_span(properties)
    ground = footprint(item.get("geometry"), item.get("bbox"))
    told = {
        "t0": first,
        "t1": last,
        "dt": instant_of(properties) if is_item else first if first == last else None,
        "properties": json.dumps(properties),
    }
    return {"id": item["id"], "collection": item.get("collection"), **told, **_place(ground)}


def row_of_collection(collection: Json) -> Row:
    """A STAC collection: its members stand for properties, and what it covers for a footprint."""
    extent = collection.get("extent") or {}
    try:
        ground = footprint(None, extent["spatial"]["bbox"][0])
    except (KeyError, IndexError, TypeError, ValueError):
        ground = None
    try:
        start, end = extent["temporal"]["interval"][0]
        span: tuple[int | None, int | None] = span_of({"start_datetime": start, "end_datetime": end})
    except (KeyError, IndexError, TypeError, ValueError):
        span = None, None
    told = json.dumps({k: v for k, v in collection.items() if k != "links"})
    id_ = collection["id"]
    times = {"t0": span[0], "t1": span[1], "dt": None}
    return {"id": id_, "collection": id_, "properties": told, **times, **_place(ground)}


def _place(ground: Footprint | None) -> Row:
    box = ground.box if ground is not None else (None,) * 4
    shape = ground.wkb if ground is not None else None
    return {"shape": shape, **dict(zip(("west", "south", "east", "north"), box, strict=True))}


@lru_cache(maxsize=256)
def _question(wish: Filter) -> Select[Any]:
    return select(compiled(wish, COLUMNS, "sqlite"))


@cache
def _engine() -> Engine:
    """A database without tables; each thread has a connection of its own."""
    engine = create_engine("sqlite://")
    event.listen(engine, "connect", lambda raw, _: install(raw))
    return engine
