"""Searches over collections, page by page: which items, in which order, and how many there are in all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Connection, Select, and_, bindparam, func, literal_column, null, or_, select, text
from sqlalchemy.sql.elements import ColumnElement

from engine.catalog.apply import tag_of
from engine.catalog.filters import Columns, Filter, compiled, parse_json, queryable_names
from engine.catalog.heights import Heights, between
from engine.catalog.model import Box, Json
from engine.catalog.order import TIMES, Key, Sort, after, keys_of, token_of, values_of
from engine.catalog.readable import Readable
from engine.catalog.space import footprint, split
from engine.catalog.tables import BOXES_COUNT, CLOUD, COLLECTIONS, IS_FEATURE, ITEMS, PLATFORM, RELATIONS
from engine.catalog.texts import from_text
from engine.catalog.times import EVER
from engine.errors import Problem

FEW = 20_000
"""Boxes up to which the way from the R*Tree to the items is shorter than through all items."""
COLUMNS = Columns(
    id=ITEMS.c.id, collection=COLLECTIONS.c.id, t0=ITEMS.c.t0, t1=ITEMS.c.t1, dt=ITEMS.c.dt,
    shape=ITEMS.c.shape, west=ITEMS.c.west, south=ITEMS.c.south, east=ITEMS.c.east, north=ITEMS.c.north,
    properties=ITEMS.c.properties, geom=literal_column("items.geom"),
    numbers={CLOUD: literal_column("items.cloud")}, texts={PLATFORM: literal_column("items.platform")},
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Search:
    """Which items are wanted, over all collections that may be read."""

    collections: tuple[str, ...] | None = None
    """Ids of collections; None: all."""
    ids: tuple[str, ...] | None = None
    """Ids of items."""
    bbox: Box | None = None
    """Items whose footprint touches this box, which may cross the antimeridian (west > east)."""
    heights: Heights | None = None
    """Items that may lie at one of these heights: what says nothing of its own is at all of them."""
    intersects: Json | None = None
    """Items whose footprint touches this GeoJSON geometry."""
    start: int | None = None
    """Items whose time ends then or later (microseconds since 1970)."""
    end: int | None = None
    """Items whose time begins then or earlier."""
    filters: tuple[Filter, ...] = ()
    """Items of which each of these is true."""
    sortby: tuple[Sort, ...] = ()
    """The order; by default the latest first."""
    arrival: bool = False
    """Is the default the order in which they came, instead?"""
    project: tuple[str, str] | None = None
    """Items of this collection (by id), or related to this project."""
    limit: int = 10
    """Items of a page."""
    token: str | None = None
    """Where the page begins: `Page.next` of the page before."""


@dataclass(frozen=True, slots=True)
class Hit:
    """An item that was found."""

    doc: Json
    """The STAC item."""
    owner: str
    """Whose collection it is in; empty: everybody's."""
    tag: str
    """Its state, see `Outcome.tag`."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a search found, as far as it fits a page."""

    hits: tuple[Hit, ...]
    matched: int
    """How many items there are in all."""
    next: str | None
    """The token of the page after this one; None: this is the last."""
    first: str | None = None
    """The token of the page that follows the first item in the opposite order; None: there is no item."""


def find(connection: Connection, wish: Search, readable: Readable, columns: Columns = COLUMNS) -> Page:
    """One page of a search, all within one transaction.

    Raises:
        Problem: The token is none, or the geometry is not sound.
    """
    dialect = connection.dialect.name
    keys = keys_of(wish.sortby, dialect, arrival=wish.arrival)
    conditions = [*_conditions(wish, columns, dialect), *_driven(connection, wish)]
    counts = wish.token is None and _looks_at_all(wish)
    rows = connection.execute(_page(wish, keys, conditions, readable, counts=counts)).all()
    shown = rows[: wish.limit]
    matched = len(rows)
    if counts:
        matched = int(rows[0].matched) if rows else 0
    elif wish.token is not None or len(rows) > wish.limit:
        matched = int(connection.execute(_count(wish, conditions, readable)).scalar_one())
    hits = tuple(hit_of(row) for row in shown)
    more = len(rows) > wish.limit and bool(shown)
    ends = [token_of(row[-len(keys) :]) for row in (shown[0], shown[-1])] if shown else [None, None]
    return Page(hits, matched, ends[1] if more else None, ends[0])


HITS = select(ITEMS.c.doc, ITEMS.c.version, ITEMS.c.updated, COLLECTIONS.c.owner).join(
    COLLECTIONS, COLLECTIONS.c.pk == ITEMS.c.collection
)
"""Rows that `hit_of` reads."""
ONE = HITS.where(COLLECTIONS.c.id == bindparam("collection"), ITEMS.c.id == bindparam("item"))


def one(connection: Connection, collection: str, item: str, readable: Readable) -> Hit | None:
    """One item; None where there is none that may be read."""
    found = connection.execute(readable.narrowed(ONE), {"collection": collection, "item": item})
    row = found.one_or_none()
    return None if row is None else hit_of(row)


def hit_of(row: Any) -> Hit:
    """The item in a row."""
    return Hit(from_text(row.doc), row.owner, tag_of(row.version, row.updated))


def _looks_at_all(wish: Search) -> bool:
    """Is everything that matches found before the first is known, so that it is counted on the way?

    Not so where the index of times gives the items in their order.
    """
    by_time = not wish.sortby or wish.sortby[0].bare in TIMES
    return not by_time or wish.bbox is not None or wish.intersects is not None


