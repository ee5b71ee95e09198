"""Tables of items to ask, of each kind of database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy.exc import DBAPIError

from filtered_rows import Rows


def _opened(url: str) -> Rows:
    try:
        return Rows(url)
    except DBAPIError as cause:
        if "postgis" in str(cause):
            pytest.skip("PostGIS is not installed; apt-get install postgresql-15-postgis-3")
        raise


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory) -> Iterator[Rows]:
    """A table in SQLite."""
    rows = _opened(f"sqlite:///{tmp_path_factory.mktemp('filters')}/rows.db")
    yield rows
    rows.engine.dispose()


@pytest.fixture(scope="module")
def postgis(postgres) -> Iterator[Rows]:
    """A table in PostgreSQL with PostGIS."""
    rows = _opened(postgres.database())
    yield rows
    rows.engine.dispose()


@pytest.fixture(scope="module", params=["sqlite", "postgis"])
def rows(request) -> Rows:
    """A table in each in turn."""
    return request.getfixturevalue(request.param)
