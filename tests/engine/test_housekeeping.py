"""Rounds of chores: one that fails keeps no other from being done, and they end when they are told to."""

from __future__ import annotations

from threading import Event

from engine.errors import Problem
from engine.housekeeping import Housekeeping


def test_rounds():
    done, count = Event(), []

    def fails() -> None:
        count.append(1)
        raise Problem("InfrastructureBusy", "not now")

    def works() -> None:
        if len(count) > 1:
            done.set()

    keeping = Housekeeping((fails, works), period=0.01)
    keeping.begin()
    assert done.wait(20)
    keeping.end()
    before = len(count)
    assert not Event().wait(0.05)
    assert len(count) == before
