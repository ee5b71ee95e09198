"""A server of publishers and subscribers, and their tokens."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from engine import Backend, Settings, User
from engine.organisations import Organisation
from engine.packages import Package
from tests.api.conftest import Served, serving

ROLES = {"ada": {"user"}, "bob": {"user"}, "eve": {"user"}, "root": {"user", "admin"}}
ORGANISATIONS = (Organisation(id="acme", members=("ada",)), Organisation(id="beta", members=("bob",)))
PACKAGES = (
    Package(name="all"),
    Package(name="sat", collections=("sat",), members=("ada", "bob")),
    Package(name="clear", filter='"eo:cloud_cover" < 20'),
)


@dataclass(frozen=True)
class Live:
    """A server, and the tokens of its users."""

    served: Served
    tokens: dict[str, str]

    def socket(self, path: str, user: str | None = "ada", **how: Any) -> ClientConnection:
        """A WebSocket of a user."""
        if user is not None:
            how["additional_headers"] = {"Authorization": f"Token {self.tokens[user]}"}
        return connect(self.served.url.replace("http", "ws", 1) + path, **how)

    def publish(self, user: str = "ada", **how: Any) -> ClientConnection:
        """A publisher's connection, on which every message is acknowledged."""
        return self.socket("/publish/v1/", user, subprotocols=["stac-publish.ack"], **how)

    def client(self, user: str | None = None, scheme: str = "Token") -> httpx.Client:
        """A client of a user."""
        headers = {} if user is None else {"Authorization": f"{scheme} {self.tokens[user]}"}
        hooks = {"response": self.served.hooks}
        return httpx.Client(base_url=self.served.url, headers=headers, timeout=60, event_hooks=hooks)

    @contextmanager
    def following(self, package: str, user: str = "ada", after: int | None = None) -> Iterator[Iterator]:
        """What a subscriber is sent, as number and item; it begins with the number where it resumes."""
        headers = {"Authorization": f"Token {self.tokens[user]}"}
        if after is not None:
            headers["Last-Event-ID"] = str(after)
        place = f"{self.served.url}/subscription/v1/?package={package}"
        with httpx.stream("GET", place, headers=headers, timeout=120) as answer:
            assert answer.status_code == 200, answer.read()
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield told(answer.iter_lines())


def told(lines: Iterator[str]) -> Iterator[tuple[int, dict | None]]:
    """Events in the lines of a stream."""
    event: dict[str, str] = {}
    for line in lines:
        name, found, value = line.partition(": ")
        if not line and event:
            yield int(event["id"]), json.loads(event["data"]) if "data" in event else None
            event = {}
        elif found and name:
            event[name] = value


@pytest.fixture(scope="session")
def start(tmp_path_factory, answers_checked) -> Iterator[Callable[..., Live]]:
    """Starts servers with these settings, each over an empty catalogue."""
    with ExitStack() as stack:

        def make(**settings: Any) -> Live:
            usual = {
                "private_hosts": "deny", "job_slots": 0, "organisations": ORGANISATIONS, "packages": PACKAGES,
                "local_files": False,
            }  # fmt: skip
            backend = Backend(Settings(home=tmp_path_factory.mktemp("live"), **(usual | settings)))
            for name, roles in ROLES.items():
                backend.store.users.put(User(name, roles=frozenset(roles)))
            tokens = {name: backend.store.users.log_in(name, 3600) for name in ROLES}
            return Live(stack.enter_context(serving(backend, answers_checked)), tokens)

        yield make


@pytest.fixture(scope="session")
def small(start) -> Live:
    """A server that takes little at a time."""
    return start(publish_bytes=4096, publish_connections_user=1, subscriptions_user=1)


@pytest.fixture(scope="session")
def live(start) -> Live:
    """The server."""
    return start(publish_heartbeat=0.5, subscription_ping=0.5, publish_login_seconds=1.0)
