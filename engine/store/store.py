"""The store: one database, one object for each kind of thing in it."""

from __future__ import annotations

import time

from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from engine.database import connected, writing
from engine.errors import Problem
from engine.store.processes import Processes
from engine.store.tables import METADATA
from engine.store.users import Users


class Store:
    """The database of a server. Threads share one; each process opens its own."""

    def __init__(self, url: str) -> None:
        self._engine = connected(url)
        self.users = Users(self._engine, time.time)
        """Accounts and their logins."""
        self.processes = Processes(self._engine)
        """Processes that users stored."""
        try:
            with writing(self._engine) as connection:
                METADATA.create_all(connection)
        except (DBAPIError, Problem) as cause:
            self._engine.dispose()
            shown = make_url(url).render_as_string(hide_password=True)
            raise Problem(
                "StorageFailure",
                f"the database {shown} cannot be used: {getattr(cause, 'orig', None) or cause.__cause__}",
                hint="Check GDC_DATABASE, and whether the database is running.",
            ) from cause

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()
