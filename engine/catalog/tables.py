"""The tables of the catalogue, in terms that SQLite and PostgreSQL share, and what each has of its own for boxes."""

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
from sqlalchemy.dialects.postgresql import JSONB

SCHEMA_VERSION = 3
METADATA = MetaData()
KEY = BigInteger().with_variant(Integer, "sqlite")
SEARCHED = JSONB().with_variant(Text(), "sqlite")
"""JSON that searches look into. It is written and read as text, whatever the database."""

COLLECTIONS = Table(
    "collections",
    METADATA,
    Column("pk", KEY, primary_key=True),
    Column("id", Text, nullable=False, unique=True, doc="What all the world calls it."),
    Column(
        "owner", Text, nullable=False, server_default="", doc="Whose it is; empty: everybody may read it."
    ),
    Column("name", Text, nullable=False, server_default="", doc="What its owner calls it."),
    Column(
        "kind",
        Text,
        nullable=False,
        server_default="collection",
        doc="`collection`, `catalog` or `features`.",
    ),
    Column("org", Text, doc="The organisation that publishes into it."),
    Column("doc", Text, nullable=False, doc="The collection as its source gave it (JSON)."),
    Column(
        "version", Integer, nullable=False, doc="Goes up with every write to the collection or its items."
    ),
    Column(
        "rewritten",
        Integer,
        nullable=False,
        server_default="0",
        doc="The version at which an item that was there changed or went.",
    ),
    Column("created", BigInteger, nullable=False, doc="Microseconds since 1970, as all times here."),
    Column("updated", BigInteger, nullable=False),
    Index("collections_owner", "owner", "name"),
)

PARENTS = Table(
    "parents",
    METADATA,
    Column("child", KEY, ForeignKey("collections.pk", ondelete="CASCADE"), primary_key=True),
    Column("parent", KEY, ForeignKey("collections.pk", ondelete="CASCADE"), primary_key=True),
)

