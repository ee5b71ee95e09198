"""A server over a small sample catalogue, and clients of its users."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from api.app import create_app
from api.auth.passwords import hashed
from api.serving import Listener
from contracts import Contract, Own, check_frame
from engine import Backend, Settings, User
from engine.catalog import Catalog
from engine.demo import make_scenes

SPECS = ("openeo-1.2.0-openapi.yaml", "gdc-1.0.0-beta-openapi.patched.yaml")


@dataclass(frozen=True)
class Served:
    """A server that listens on loopback."""

    url: str
    backend: Backend
    hooks: list[Callable[[httpx.Response], None]]
    """What looks at every answer."""

    def client(self, user: str | None = None) -> httpx.Client:
        """A client, logged in as that user; passwords are names."""
        client = httpx.Client(base_url=self.url, timeout=60, event_hooks={"response": self.hooks})
        if user is not None:
            login = httpx.get(f"{self.url}/credentials/basic", auth=(user, user), timeout=60)
            token = login.json()["access_token"]
            client.headers["Authorization"] = f"Bearer basic//{token}"
        return client


@pytest.fixture(scope="session")
def catalog(tmp_path_factory):
    """The catalogue of sample scenes of 2 km."""
    folder = tmp_path_factory.mktemp("scenes")
    catalog = Catalog(folder / "catalog.sqlite")
    catalog.add(make_scenes(folder / "scenes", size=200))
    catalog.close()
    return folder / "catalog.sqlite"


@pytest.fixture(scope="session")
def answers_checked(specifications: Path | None) -> list[Callable[[httpx.Response], None]]:
    """What every answer in these tests is held against: the standards' documents, where they are there."""
    documents = [Contract(specifications / name) for name in SPECS if specifications is not None]
    return [check_frame, *(d.check for d in documents)]


@pytest.fixture(scope="session")
def served(catalog, tmp_path_factory, answers_checked) -> Iterator[Served]:
    """The server, with the users ada and bob."""
    settings = Settings(
        home=tmp_path_factory.mktemp("home"), catalog=catalog, local_files=False, private_hosts="deny"
    )
    backend = Backend(settings)
    for name in ("ada", "bob"):
        backend.store.users.put(User(name), hashed(name))
    with serving(backend, answers_checked) as served:
        yield served


def with_writer(backend: Backend) -> None:
    """Make the accounts ada, who may change the catalogue, and bob, who may not."""
    for name, roles in (("ada", {"user", "catalog_write"}), ("bob", {"user"})):
        backend.store.users.put(User(name, roles=frozenset(roles)), hashed(name))


@contextmanager
def serving(backend: Backend, hooks: list[Callable[[httpx.Response], None]]) -> Iterator[Served]:
    """A server over this back-end."""
    config = uvicorn.Config(
        create_app(backend), host="127.0.0.1", port=0, log_level="warning", timeout_keep_alive=300,
        ws_max_size=backend.settings.publish_bytes,
    )  # fmt: skip
    listening = config.bind_socket()
    server = Listener(config, backend)
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        own = Own(httpx.get(f"{url}/openapi", timeout=60).json())
        yield Served(url, backend, [*hooks, own.check])
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


@pytest.fixture(scope="module")
def serve_with(catalog, tmp_path_factory, answers_checked) -> Iterator[Callable[..., Served]]:
    """Starts servers over the same catalogue with other settings, and the user ada."""
    with ExitStack() as stack:

        def start(**settings: Any) -> Served:
            home = tmp_path_factory.mktemp("home")
            safe = {"local_files": False, "private_hosts": "deny", "job_slots": 0}
            backend = Backend(Settings(home=home, catalog=catalog, **(safe | settings)))
            backend.store.users.put(User("ada"), hashed("ada"))
            return stack.enter_context(serving(backend, answers_checked))

        yield start


@pytest.fixture(scope="session")
def anonymous(served) -> Iterator[httpx.Client]:
    """Somebody who is not logged in."""
    with served.client() as client:
        yield client


@pytest.fixture(scope="session")
def ada(served) -> Iterator[httpx.Client]:
    """A user."""
    with served.client("ada") as client:
        yield client


@pytest.fixture(scope="session")
def bob(served) -> Iterator[httpx.Client]:
    """Another user."""
    with served.client("bob") as client:
        yield client
