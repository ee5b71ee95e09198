"""The tables of the catalogue: plain ones that any SQL database can hold, and SQLite's index of boxes."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy import UniqueConstraint as Unique

SCHEMA_VERSION = 1
METADATA = MetaData()

COLLECTIONS = Table(
    "collections",
    METADATA,
    Column("pk", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("doc", Text, nullable=False, doc="The STAC collection as its source gave it (JSON)."),
    Column(
        "version", Integer, nullable=False, doc="Goes up with every write to the collection or its items."
    ),
    Column("created", BigInteger, nullable=False, doc="Microseconds since 1970, as all times here."),
    Column("updated", BigInteger, nullable=False),
)

ITEMS = Table(
    "items",
    METADATA,
    Column("pk", Integer, primary_key=True),
    Column("collection", Integer, ForeignKey("collections.pk", ondelete="CASCADE"), nullable=False),
    Column("id", Text, nullable=False),
    Column("t0", BigInteger, nullable=False, doc="First instant."),
    Column(
        "t1", BigInteger, nullable=False, doc="Last instant, included; the same for an item of one instant."
    ),
    Column(
        "west",
        Float,
        doc="Box of the footprint: west > east across the antimeridian, null where there is none.",
    ),
    Column("south", Float),
    Column("east", Float),
    Column("north", Float),
    Column("shape", LargeBinary, doc="The footprint (WKB), longitudes in one piece."),
    Column("properties", Text, nullable=False, doc="The properties alone (JSON), for searches by them."),
    Column("doc", Text, nullable=False, doc="The whole STAC item (JSON)."),
    Column(
        "varies",
        Text,
        nullable=False,
        doc="What a collection sums up of its items (JSON), see `summaries.Glance`.",
    ),
    Column("layout", Text, nullable=False, doc="Bands and assets in common with other items (JSON)."),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("version", Integer, nullable=False, doc="How often the item was written."),
    Unique("collection", "id"),
    Index("items_time", "collection", "t0", "t1", "id"),
)
Index(
    "items_nowhere",
    ITEMS.c.collection,
    sqlite_where=ITEMS.c.west.is_(None),
    postgresql_where=ITEMS.c.west.is_(None),
)

ASSETS = Table(
    "assets",
    METADATA,
    Column("item", Integer, ForeignKey("items.pk", ondelete="CASCADE"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("href", Text, nullable=False),
    Column("type", Text),
    Column("roles", Text, doc="A JSON list, or null."),
    Index("assets_href", "href"),
)

# Boxes of footprints as 32-bit numbers rounded outwards. Item pk has the rows 2 pk and, where it lies on
# both sides of the antimeridian, 2 pk + 1.
BOXES_TABLE = text("CREATE VIRTUAL TABLE IF NOT EXISTS items_rt USING rtree(id, west, east, south, north)")
BOXES_PUT = text(
    "INSERT INTO items_rt (id, west, east, south, north) VALUES (:id, :west, :east, :south, :north)"
)
BOXES_DROP = text("DELETE FROM items_rt WHERE id IN (2 * :pk, 2 * :pk + 1)")

_MEETS = "west <= :east AND east >= :west AND south <= :north AND north >= :south"
_COLUMNS = "i.pk, i.t0, i.t1, i.west, i.south, i.east, i.north, i.shape"

BOXES_COUNT = text(f"SELECT count(*) FROM (SELECT 1 FROM items_rt WHERE {_MEETS} LIMIT :most)")  # noqa: S608 (constants)

BY_BOXES = text(
    # CROSS JOIN keeps SQLite to this order: from the few boxes to their items.
    f"SELECT {_COLUMNS} FROM items_rt r CROSS JOIN items i ON i.pk = r.id / 2"  # noqa: S608
    " WHERE r.west <= :east AND r.east >= :west AND r.south <= :north AND r.north >= :south"
    " AND i.collection = :collection"
)

BY_COLLECTION = text(
    f"SELECT {_COLUMNS} FROM items i WHERE i.collection = :collection"  # noqa: S608
    " AND i.south <= :north AND i.north >= :south"
    " AND CASE WHEN i.west <= i.east THEN i.west <= :east AND i.east >= :west"
    " ELSE i.west <= :east OR i.east >= :west END"
)

NOWHERE = text(f"SELECT {_COLUMNS} FROM items i WHERE i.collection = :collection AND i.west IS NULL")  # noqa: S608
