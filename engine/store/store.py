"""The store: one database, one object for each kind of thing in it."""

from __future__ import annotations

import secrets
import time

from sqlalchemy import make_url, select
from sqlalchemy.exc import DBAPIError

from engine.database import Away, connected, make_tables, put_first, writing
from engine.errors import Problem
from engine.store.callbacks import Callbacks
from engine.store.jobs import Jobs
from engine.store.logs import Logs, ServiceLogs
from engine.store.objects import ObjectFacts
from engine.store.processes import Processes
from engine.store.services import Services
from engine.store.tables import METADATA, SECRETS
from engine.store.users import Users


class Store:
    """The database of a server. Threads share one; each process opens its own."""

    def __init__(self, url: str) -> None:
        self._engine = connected(url)
        self._secrets: dict[str, str] = {}
        self.users = Users(self._engine, time.time)
        """Accounts and their logins."""
        self.processes = Processes(self._engine)
        """Processes that users stored."""
        self.jobs = Jobs(self._engine)
        """Batch jobs; their rows are the queue."""
        self.callbacks = Callbacks(self._engine)
        """What subscribers of executions are to be told."""
        self.logs = Logs(self._engine)
        """What batch jobs tell."""
        self.services = Services(self._engine)
        """Secondary web services."""
        self.service_logs = ServiceLogs(self._engine)
        """What web services tell."""
        self.objects = ObjectFacts(self._engine)
        """What is known about objects; their bytes lie elsewhere."""
        try:
            with writing(self._engine) as connection:
                make_tables(connection, METADATA)
        except (DBAPIError, Problem) as cause:
            self._engine.dispose()
            shown = make_url(url).render_as_string(hide_password=True)
            kind = Away if isinstance(cause, Away) and not url.startswith("sqlite") else Problem
            raise kind(
                "StorageFailure",
                f"the database {shown} cannot be used: {getattr(cause, 'orig', None) or cause.__cause__}",
                hint="Check GDC_DATABASE, and whether the database is running.",
            ) from cause

    def secret(self, name: str) -> str:
        """A secret that all servers of this database share; made when it is asked for first, and never changed."""
        if name not in self._secrets:
            with writing(self._engine) as connection:
                put_first(connection, SECRETS, {"name": name}, {"value": secrets.token_urlsafe(32)})
                found = connection.execute(select(SECRETS.c.value).where(SECRETS.c.name == name)).scalar_one()
            self._secrets[name] = str(found)
        return self._secrets[name]

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()
