"""The store: one database, one object for each kind of thing in it."""

from __future__ import annotations

import secrets
import time

from sqlalchemy import make_url, select
from sqlalchemy.exc import DBAPIError

from engine.database import connected, make_tables, put_first, writing
from engine.errors import Problem
from engine.store.jobs import Jobs
from engine.store.logs import Logs
from engine.store.processes import Processes
from engine.store.service_logs import ServiceLogs
from engine.store.services import Services
from engine.store.tables import METADATA, SECRETS
from engine.store.users import Users


class Store:
    """The database of a server. Threads share one; each process opens its own."""

    def __init__(self, url: str) -> None:
        self._engine = connected(url)
        self.users = Users(self._engine, time.time)
        """Accounts and their logins."""
        self.processes = Processes(self._engine)
        """Processes that users stored."""
        self.jobs = Jobs(self._engine)
        """Batch jobs; their rows are the queue."""
        self.logs = Logs(self._engine)
        """What batch jobs tell."""
        self.services = Services(self._engine)
        """Secondary web services."""
        self.service_logs = ServiceLogs(self._engine)
        """What web services tell."""
        try:
            with writing(self._engine) as connection:
                make_tables(connection, METADATA)
        except (DBAPIError, Problem) as cause:
            self._engine.dispose()
            shown = make_url(url).render_as_string(hide_password=True)
            raise Problem(
                "StorageFailure",
                f"the database {shown} cannot be used: {getattr(cause, 'orig', None) or cause.__cause__}",
                hint="Check GDC_DATABASE, and whether the database is running.",
            ) from cause

    def secret(self, name: str) -> str:
        """A secret that all servers of this database share; made when it is asked for first."""
        with writing(self._engine) as connection:
            put_first(connection, SECRETS, {"name": name}, {"value": secrets.token_urlsafe(32)})
            return str(connection.execute(select(SECRETS.c.value).where(SECRETS.c.name == name)).scalar_one())

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()
