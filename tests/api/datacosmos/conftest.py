"""A server with DataCosmos' profile: two organisations with projects and contracts, and who belongs to them."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from api.auth.passwords import hashed
from engine import Backend, Settings, User
from engine.organisations import Contract, Organisation, Project, Rate
from tests.api.conftest import Served, serving

STAC = "/api/data/v0/stac"
STORAGE = "/api/data/v0/storage"
SCENARIO = "/api/data/v0/scenario/scenario"
ROLES = {
    "ada": {"user", "catalog_write"},
    "bob": {"user"},
    "eve": {"user"},
    "wes": {"user", "catalog_write:mine"},
}
ORGANISATIONS = (
    Organisation(id="acme", title="Acme", members=("ada", "bob")),
    Organisation(id="other", members=("eve",)),
)
PROJECTS = (
    Project(id="your-project-id", title="Ours", organisation="acme"),
    Project(id="theirs", organisation="other"),
)
CONTRACTS = (
    Contract(id=456, organisation="acme", currency="GBP", rates=(Rate(per_km2=2, collection="sat*"),)),
    Contract(id=457, organisation="other", currency="EUR", rates=(Rate(per_km2=3),)),
)


@pytest.fixture(scope="module")
def cosmos(tmp_path_factory, answers_checked) -> Iterator[Served]:
    """The server; the catalogue is empty."""
    settings = Settings(
        home=tmp_path_factory.mktemp("cosmos"), local_files=False, private_hosts="deny", job_slots=0,
        organisations=ORGANISATIONS, projects=PROJECTS, contracts=CONTRACTS,
    )  # fmt: skip
    backend = Backend(settings)
    for name, roles in ROLES.items():
        backend.store.users.put(User(name, roles=frozenset(roles)), hashed(name))
    with serving(backend, answers_checked) as served:
        yield served


def of(name: str):
    @pytest.fixture(scope="module", name=name)
    def client(cosmos) -> Iterator[httpx.Client]:
        with cosmos.client(name) as one:
            yield one

    return client


ada, bob, eve, wes = (of(name) for name in ROLES)


@pytest.fixture(scope="module")
def nobody(cosmos) -> Iterator[httpx.Client]:
    """Somebody who is not logged in."""
    with cosmos.client() as client:
        yield client
