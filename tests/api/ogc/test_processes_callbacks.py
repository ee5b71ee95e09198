"""Subscribers of executions are told how these go: signed, in order, as often as it takes, and nobody inside."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from sqlalchemy import select

from engine.database import reading
from engine.store.tables import CALLBACKS
from published import until
from tests.engine.servers import site

pytestmark = pytest.mark.slow

SECRET = "s" * 16


@pytest.fixture(scope="module")
def served(serve_with):
    """A server that may tell this machine."""
    return serve_with(
        auth="anonymous",
        job_slots=2,
        allowed_hosts=("127.0.0.1",),
        webhook_base_seconds=0.05,
        webhook_cap_seconds=0.1,
    )


@pytest.fixture(scope="module")
def client(served):
    with served.client() as found:
        found.base_url = f"{served.url}/ogc"
        yield found


def subscriber(url):
    return {
        "successUri": f"{url}/good",
        "inProgressUri": f"{url}/going",
        "failedUri": f"{url}/bad",
        "secret": SECRET,
    }


@pytest.mark.parametrize("prefer", ["respond-async", "respond-sync"])
def test_success(client, prefer):
    calls: list = []

    def answer(call):
        calls.append((call.path, dict(call.headers), call.body))
        return (500 if len(calls) < 2 else 200), {}, b""

    with site(answer) as receiver:
        outputs = {"string": {}, "number": {"transmissionMode": "reference"}}
        body = {
            "inputs": {"string": "a", "number": 2},
            "outputs": outputs,
            "subscriber": subscriber(receiver.url),
        }
        assert client.post("/processes/echo/execution", json=body, headers={"Prefer": prefer}).is_success
        until(lambda: [path for path, _, _ in calls[1:] if path == "/good"])
    places = [path for path, _, _ in calls]
    assert places == sorted(places, key=("/going", "/good").index), "of what went before it is told before"
    for _, headers, sent in calls:
        assert (
            headers["X-GDC-Signature"]
            == f"sha256={hmac.new(SECRET.encode(), sent, hashlib.sha256).hexdigest()}"
        )
    told = json.loads(calls[-1][2])
    assert told["string"] == "a"
    assert client.get(told["number"]["href"]).text == "2"
    for path, _, sent in calls:
        assert path == "/good" or json.loads(sent)["status"] == "running"


def test_failure(client):
    calls: list = []

    def answer(call):
        calls.append((call.path, call.body))
        return 200, {}, b""

    with site(answer) as receiver:
        body = {
            "inputs": {"string": {"href": "http://169.254.169.254/"}},
            "subscriber": subscriber(receiver.url),
        }
        made = client.post("/processes/echo/execution", json=body, headers={"Prefer": "respond-async"}).json()
        (told,) = until(lambda: [json.loads(sent) for path, sent in calls if path == "/bad"])
    assert (told["jobID"], told["status"]) == (made["jobID"], "failed")
    assert told["links"][0]["href"] == f"{client.base_url}jobs/{made['jobID']}"


def test_nobody_inside_is_told(client, served):
    """By this name the receiver is not among the hosts that may be asked."""

    def attempts():
        with reading(served.backend.store._engine) as connection:
            wish = select(CALLBACKS.c.attempts).where(CALLBACKS.c.url.contains("localhost"))
            return connection.execute(wish).scalar()

    with site(lambda _: (200, {}, b"")) as receiver:
        url = receiver.url.replace("127.0.0.1", "localhost")
        body = {"inputs": {"string": "a"}, "subscriber": {"successUri": url}}
        made = client.post("/processes/echo/execution", json=body, headers={"Prefer": "respond-async"}).json()
        until(attempts)
        assert receiver.asked == []
    assert client.delete(f"/jobs/{made['jobID']}").json()["status"] == "dismissed"
    assert attempts() is None
