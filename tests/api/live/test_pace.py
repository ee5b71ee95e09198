"""The pace of publishers: a burst at once, then so many a second, and nothing is lost."""

from __future__ import annotations

import json
import time

import pytest

from api.live.pace import Pace
from published import collection, item, message
from tests.api.live.test_publish import acks


def test_a_burst_costs_nothing_and_the_long_run_is_kept():
    now = [0.0]
    pace = Pace(rate=10, burst=5, clock=lambda: now[0])
    assert [pace.pause() for _ in range(5)] == [0] * 5
    waits = []
    for _ in range(100):
        waits.append(pace.pause())
        now[0] += waits[-1]
    assert waits == pytest.approx([0.1] * 100)
    assert now[0] == pytest.approx(10)
    now[0] += 1000
    assert [pace.pause() for _ in range(6)] == pytest.approx([0] * 5 + [0.1])


def test_publishers_are_slowed_down_over_all_their_connections_and_lose_nothing(start):
    live = start(publish_rate=40.0, publish_burst=10)
    begin = time.monotonic()
    with live.publish() as one, live.publish() as other:
        one.send(json.dumps(message(collection("slow"))))
        assert acks(one, 1)[0]["state"] == "accepted"
        for n in range(30):
            one.send(json.dumps(message(item(f"one-{n}"), "slow")))
            other.send(json.dumps(message(item(f"other-{n}"), "slow")))
        done = acks(one, 30) + acks(other, 30)
    assert {a["state"] for a in done} == {"accepted"}
    assert time.monotonic() - begin >= (61 - 10 - 2) / 40, "each connection may be one message ahead"
