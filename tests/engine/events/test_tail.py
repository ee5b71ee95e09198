"""The tail of the outbox: who listens is woken, and reads on from any number."""

from __future__ import annotations

import threading

import pytest

from engine.events import message_of, tail
from published import collection, item, message, until
from tests.engine.events.conftest import ADA


@pytest.mark.parametrize("kept", [500, 3])
def test_readers_at_any_number_read_the_same(live, catalog, monkeypatch, kept):
    monkeypatch.setattr(tail, "KEPT_EVENTS", kept)
    made, woken = live(start=True), threading.Event()
    with made.tail.heard(woken.set):
        made.publisher.publish(ADA, [message_of(message(collection("sat")))])
        assert woken.wait(60)
        for n in range(5):
            made.publisher.publish(ADA, [message_of(message(item(f"i{n}"), "sat"))])
        last = catalog.last_event()
        until(lambda: made.tail.near(last) is not None and made.tail._last == last)
    every = catalog.events(0)
    for after in range(last + 1):
        found, at = [], after
        while some := made.tail.read(at):
            found += some
            at = some[-1].seq
        assert found == [e for e in every if e.seq > after]


def test_large_events_do_not_stay_in_memory(live, catalog, monkeypatch):
    monkeypatch.setattr(tail, "KEPT_BYTES", 1000)
    made = live(start=True)
    until(lambda: made.tail.near(0) is not None)
    made.publisher.publish(ADA, [message_of(message(collection("sat")))])
    made.publisher.publish(ADA, [message_of(message(item(f"i{n}"), "sat")) for n in range(9)])
    until(lambda: made.tail._last == catalog.last_event())
    assert made.tail.near(0) is None
    assert len(made.tail.near(8)) == 2


def test_what_was_forgotten_before_it_was_read_is_not_held(live, catalog):
    """A thread that comes late must not take events around a gap for all events."""
    made = live(event_days=1e-6)
    made.publisher.publish(ADA, [message_of(message(collection("sat")))])
    made.tail._look()
    begin = made.tail._last
    made.publisher.publish(ADA, [message_of(message(item("a"), "sat"))])
    made.tail._look()
    assert made.tail.holds(begin, begin + 1)
    made.publisher.publish(ADA, [message_of(message(item(f"i{n}"), "sat")) for n in range(3)])
    last = catalog.last_event()
    until(lambda: made.forgetting.forget() == 0 and made.forgetting.last() == last - 1)
    made.tail._look()
    assert made.missed(begin) == made.missed(last - 2) == last - 1
    assert made.missed(last - 1) is None
    assert [event.seq for event in made.tail.read(begin)] == [last]
    assert made.tail.near(last - 1) == made.tail.read(begin)
