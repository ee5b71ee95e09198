"""Old events are forgotten, but for what webhooks are still to be told; those who come back late are told so."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import update

from engine.catalog.tables import OUTBOX
from engine.events import forgetting, message_of
from engine.events.deliveries import Deliveries
from engine.events.desk import Desk
from engine.records import User
from published import collection, item, message
from tests.engine.events.conftest import ADA

ROOT = User("root", roles=frozenset({"admin"}))
BASE = "https://gdc.example"


def aged(catalog, days: float, upto: int) -> None:
    """Let events, up to a number, be older than they are."""
    earlier = OUTBOX.c.time - int(days * 86_400e6)
    with catalog.changing() as connection:
        connection.execute(update(OUTBOX).where(OUTBOX.c.seq <= upto).values(time=earlier))


def numbers(catalog) -> list[int]:
    """Numbers of all events that there are."""
    return [event.seq for event in catalog.events(0)]


@pytest.fixture
def made(live):
    """Live parts after six events."""
    made = live(event_days=10)
    made.publisher.publish(ADA, [message_of(message(collection("sat")))])
    made.publisher.publish(ADA, [message_of(message(item(f"i{n}"), "sat")) for n in range(5)])
    return made


@pytest.mark.parametrize("catalog", ["sqlite", "postgresql"], indirect=True)
@pytest.mark.parametrize("at_once", [2, 5000])
def test_old_events_are_forgotten_and_it_is_known_which(made, catalog, monkeypatch, at_once):
    monkeypatch.setattr(forgetting, "AT_ONCE", at_once)
    first, *_, last = numbers(catalog)
    assert (made.forgetting.forget(), made.forgetting.last()) == (0, 0)
    aged(catalog, 11, first + 2)
    assert (made.forgetting.forget(), made.forgetting.last()) == (3, first + 2)
    assert numbers(catalog) == [first + 3, first + 4, last]
    aged(catalog, 30, last)
    assert made.forgetting.forget() == 2
    assert numbers(catalog) == [last], "numbers go on after the latest one, so it stays"
    assert made.forgetting.last() == last - 1
    made.publisher.publish(ADA, [message_of(message(item("new"), "sat"))])
    assert numbers(catalog) == [last, last + 1]


def test_what_webhooks_are_to_be_told_stays(made, catalog):
    deliveries = Deliveries(Desk(lambda: catalog))
    deliveries.begin()
    made.webhooks.create(ROOT, {"url": "https://example.org/hook"}, BASE)
    before = catalog.last_event()
    made.publisher.publish(
        ADA, [message_of(message(item("a"), "sat")), message_of(message(item("b"), "sat"))]
    )
    aged(catalog, 11, before + 1)
    assert made.forgetting.forget() == before
    assert made.forgetting.forget() == 0
    assert numbers(catalog) == [before + 1, before + 2], "nobody has looked at them yet"
    deliveries.gather()
    assert made.forgetting.forget() == 1
    assert [p.seq for p in deliveries.claim(60, {}, 3, 10)] == [before + 1, before + 2]


def test_a_clock_that_went_back_forgets_nothing_young(made, catalog):
    first, *_, last = numbers(catalog)
    aged(catalog, 11, last)
    with catalog.changing() as connection:
        now = int(time.time() * 1e6)
        connection.execute(update(OUTBOX).where(OUTBOX.c.seq == first + 2).values(time=now))
    assert made.forgetting.forget() == 2
    assert numbers(catalog)[0] == first + 2
