"""What several rooms of tests share: where real data lies, and an engine of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from node import installed, missing
from postgres import Postgres, binary

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("GDC_TEST_DATA", ROOT.parent / "shared" / "data"))
CONTRACTS = Path(os.environ.get("GDC_TEST_CONTRACTS", ROOT.parent / "shared" / "contracts"))


settings.register_profile("ours", deadline=None)  # a busy machine is no fault of the code
settings.load_profile("ours")
os.environ.setdefault("GDC_ALLOWED_HOSTS", '["127.0.0.1"]')  # where the tests' own servers listen


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real data."""
    if not DATA.is_dir():
        pytest.skip(f"the real data is not here ({DATA}); set GDC_TEST_DATA")
    return DATA


@pytest.fixture(scope="session")
def contracts() -> Path:
    """The folder of the standards' machine-readable files."""
    if not CONTRACTS.is_dir():
        pytest.skip(f"the standards' files are not here ({CONTRACTS}); set GDC_TEST_CONTRACTS")
    return CONTRACTS


@pytest.fixture(scope="session")
def specifications() -> Path | None:
    """The folder of the standards' OpenAPI documents, where it is there."""
    return CONTRACTS / "specs" if CONTRACTS.is_dir() else None


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server."""
    if binary("initdb") is None:
        pytest.skip("PostgreSQL is not installed; apt-get install postgresql")
    server = Postgres()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgis(postgres) -> Postgres:
    """A PostgreSQL server whose databases can have PostGIS."""
    if not list(Path("/usr/share/postgresql").glob("*/extension/postgis.control")):
        pytest.skip("PostGIS is not installed; apt-get install postgresql-15-postgis-3")
    return postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path) -> str:
    """The URL of an empty database, of each kind in turn."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgres").database()
    return f"sqlite:///{tmp_path / 'store.sqlite'}"


@pytest.fixture(scope="session")
def node() -> None:
    """Node.js, and the packages of `tests/clients`."""
    reason = missing()
    if reason is not None:
        pytest.skip(reason)
    installed()


@pytest.fixture
def session(tmp_path):
    """An engine with an empty catalogue."""
    import engine

    with engine.open(tmp_path / "catalog.sqlite", home=tmp_path) as opened:
        yield opened