def _page(
    wish: Search,
    keys: Sequence[Key],
    conditions: Sequence[ColumnElement[bool]],
    readable: Readable,
    *,
    counts: bool,
) -> Select[Any]:
    """The rows of a page, and one more; documents are looked up for these alone, when they are known."""
    told = [key.column.label(f"k{n}") for n, key in enumerate(keys)]
    matched = func.count().over() if counts else null()
    first = _from(select(ITEMS.c.pk, matched.label("matched"), *told), conditions, readable)
    if wish.token is not None:
        first = first.where(after(keys, values_of(wish.token, keys)))
    found = first.order_by(*(key.ordered for key in keys)).limit(wish.limit + 1).subquery("found")
    values = [found.c[column.name] for column in told]
    columns = (ITEMS.c.doc, ITEMS.c.version, ITEMS.c.updated, COLLECTIONS.c.owner, found.c.matched)
    joined = found.join(ITEMS, ITEMS.c.pk == found.c.pk)
    joined = joined.join(COLLECTIONS, ITEMS.c.collection == COLLECTIONS.c.pk)
    order = (v.desc() if key.descending else v.asc() for v, key in zip(values, keys, strict=True))
    return select(*columns, *values).select_from(joined).order_by(*order)


def _count(wish: Search, conditions: Sequence[ColumnElement[bool]], readable: Readable) -> Select[Any]:
    """How many match; collections are looked at only where something is asked of them."""
    bare = readable.narrowed(select(func.count()).where(*conditions))
    if COLLECTIONS in bare.get_final_froms():
        return _from(select(func.count()), conditions, readable)
    counted = bare.select_from(ITEMS)
    if wish.ids is None and not _looks_at_all(wish) and _is_in_index(wish):
        # Always true, and leads SQLite to the index: it does not see by itself that all that is asked for is there.
        return counted.where(ITEMS.c.t0 >= -EVER)
    return counted


def _is_in_index(wish: Search) -> bool:
    """Does the index of times in SQLite have all that the filters ask for?"""
    names = {name for one in wish.filters for name in queryable_names(one)}
    return bool(names) and names <= {CLOUD, PLATFORM}


def _from(wish: Select[Any], conditions: Sequence[ColumnElement[bool]], readable: Readable) -> Select[Any]:
    joined = wish.select_from(ITEMS.join(COLLECTIONS, ITEMS.c.collection == COLLECTIONS.c.pk))
    return readable.narrowed(joined.where(*conditions))


def _conditions(wish: Search, columns: Columns, dialect: str) -> list[ColumnElement[bool]]:
    out: list[ColumnElement[bool]] = []
    if wish.collections is not None:
        out.append(COLLECTIONS.c.id.in_(wish.collections))
    if wish.project is not None:
        home, project = wish.project
        related = select(RELATIONS.c.item).where(
            RELATIONS.c.project == project,
            RELATIONS.c.collection == COLLECTIONS.c.id,
            RELATIONS.c.item == ITEMS.c.id,
        )
        out.append(or_(COLLECTIONS.c.id == home, related.exists()))
    if wish.ids is not None:
        out.append(ITEMS.c.id.in_(wish.ids))
    if wish.arrival:
        out.append(cast(ColumnElement[bool], text(IS_FEATURE)))  # as it stands: so the index is found
    if wish.start is not None:
        out.append(ITEMS.c.t1 >= wish.start)
    if wish.end is not None:
        out.append(ITEMS.c.t0 <= wish.end)
    if wish.heights is not None:
        out.append(between(wish.heights, dialect))
    for geometries in _places(wish):
        touching = [
            parse_json({"op": "s_intersects", "args": [{"property": "geometry"}, g]}) for g in geometries
        ]
        out.append(or_(*(compiled(f, columns, dialect) for f in touching)))
    return out + [compiled(one, columns, dialect) for one in wish.filters]


def _places(wish: Search) -> list[list[Json]]:
    """Each place that items have to touch, as one or more geometries of which one suffices."""
    out: list[list[Json]] = []
    if wish.bbox is not None:
        out.append([{"bbox": list(box)} for box in split(wish.bbox)])
    if wish.intersects is not None:
        out.append([wish.intersects])
    return out


def _driven(connection: Connection, wish: Search) -> list[ColumnElement[bool]]:
    """In SQLite, the way from few boxes to their items; nothing where that would be the longer way."""
    if connection.dialect.name != "sqlite" or (boxes := _boxes(wish)) is None:
        return []
    found = []
    for west, south, east, north in boxes:
        box = {"west": west, "south": south, "east": east, "north": north}
        if connection.execute(BOXES_COUNT, {**box, "most": FEW + 1}).scalar_one() > FEW:
            return []
        found.append(box)
    parts = " UNION ".join(
        f"SELECT id / 2 FROM items_rt WHERE west <= :e{n} AND east >= :w{n} AND south <= :n{n} AND north >= :s{n}"  # noqa: S608
        for n in range(len(found))
    )
    values = {f"{edge[0]}{n}": box[edge] for n, box in enumerate(found) for edge in box}
    return [and_(text(f"items.pk IN ({parts})").bindparams(**values))]


def _boxes(wish: Search) -> list[Box] | None:
    """Boxes that hold all that can be found; None: the search says nothing of that."""
    if wish.bbox is not None:
        return list(split(wish.bbox))
    if wish.intersects is None:
        return None
    try:
        ground = footprint(wish.intersects, None)
    except ValueError as cause:
        raise Problem("ParameterInvalid", f"intersects: {cause}") from cause
    return list(ground.parts) if ground is not None else None
