"""Subscriptions: each event once and in order, over reconnects, whoever else does not read."""

from __future__ import annotations

import json
import socket as sockets
import threading
import time
from contextlib import closing
from itertools import islice
from urllib.parse import urlsplit

import pytest

from engine.events import tail
from published import collection, item, message
from tests.api.live.conftest import told
from tests.api.live.test_publish import acks


def send(live, count: int, home: str, start: int = 0, user: str = "ada") -> list[dict]:
    """Publish items at full speed; gives what is acknowledged."""
    with live.publish(user) as socket:
        socket.send(json.dumps(message(collection(home))))
        for n in range(start, start + count):
            socket.send(json.dumps(message(item(f"{home}-{n}"), home)))
        return acks(socket, count + 1)[1:]


def test_news_of_a_package_and_of_nothing_else(live):
    with live.following("sat") as sat, live.following("clear", "eve") as clear:
        next(sat), next(clear)
        with live.publish() as socket:
            for text in (
                message(collection("sat")),
                message(collection("2025"), "sat"),
                message(item("one", **{"eo:cloud_cover": 50}), "2025"),
                message(collection("other")),
                message(item("two", **{"eo:cloud_cover": 10}), "other"),
                message(item("old", **{"eo:cloud_cover": 10}), "sat", subscribable=False),
                message(item("three", **{"eo:cloud_cover": 5}), "sat"),
            ):
                socket.send(json.dumps(text))
            done = acks(socket, 7)
        assert [a["state"] for a in done] == ["accepted"] * 7
        found = list(islice(sat, 2))
        assert [(seq, doc["id"]) for seq, doc in found] == [
            (done[2]["seq"], "one"),
            (done[6]["seq"], "three"),
        ]
        assert [doc["id"] for _, doc in islice(clear, 2)] == ["two", "three"]
    doc = found[0][1]
    place = f"{live.served.url}/collections/2025/items/one"
    assert {"rel": "self", "href": place, "type": "application/geo+json"} in doc["links"]


@pytest.mark.parametrize("count", [300, pytest.param(3000, marks=pytest.mark.slow)])
def test_each_once_and_in_order_also_over_a_reconnect(live, count):
    home = f"flood{count}"
    with live.following("all") as events:
        begin, nothing = next(events)
        assert nothing is None
        sender = threading.Thread(target=send, args=(live, count, home))
        sender.start()
        some = list(islice(events, count // 3))
    with live.following("all", after=some[-1][0]) as events:
        assert next(events)[0] == some[-1][0]
        rest = list(islice(events, count - len(some)))
    sender.join()
    found = [*some, *rest]
    assert [doc["id"] for _, doc in found] == [f"{home}-{n}" for n in range(count)]
    numbers = [seq for seq, _ in found]
    assert numbers == sorted(set(numbers))
    with live.following("all", after=begin) as events:
        next(events)
        assert list(islice(events, count)) == found
    with live.socket(f"/subscription/v1/ws/?package=all&after={begin}") as socket:
        told = [json.loads(socket.recv(timeout=60)) for _ in range(count)]
    assert [(t["id"], t["data"]["id"]) for t in told] == [(seq, doc["id"]) for seq, doc in found]


def test_who_does_not_read_harms_nobody(live):
    parts = urlsplit(live.served.url)
    with closing(sockets.create_connection((parts.hostname, parts.port))) as deaf:
        deaf.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        ask = f"GET /subscription/v1/?package=all HTTP/1.1\r\nHost: x\r\nAuthorization: Token {live.tokens['ada']}\r\n\r\n"
        deaf.sendall(ask.encode())
        with live.following("all", "eve") as events:
            next(events)
            done = send(live, 100, "deaf")
            assert [seq for seq, _ in islice(events, 100)] == [a["seq"] for a in done]


def test_a_subscriber_that_hears_nothing_is_pinged(live):
    with live.socket("/subscription/v1/ws/?package=sat") as socket:
        assert json.loads(socket.recv(timeout=60)) == {"type": "ping"}


def test_who_may_not(live):
    with live.client() as nobody, live.client("eve") as eve, live.client("ada") as ada:
        assert nobody.get("/subscription/v1/?package=all").status_code == 401
        assert eve.get("/subscription/v1/?package=sat").status_code == 403
        assert eve.get("/subscription/v1/?package=none").status_code == 404
        assert ada.get("/subscription/v1/").status_code == 400
        for number in ("x", "-1", "1" * 30):
            answer = ada.get("/subscription/v1/?package=all", headers={"Last-Event-ID": number})
            assert answer.status_code == 400
        assert ada.head("/subscription/v1/?package=all").status_code == 200


def test_a_subscriber_has_so_many_connections(small):
    with small.following("all") as events:
        next(events)
        with small.client("ada") as ada:
            assert ada.get("/subscription/v1/?package=all").status_code == 429


@pytest.mark.slow
def test_three_thousand_messages_from_three_publishers(live):
    """Each publisher's messages come in its own order, and none twice, for subscribers of both kinds."""
    with live.following("all", "eve") as events:
        next(events)
        senders = [
            threading.Thread(target=send, args=(live, 1000, f"many{n}", 0, user))
            for n, user in enumerate(("ada", "bob", "ada"))
        ]
        for sender in senders:
            sender.start()
        found = [doc["id"] for _, doc in islice(events, 3000)]
        for sender in senders:
            sender.join()
    for n in range(3):
        assert [id_ for id_ in found if id_.startswith(f"many{n}")] == [f"many{n}-{k}" for k in range(1000)]


def test_who_comes_back_after_events_were_forgotten_is_told_so(start, monkeypatch):
    monkeypatch.setattr(tail, "KEPT_EVENTS", 1)
    live = start(event_days=1e-6, subscription_ping=0.5)
    done = send(live, 3, "short")
    time.sleep(0.2)
    live.served.backend.live.forgetting.forget()
    last = done[-1]["seq"]
    with live.client("ada") as ada, ada.stream(
        "GET", "/subscription/v1/?package=all", headers={"Last-Event-ID": "1"}
    ) as answer:  # fmt: skip
        lines = answer.iter_lines()
        assert list(islice(lines, 3)) == ["event: missed", f"id: {last - 1}", f"data: {last - 1}"]
        assert [seq for seq, _ in islice(told(line for line in lines if line[:1] != ":"), 1)] == [last]
    with live.socket("/subscription/v1/ws/?package=all&after=1") as socket:
        assert json.loads(socket.recv(timeout=60)) == {"type": "missed", "id": last - 1}
        assert json.loads(socket.recv(timeout=60))["id"] == last
    with live.following("all", after=last - 1) as events:
        assert next(events) == (last - 1, None), "who missed nothing is told nothing"
