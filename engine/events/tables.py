"""Tables that lie beside the catalogue: what publishers sent, what waits, and what goes to webhooks."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, MetaData, Table, Text

METADATA = MetaData()
KEY = BigInteger().with_variant(Integer, "sqlite")

PUBLISH_LOG = Table(
    "publish_log",
    METADATA,
    Column("pk", KEY, primary_key=True, autoincrement=True),
    Column("time", Float, nullable=False, doc="Seconds since 1970, as all times here."),
    Column("user", Text, nullable=False, doc="Identifier of the account."),
    Column("org", Text, doc="The organisation in whose name it came; null where that is not known."),
    Column("kind", Text, doc="`Item`, `Collection` or `Catalog`; null where it is none of them."),
    Column("id", Text),
    Column("collection", Text, doc="Id of the collection of an item."),
    Column("state", Text, nullable=False, doc="`accepted`, `pending` or `rejected`."),
    Column("reason", Text, doc="Why it was rejected, or what it waits for."),
    Column("seq", BigInteger, doc="Number of its event in the outbox."),
    Index("publish_log_user", "user", "pk"),
    sqlite_autoincrement=True,
)

PUBLISH_COUNTS = Table(
    "publish_counts",
    METADATA,
    Column("user", Text, primary_key=True),
    Column("state", Text, primary_key=True),
    Column("total", BigInteger, nullable=False, doc="All there ever were, also those that the log forgot."),
)

PENDING = Table(
    "pending",
    METADATA,
    Column("pk", KEY, primary_key=True, autoincrement=True, doc="In the order in which they came."),
    Column("log", BigInteger, nullable=False, doc="Its entry of the publish log."),
    Column("awaits", Text, nullable=False, doc="Id of the collection or catalogue it waits for."),
    Column("user", Text, nullable=False),
    Column("roles", Text, nullable=False, doc="Roles that the user had when it came (JSON list)."),
    Column("time", Float, nullable=False, doc="When it came."),
    Column("size", Integer, nullable=False, doc="Bytes of the message."),
    Column("message", Text, nullable=False, doc="What was sent (JSON)."),
    Index("pending_awaits", "awaits", "pk"),
    Index("pending_user", "user"),
    Index("pending_time", "time"),
    sqlite_autoincrement=True,
)

WEBHOOKS = Table(
    "webhooks",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False, doc="What deliveries are signed with."),
    Column("collections", Text, doc="Ids with everything under them (JSON list); null: all."),
    Column("filter", Text, doc="A condition in CQL2 (JSON: a text or an object); null: none."),
    Column("events", Text, nullable=False, doc="JSON list of `created`, `updated`, `deleted`."),
    Column("owner", Text, nullable=False, doc="The account that made it."),
    Column("enabled", Integer, nullable=False, doc="0 or 1."),
    Column("base", Text, nullable=False, doc="Where the server is reached; addresses of items begin so."),
    Column("since", BigInteger, nullable=False, doc="It is told of events with higher numbers."),
    Column("created", Float, nullable=False),
)

DELIVERIES = Table(
    "deliveries",
    METADATA,
    Column("pk", KEY, primary_key=True, autoincrement=True),
    Column("webhook", Text, ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
    Column("seq", BigInteger, nullable=False, doc="Number of the event."),
    Column("collection", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("body", Text, nullable=False, doc="What is sent (JSON)."),
    Column("status", Text, nullable=False, doc="`waiting`, `delivered` or `failed`."),
    Column("attempts", Integer, nullable=False),
    Column(
        "next", Float, nullable=False, doc="When to try; while it is tried, until when others leave it alone."
    ),
    Column("answer", Integer, doc="Status code of the last answer."),
    Column("error", Text, doc="What went wrong last."),
    Column("created", Float, nullable=False),
    Column("ended", Float),
    Index("deliveries_once", "webhook", "seq", unique=True),
    Index("deliveries_due", "status", "next"),
    Index("deliveries_item", "webhook", "collection", "item", "seq"),
    sqlite_autoincrement=True,
)

CURSORS = Table(
    "cursors",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False, doc="Number of the last event that was looked at."),
)
