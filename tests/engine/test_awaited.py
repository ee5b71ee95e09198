"""Databases that are away when a server starts are waited for."""

from __future__ import annotations

import logging

import pytest

from engine import Problem, Settings, database
from engine.backend import Backend
from engine.database import Away, awaited


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(database, "GLANCE", 0.01)


def away_for(times: int, seen: list[int]):
    def action() -> str:
        seen.append(1)
        if len(seen) <= times:
            raise Away("InfrastructureBusy", "it starts")
        return "there"

    return action


def test_it_is_waited_for_and_told_once(caplog):
    seen: list[int] = []
    with caplog.at_level(logging.WARNING):
        assert awaited(away_for(3, seen)) == "there"
    assert len(seen) == 4
    assert [m for m in caplog.messages if "it starts" in m] == [
        "waiting for up to 60 s: InfrastructureBusy: it starts"
    ]


def test_not_for_ever():
    with pytest.raises(Away, match="it starts"):
        awaited(away_for(10**6, []), seconds=0.05)


def test_what_is_wrong_is_not_waited_for(tmp_path):
    backend = Backend(Settings(home=tmp_path, database="sqlite:////proc/no/x"))
    with pytest.raises(Problem, match="cannot be used") as caught:
        backend.open()
    assert not isinstance(caught.value, Away)
    backend.close()


def test_a_server_that_starts_before_its_database(tmp_path, monkeypatch):
    monkeypatch.setattr(awaited, "__defaults__", (0.1,))
    backend = Backend(Settings(home=tmp_path, database="postgresql://nobody@127.0.0.1:9/none"))
    with pytest.raises(Away, match="whether the database is running"):
        backend.open()
    backend.close()
