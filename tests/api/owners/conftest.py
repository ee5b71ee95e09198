"""A server with a catalogue of owners, whose files lie on disk or in an object store, and its users."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field

import httpx
import obstore
import pytest
from obstore.store import LocalStore

from engine import Backend, Settings, User
from object_store import program, started
from tests.api.conftest import Served, serving

USERS = {
    "alice": {"user"},
    "bob": {"user"},
    "root": {"user", "admin"},
    "reader": {"user", "rs_catalog_alice:*_read"},
    "reader_of_one": {"user", "rs_catalog_alice:shared_read"},
    "writer": {"user", "rs_catalog_alice:shared_write"},
    "fetcher": {"user", "rs_catalog_alice:shared_download"},
}


@dataclass
class Owned:
    """The server, its buckets and its users."""

    served: Served
    uploads: object
    kept: object
    clients: dict[str, httpx.Client] = field(default_factory=dict)

    def __getitem__(self, user: str) -> httpx.Client:
        if user not in self.clients:
            client = self.served.client()
            if user != "nobody":
                token = self.served.backend.store.users.log_in(user, 3600)
                client.headers["Authorization"] = f"Bearer basic//{token}"
            self.clients[user] = client
        return self.clients[user]

    def close(self) -> None:
        """Let go of the clients."""
        for client in self.clients.values():
            client.close()

    def upload(self, *names: str, content: bytes = b"content") -> None:
        """Put files where clients put them."""
        for name in names:
            obstore.put(self.uploads, name, content)

    def uploaded(self) -> list[str]:
        """Files where clients put them."""
        return listed(self.uploads)

    def files(self) -> list[str]:
        """Files that the catalogue keeps."""
        return listed(self.kept)


def listed(store) -> list[str]:
    return sorted(entry["path"] for page in obstore.list(store) for entry in page)


@pytest.fixture(scope="module")
def owner_server(tmp_path_factory, answers_checked) -> Iterator[Callable[..., Owned]]:
    """Makes such servers; they, and their clients, end with the module."""
    with pytest.MonkeyPatch.context() as patch, ExitStack() as running:

        def start(kind: str, **settings) -> Owned:
            home = tmp_path_factory.mktemp("owners")
            if kind == "disk":
                folders = [home / "temp-bucket", home / "catalog-bucket"]
                for folder in folders:
                    folder.mkdir()
                places = [str(folder) for folder in folders]
                buckets = [LocalStore(folder) for folder in folders]
            else:
                found = running.enter_context(started(tmp_path_factory.mktemp("moto")))
                for name, value in found.environment.items():
                    patch.setenv(name, value)
                places = ["s3://temp-bucket", "s3://catalog-bucket/kept"]
                buckets = [found.bucket("temp-bucket"), found.bucket("catalog-bucket")]
            backend = Backend(
                Settings(
                    home=home,
                    local_files=False,
                    private_hosts="deny",
                    job_slots=0,
                    **({"upload_storage": places[0], "catalog_storage": places[1]} | settings),
                )
            )
            for name, roles in USERS.items():
                backend.store.users.put(User(name, roles=frozenset(roles)))
            served = running.enter_context(serving(backend, answers_checked))
            return running.enter_context(closing(Owned(served, *buckets)))

        yield start


@pytest.fixture(scope="module", params=["disk", "s3"])
def owned(request, owner_server) -> Owned:
    """The server; nothing is in its catalogue."""
    if request.param == "s3" and program() is None:
        pytest.skip("there is no moto_server; install moto[server], or name it by GDC_TEST_MOTO")
    return owner_server(request.param)


@pytest.fixture(scope="module")
def on_disk(owner_server) -> Owned:
    """The server with files on disk."""
    return owner_server("disk")


@pytest.fixture
def clean(request) -> Iterator[None]:
    """Nothing is left of a test."""
    found = request.getfixturevalue("owned" if "owned" in request.fixturenames else "on_disk")
    yield
    for doc in found["root"].get("/catalog/collections").json()["collections"]:
        found["root"].delete(f"/catalog/collections/{doc['owner']}:{doc['id']}").raise_for_status()
    for name in found.uploaded():
        obstore.delete(found.uploads, name)
