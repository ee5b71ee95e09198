"""Items in a little table of SQLite or PostgreSQL, to be asked by filters."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import shapely
from sqlalchemy import BigInteger, Column, Float, LargeBinary, MetaData, Table, Text, event, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import UserDefinedType

from engine.catalog.filters import POSTGRES_DDL, Columns, Filter, compiled, install
from engine.catalog.space import footprint
from engine.catalog.times import span_of
from engine.database import connected, reading, writing

TABLE = Table(
    "filtered",
    MetaData(),
    *(Column(name, Text) for name in ("id", "collection")),
    *(Column(name, BigInteger) for name in ("t0", "t1", "dt")),
    Column("shape", LargeBinary),
    *(Column(name, Float) for name in ("west", "south", "east", "north")),
    Column("properties", Text().with_variant(JSONB(), "postgresql")),
)


class _Geometry(UserDefinedType):
    cache_ok = True

    def get_col_spec(self) -> str:
        return "geometry(Geometry, 4326)"


class Rows:
    """The table, on a database of its own."""

    def __init__(self, url: str) -> None:
        self.engine = connected(url)
        self.dialect = self.engine.dialect.name
        if self.dialect == "sqlite":
            event.listen(self.engine, "connect", lambda raw, _: install(raw))
        with writing(self.engine) as connection:
            if self.dialect == "postgresql":
                connection.execute(text("CREATE EXTENSION postgis"))
                for _ in range(2):
                    for statement in POSTGRES_DDL:
                        connection.exec_driver_sql(statement)
            TABLE.create(connection)
            if self.dialect == "postgresql":
                made = "geometry(Geometry, 4326) GENERATED ALWAYS AS (ST_GeomFromWKB(shape, 4326)) STORED"
                connection.execute(text(f"ALTER TABLE filtered ADD COLUMN geom {made}"))
                connection.execute(text("CREATE INDEX ON filtered USING gist (geom)"))
        geom = Column("geom", _Geometry()) if self.dialect == "postgresql" else None
        names = (
            "id",
            "collection",
            "t0",
            "t1",
            "dt",
            "shape",
            "west",
            "south",
            "east",
            "north",
            "properties",
        )
        self.columns = Columns(*(TABLE.c[name] for name in names), geom=geom)

    def fill(self, items: Sequence[dict[str, Any]]) -> None:
        """Have these items and no others."""
        with writing(self.engine) as connection:
            connection.execute(TABLE.delete())
            if items:
                connection.execute(TABLE.insert(), [self._row(item) for item in items])

    def matching(self, wish: Filter) -> set[str]:
        """Ids of the items that match."""
        condition = compiled(wish, self.columns, self.dialect)
        with reading(self.engine) as connection:
            return set(connection.execute(select(TABLE.c.id).where(condition)).scalars())

    def _row(self, item: dict[str, Any]) -> dict[str, Any]:
        ground = footprint(item.get("geometry"), item.get("bbox"))
        box = ground.box if ground else (None,) * 4
        first, last = span_of(item["properties"])
        kept = item["properties"]
        return {
            "id": item["id"],
            "collection": item.get("collection"),
            "t0": first,
            "t1": last,
            "dt": None if kept.get("datetime") is None else first,
            "shape": shapely.to_wkb(ground.shape) if ground else None,
            **dict(zip(("west", "south", "east", "north"), box, strict=True)),
            "properties": json.dumps(kept),
        }
