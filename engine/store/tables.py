"""The tables of the store, in terms that SQLite and PostgreSQL share."""

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
)

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

JOBS = Table(
    "jobs",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("owner", Text, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("status", Text, nullable=False),
    Column("document", Text, nullable=False, doc="The request that made it (JSON)."),
    Column("created", Float, nullable=False, doc="Seconds since 1970, as all times here."),
    Column("updated", Float, nullable=False),
    Column("queued", Float, doc="When it was put into the queue."),
    Column("lease", Float, doc="Until when the attempt under way is believed to be alive."),
    Column("progress", Float, nullable=False),
    Column("fence", Integer, nullable=False, doc="Goes up with every attempt."),
    Column("attempts", Integer, nullable=False, doc="Attempts since it was queued."),
    Column("items", Text, nullable=False, doc="Names of the STAC items of its results (JSON)."),
    Column("problem", Text, doc="Why it failed (JSON)."),
    Column("costs", Float, nullable=False, server_default="0"),
    Column("usage", Text, doc="What its results took (JSON)."),
    Index("jobs_owner", "owner", "created"),
    Index("jobs_queue", "status", "queued"),
)

EXECUTIONS = Table(
    "executions",
    METADATA,
    Column("job", Text, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("request", Text, nullable=False, doc="What of an OGC process was asked for (JSON)."),
    Column("started", Float, doc="When its first attempt began."),
    Column("known", Text, doc="The status that its subscriber is told of; null where nobody is told."),
    Index("executions_known", "known"),
)
"""Jobs that are executions of OGC processes; all others are openEO's."""

CALLBACKS = Table(
    "callbacks",
    METADATA,
    Column("pk", Integer, primary_key=True, autoincrement=True),
    Column("job", Text, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False, doc="What it is signed with."),
    Column("body", Text, nullable=False, doc="What is sent (JSON)."),
    Column("attempts", Integer, nullable=False),
    Column(
        "next", Float, nullable=False, doc="When to try; while it is tried, until when others leave it alone."
    ),
    Index("callbacks_due", "next"),
    Index("callbacks_job", "job"),
    sqlite_autoincrement=True,
)
"""What subscribers of executions are still to be told."""

LOGS = Table(
    "logs",
    METADATA,
    Column("pk", Integer, primary_key=True, autoincrement=True),
    Column("job", Text, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("level", Integer, nullable=False, doc="Place in `records.LEVELS`: 0 is the gravest."),
    Column("time", Float, nullable=False),
    Column(
        "entry", Text, nullable=False, doc="The entry as openEO has it (JSON), without id, level and time."
    ),
    Index("logs_job", "job", "pk"),
)

SERVICES = Table(
    "services",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("owner", Text, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("type", Text, nullable=False),
    Column("enabled", Integer, nullable=False, doc="0 or 1."),
    Column("document", Text, nullable=False, doc="The request that made it (JSON)."),
    Column("portrait", Text, nullable=False, doc="What was found out about its map (JSON)."),
    Column("version", Integer, nullable=False, doc="Goes up when its map changes."),
    Column("key", Text, nullable=False, doc="What its address holds besides its name."),
    Column("created", Float, nullable=False),
    Column("updated", Float, nullable=False),
    Index("services_owner", "owner", "created"),
)

SERVICE_LOGS = Table(
    "service_logs",
    METADATA,
    Column("pk", Integer, primary_key=True, autoincrement=True),
    Column("service", Text, ForeignKey("services.id", ondelete="CASCADE"), nullable=False),
    Column("level", Integer, nullable=False, doc="Place in `records.LEVELS`: 0 is the gravest."),
    Column("time", Float, nullable=False),
    Column("entry", Text, nullable=False, doc="The entry (JSON), without id, level and time."),
    Index("service_logs_service", "service", "pk"),
    sqlite_autoincrement=True,  # ids of entries are known to clients, and never come again
)

OBJECTS = Table(
    "objects",
    METADATA,
    Column("store", Text, primary_key=True, doc="Name of the place that holds the bytes."),
    Column("path", Text, primary_key=True),
    Column("size", BigInteger, nullable=False, doc="Bytes."),
    Column("media_type", Text, nullable=False),
    Column("md5", LargeBinary, nullable=False, doc="16 bytes."),
    Column("crc32c", BigInteger, nullable=False, doc="Unsigned."),
    Column("etag", Text, nullable=False, doc="The version that the digests are of."),
    Column("modified", Float, nullable=False),
    Column("created", Float, nullable=False),
    Column("owner", Text, ForeignKey("users.id", ondelete="SET NULL")),
    Index("objects_owner", "owner"),
)

SECRETS = Table(
    "secrets",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False, doc="Shared by all servers of this database."),
)