ITEMS = Table(
    "items",
    METADATA,
    Column("pk", KEY, primary_key=True),
    Column("collection", KEY, ForeignKey("collections.pk", ondelete="CASCADE"), nullable=False),
    Column("id", Text, nullable=False),
    Column("t0", BigInteger, nullable=False, doc="First instant; of what has no time, `times.ALWAYS`."),
    Column(
        "t1", BigInteger, nullable=False, doc="Last instant, included; the same for an item of one instant."
    ),
    Column("dt", BigInteger, doc="Its `datetime`; null where it has none but an interval."),
    Column(
        "west",
        Float,
        doc="Box of the footprint: west > east across the antimeridian, null where there is none.",
    ),
    Column("south", Float),
    Column("east", Float),
    Column("north", Float),
    Column("shape", LargeBinary, doc="The footprint (WKB), longitudes in one piece."),
    Column("properties", SEARCHED, nullable=False, doc="The properties alone (JSON), for searches by them."),
    Column("doc", Text, nullable=False, doc="The whole STAC item, or feature (JSON)."),
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
    Column("item", KEY, ForeignKey("items.pk", ondelete="CASCADE"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("href", Text, nullable=False),
    Column("type", Text),
    Column("roles", Text, doc="A JSON list, or null."),
    Index("assets_href", "href"),
)

RELATIONS = Table(
    "relations",
    METADATA,
    Column("project", Text, primary_key=True),
    Column("collection", Text, primary_key=True, doc="Id of a collection, which may come later."),
    Column("item", Text, primary_key=True, doc="Id of an item, which may come later."),
    Column("id", Text, nullable=False),
)

OUTBOX = Table(
    "outbox",
    METADATA,
    Column("seq", KEY, primary_key=True, autoincrement=True, doc="Readers go on after the last they have."),
    Column("time", BigInteger, nullable=False),
    Column("event", Text, nullable=False, doc="`created`, `updated` or `deleted`."),
    Column("kind", Text, nullable=False, doc="`Item`, `Collection` or `Catalog`."),
    Column("collection", Text, nullable=False, doc="Id of the collection, or of the catalogue itself."),
    Column("owner", Text, nullable=False, doc="Whose the collection is."),
    Column("item", Text, doc="Id of the item; null where the event is about the collection."),
    Column("parents", Text, nullable=False, doc="Ids of all that the collection stands under (JSON list)."),
    Column("actor", Text, nullable=False, doc="Who wrote."),
    Column("source", Text, nullable=False, doc="The way by which it came."),
    Column("live", Integer, nullable=False, doc="0 where it is old data: catalogued, and not news."),
    Index("outbox_item", "collection", "item", "seq"),
    sqlite_autoincrement=True,  # a number that readers know never comes again
)

CLOUD, PLATFORM = "eo:cloud_cover", "platform"
"""Properties that most searches ask for; in SQLite the index of times has them, so that no document is read."""

SQLITE_TYPES = {"number": ("DOUBLE", "('integer', 'real')"), "string": ("TEXT", "('text')")}
"""What SQLite calls the type of a property's column, and its values in JSON."""


def computed(column: str, name: str, kind: str) -> str:
    """SQLite: a column that is computed from a property, as filters say it, when it is indexed; null for other values."""
    type_, values = SQLITE_TYPES[kind]
    path = f"""'$."{name}"'"""
    return (
        f"ALTER TABLE items ADD COLUMN {column} {type_} GENERATED ALWAYS AS"
        f" (CASE WHEN json_type(properties, {path}) IN {values}"
        f" THEN CAST(json_extract(properties, {path}) AS {type_}) END) VIRTUAL"
    )


def expression(name: str, kind: str) -> str:
    """PostgreSQL: the value of a property as filters say it, null for values of another kind."""
    value = f"properties -> '{name}'"
    if kind == "number":
        return f"gdc_number({value})"
    return f"(CASE WHEN jsonb_typeof({value}) = 'string' THEN properties ->> '{name}' END)"


# SQLite: each group of columns is made where its column is not there.
OWN_COLUMNS = {
    "cloud": (
        computed("cloud", CLOUD, "number"),
        computed("platform", PLATFORM, "string"),
        "DROP INDEX IF EXISTS items_latest",
        "CREATE INDEX items_latest ON items (t0, id, collection, t1, cloud, platform)",
    ),
    "expires": (
        computed("expires", "expires", "string"),
        "CREATE INDEX items_expires ON items (expires) WHERE expires IS NOT NULL",
    ),
}

# Which of many ids there are: one parameter holds them all.
KNOWN = {
    "sqlite": text(
        "SELECT id, pk FROM items WHERE collection = :collection AND id IN (SELECT value FROM json_each(:ids))"
    ),
    "postgresql": text("SELECT id, pk FROM items WHERE collection = :collection AND id = ANY (:ids)"),
}

# SQLite: boxes of footprints as 32-bit numbers rounded outwards. Item pk has the rows 2 pk and, where it lies on
# both sides of the antimeridian, 2 pk + 1.
BOXES = "items_rt"
BOXES_TABLE = text("CREATE VIRTUAL TABLE IF NOT EXISTS items_rt USING rtree(id, west, east, south, north)")
BOXES_DROP = text("DELETE FROM items_rt WHERE id IN (2 * :pk, 2 * :pk + 1)")
BOXES_DROP_ALL = text(
    "DELETE FROM items_rt WHERE id / 2 IN (SELECT pk FROM items WHERE collection = :collection)"
)

# PostgreSQL: the footprint as PostGIS has it.
GEOMETRY = (
    "CREATE EXTENSION IF NOT EXISTS postgis",
    "ALTER TABLE items ADD COLUMN IF NOT EXISTS geom geometry(Geometry, 4326)"
    " GENERATED ALWAYS AS (ST_SetSRID(ST_GeomFromWKB(shape), 4326)) STORED",
    "CREATE INDEX IF NOT EXISTS items_geom ON items USING gist (geom)",
    'CREATE INDEX IF NOT EXISTS items_latest ON items (t0, id COLLATE "C")',
)

# PostgreSQL: documents are long enough to be compressed; LZ4, where the server has it, takes a tenth of the time.
HAS_LZ4 = text(
    "SELECT count(*) FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)"
)
QUICKLY_COMPRESSED = "ALTER TABLE items " + ", ".join(
    f"ALTER COLUMN {name} SET COMPRESSION lz4" for name in ("doc", "properties", "varies", "layout")
)

# PostgreSQL: an index and figures by which it plans, of what filters ask of these; they need the functions of filters.
ATTRIBUTES = (
    f"CREATE INDEX IF NOT EXISTS items_cloud ON items ({expression(CLOUD, 'number')})",
    f"CREATE STATISTICS IF NOT EXISTS items_platform ON {expression(PLATFORM, 'string')} FROM items",
)

EXPIRES = {
    "sqlite": "items.expires",
    "postgresql": "(CASE WHEN jsonb_typeof(properties -> 'expires') = 'string'"
    """ THEN left(properties ->> 'expires', 40) END COLLATE "C")""",
}
"""The text by which an item says when it expires, null where there is none. What is longer than times is cut off in
PostgreSQL, whose indexes take no long texts."""

# PostgreSQL: it is made where it is not there.
EXPIRY = (
    f"CREATE INDEX items_expires ON items ({EXPIRES['postgresql']}) WHERE {EXPIRES['postgresql']} IS NOT NULL"
)

BARE = "{}"
"""The layout of features, which have no bands and no assets."""
IS_FEATURE = f"items.layout = '{BARE}'"
"""The condition under which the next index has a row."""
ARRIVAL = f"CREATE INDEX items_arrival ON items (collection, pk) WHERE layout = '{BARE}'"
"""Features in the order in which they came; made where it is not there."""

_MEETS = "west <= :east AND east >= :west AND south <= :north AND north >= :south"
_COLUMNS = "i.pk, i.t0, i.t1, i.west, i.south, i.east, i.north, i.shape"
_BOX = "ST_MakeEnvelope(:west {turn}, :south, :east {turn}, :north, 4326)"

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

BY_GEOMETRY = text(
    f"SELECT {_COLUMNS} FROM items i WHERE i.collection = :collection AND ("  # noqa: S608
    + " OR ".join(f"i.geom && {_BOX.format(turn=turn)}" for turn in ("", "+ 360", "- 360"))
    + ")"
)

NOWHERE = text(f"SELECT {_COLUMNS} FROM items i WHERE i.collection = :collection AND i.west IS NULL")  # noqa: S608
