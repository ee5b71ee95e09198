"""The desk: the catalogue's database with the tables beside it, opened when it is needed first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from sqlalchemy import Connection

from engine.catalog import Catalog
from engine.database import make_tables
from engine.events.tables import METADATA


class Desk:
    """Transactions over the catalogue and what lies beside it."""

    def __init__(self, catalog: Callable[[], Catalog]) -> None:
        self._catalog = catalog
        self._lock = Lock()
        self._ready = False

    @property
    def catalog(self) -> Catalog:
        """The catalogue, all of it."""
        return self._catalog()

    @contextmanager
    def changing(self) -> Iterator[Connection]:
        """A transaction that writes; writers take turns."""
        self._prepare()
        with self.catalog.changing() as connection:
            yield connection

    @contextmanager
    def looking(self) -> Iterator[Connection]:
        """A transaction that reads."""
        self._prepare()
        with self.catalog.looking() as connection:
            yield connection

    def _prepare(self) -> None:
        with self._lock:
            if not self._ready:
                with self.catalog.changing() as connection:
                    make_tables(connection, METADATA)
                self._ready = True
