"""Deliveries: in order for each item, claimed once, given up in the end; who is slow harms nobody."""

from __future__ import annotations

import json
import threading

import pytest

from engine.events import message_of
from engine.events.deliveries import Deliveries
from engine.events.desk import Desk
from engine.records import User
from published import collection, item, message, until
from tests.engine.events.conftest import ADA
from tests.engine.servers import site

ROOT = User("root", roles=frozenset({"admin"}))
QUICK = {"webhook_base_seconds": 0.02, "webhook_cap_seconds": 0.05, "allowed_hosts": ("127.0.0.1",)}
BASE = "https://gdc.example"


def publish(live, *messages) -> None:
    receipts = live.publisher.publish(ADA, [message_of(m) for m in messages])
    assert {r.state for r in receipts} == {"accepted"}


def ended(live, hook) -> list:
    """All deliveries, once all have ended."""
    found = live.webhooks.deliveries(hook.id)
    return found if found and all(d.status != "waiting" for d in found) else []


@pytest.mark.slow
def test_changes_of_one_item_are_told_in_order(live):
    calls: list = []

    def answer(call):
        calls.append((call.body, call.path))
        return (503 if len(calls) % 3 else 200), {}, b""

    with site(answer) as receiver:
        made = live(start=True, **QUICK)
        publish(made, message(collection("sat")))
        hook = made.webhooks.create(ROOT, {"url": receiver.url, "events": ["created", "updated"]}, BASE)
        publish(made, *(message(item("a", gsd=n), "sat") for n in range(4)))
        found = until(lambda: ended(made, hook))
    assert [d.status for d in found] == ["delivered"] * 4
    told = [json.loads(body)["status"] for body, _ in calls]
    assert told == sorted(told), "created before updated"
    assert len(calls) == 12


def test_a_receiver_that_is_slow_or_away_keeps_no_other_waiting(live):
    let_go = threading.Event()

    def slow(call):
        let_go.wait(100)
        return 200, {}, b""

    with site(slow) as one, site(lambda _: (204, {}, b"")) as other:
        made = live(start=True, **QUICK, webhook_timeout=100)
        publish(made, message(collection("sat")))
        made.webhooks.create(ROOT, {"url": one.url}, BASE)
        made.webhooks.create(ROOT, {"url": "http://127.0.0.1:9"}, BASE)
        quick = made.webhooks.create(ROOT, {"url": other.url}, BASE)
        publish(made, *(message(item(f"i{n}"), "sat") for n in range(20)))
        assert [d.status for d in until(lambda: ended(made, quick))] == ["delivered"] * 20
        assert len(one.asked) <= 3
        let_go.set()


def test_what_fails_too_often_is_given_up(live):
    with site(lambda _: (302, {"Location": "http://127.0.0.1:9/"}, b"")) as receiver:
        made = live(start=True, **QUICK, webhook_attempts=3)
        publish(made, message(collection("sat")))
        hook = made.webhooks.create(ROOT, {"url": receiver.url}, BASE)
        publish(made, message(item("a"), "sat"))
        (found,) = until(lambda: ended(made, hook))
    assert (found.status, found.attempts, found.answer) == ("failed", 3, 302)
    assert len(receiver.asked) == 3


@pytest.mark.parametrize("catalog", ["sqlite", "postgresql"], indirect=True)
def test_each_delivery_is_claimed_once_and_again_after_its_lease(live, catalog):
    made = live()
    queue = Deliveries(Desk(lambda: catalog))
    queue.begin()
    publish(made, message(collection("sat")), message(item("before"), "sat"))
    wanted = {"url": "https://a.b", "filter": "gsd = 1", "collections": ["sat"]}
    hook = made.webhooks.create(ROOT, wanted, BASE)
    publish(made, message(item("a", gsd=1), "sat"), message(item("b", gsd=2), "sat"))
    other = Deliveries(Desk(lambda: catalog))
    assert not queue.gather()
    assert not other.gather()
    (parcel,) = queue.claim(0.05, {}, 3, 10)
    assert json.loads(parcel.body)["detail"]["item_id"] == "a"
    assert parcel.id == f"{hook.id}-{parcel.seq}"
    (again,) = until(lambda: other.claim(60, {}, 3, 10))
    assert again.pk == parcel.pk
    queue.again(parcel, 500, "late", 0)
    assert queue.claim(60, {}, 3, 10) == [], "who lost the lease changes nothing"
    other.delivered(again, 200, 10)
    assert [d.status for d in made.webhooks.deliveries(hook.id)] == ["delivered"]
