"""The tables of the store, in terms that SQLite and PostgreSQL share."""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, MetaData, Table, Text

METADATA = MetaData()

USERS = Table(
    "users",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("roles", Text, nullable=False, doc="A JSON list."),
    Column("password", Text, doc="Hash of the password; null where another party vouches for the user."),
)

TOKENS = Table(
    "tokens",
    METADATA,
    Column("digest", Text, primary_key=True, doc="SHA-256 of the token: who reads the table has no login."),
    Column("owner", Text, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("expires", Float, nullable=False, doc="Seconds since 1970."),
    Index("tokens_owner", "owner"),
)

PROCESSES = Table(
    "processes",
    METADATA,
    Column("owner", Text, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("id", Text, primary_key=True),
    Column("document", Text, nullable=False, doc="The process as JSON."),
)
