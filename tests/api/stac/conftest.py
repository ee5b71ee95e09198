"""A server with a catalogue of its own, and who may change it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from engine import Backend, Settings
from tests.api.conftest import Served, serving, with_writer


@pytest.fixture(scope="module")
def hub(tmp_path_factory, answers_checked) -> Iterator[Served]:
    """The server; the catalogue is empty."""
    home = tmp_path_factory.mktemp("hub")
    orbit = {"name": "sat:relative_orbit", "type": "number", "title": "Relative orbit"}
    backend = Backend(
        Settings(home=home, local_files=False, private_hosts="deny", job_slots=0, queryables=(orbit,))
    )
    with_writer(backend)
    with serving(backend, answers_checked) as served:
        yield served


@pytest.fixture(scope="module")
def writer(hub) -> Iterator[httpx.Client]:
    """Somebody who may change the catalogue."""
    with hub.client("ada") as client:
        yield client


@pytest.fixture(scope="module")
def reader(hub) -> Iterator[httpx.Client]:
    """Somebody who is not logged in."""
    with hub.client() as client:
        yield client
