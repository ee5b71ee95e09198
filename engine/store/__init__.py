"""What a server keeps between requests, in SQLite or PostgreSQL. Each query about a user's thing names the user."""

from engine.store.store import Store

__all__ = ["Store"]
