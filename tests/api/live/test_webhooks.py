"""Webhooks over HTTP: administrators look after them, and receivers are told of new items."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest

from published import collection, item, message, until
from tests.api.live.test_publish import acks
from tests.engine.servers import site


@pytest.fixture(scope="module")
def hooked(start):
    """A server that may tell this machine."""
    return start(allowed_hosts=("127.0.0.1",), webhook_base_seconds=0.05, webhook_cap_seconds=0.1)


def test_a_new_item_is_told_signed_until_it_is_taken(hooked):
    calls: list = []

    def answer(call):
        calls.append((dict(call.headers), call.body))
        return (500 if len(calls) < 3 else 200), {}, b""

    with site(answer) as receiver, hooked.client("root", "Bearer") as admin:
        made = admin.post("/webhooks", json={"url": f"{receiver.url}/in", "collections": ["sat"]})
        assert made.status_code == 201
        secret, place = made.json()["secret"], made.headers["location"]
        with hooked.publish() as socket:
            for text in (
                message(collection("sat")),
                message(collection("other")),
                message(item("else"), "other"),
                message(item("one"), "sat", subscribable=False),
                message(item("one", gsd=1), "sat"),
            ):
                socket.send(json.dumps(text))
            done = acks(socket, 5)
        (told,) = until(lambda: [d for d in deliveries(admin, place) if d["status"] == "delivered"])
        assert (told["attempts"], told["answer"], told["item"]) == (3, 200, "one")
        assert told["id"].endswith(f"-{done[3]['seq']}")
        assert len(calls) == 3
        assert len({body for _, body in calls}) == 1
        headers, body = calls[-1]
        assert headers["X-GDC-Signature"] == (
            f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"
        )
        assert headers["X-GDC-Delivery"] == told["id"]
        assert headers["X-GDC-Timestamp"].isdigit()
        assert json.loads(body) == {
            "type": "stac-item",
            "status": "created",
            "detail": {
                "collection_id": "sat",
                "item_id": "one",
                "url": f"{hooked.served.url}/api/data/v0/stac/collections/sat/items/one",
                "datetime": "2025-06-01T10:00:00Z",
                "bbox": [5.0, 45.0, 5.0, 45.0],
            },
            "live": False,
        }
        assert admin.get(json.loads(body)["detail"]["url"]).json()["id"] == "one"
        admin.delete(place)


def deliveries(admin, place: str) -> list[dict]:
    """What was told."""
    return admin.get(f"{place}/deliveries").json()["deliveries"]


def test_they_are_made_shown_changed_and_removed(hooked):
    with hooked.client("root", "Bearer") as admin:
        made = admin.post("/webhooks", json={"url": "https://example.org/x", "secret": "s" * 16}).json()
        place = f"/webhooks/{made['id']}"
        assert made["secret"] == "s" * 16
        assert (made["events"], made["enabled"], made["collections"]) == (["created"], True, None)
        assert "secret" not in admin.get(place).json()
        assert "s" * 16 not in admin.get("/webhooks").text
        changed = admin.patch(place, json={"enabled": False, "filter": "gsd < 5"}).json()
        assert (changed["enabled"], changed["filter"]) == (False, "gsd < 5")
        assert deliveries(admin, place) == []
        assert admin.delete(place).status_code == 204
        assert admin.get(place).status_code == 404
        assert admin.get(f"{place}/deliveries").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {}, {"url": "ftp://example.org"}, {"url": 1}, {"url": "https://"}, {"url": "https://a.b", "more": 1},
        {"url": "https://a.b", "secret": "short"}, {"url": "https://a.b", "filter": "("},
        {"url": "https://a.b", "events": ["nope"]}, {"url": "https://a.b", "collections": "sat"},
        {"url": "https://a.b", "enabled": 1}, {"url": "http://[::1"},
    ],
)  # fmt: skip
def test_what_is_no_webhook_is_refused(hooked, body):
    with hooked.client("root", "Bearer") as admin:
        assert admin.post("/webhooks", json=body).status_code == 400


def test_a_private_address_is_not_told(live):
    with site(lambda _: (200, {}, b"")) as receiver, live.client("root", "Bearer") as admin:
        place = admin.post(
            "/webhooks", json={"url": receiver.url.replace("127.0.0.1", "127.0.0.2"), "collections": ["priv"]}
        ).headers["location"]
        with live.publish() as socket:
            for text in (message(collection("priv")), message(item("p"), "priv")):
                socket.send(json.dumps(text))
            acks(socket, 2)
        (told,) = until(lambda: [d for d in deliveries(admin, place) if d["attempts"]])
        assert told["status"] == "waiting"
        assert told["error"]
        assert receiver.asked == []
        admin.delete(place)
