"""Work that several wait for: begun once, told to all, ended when nobody waits."""

from __future__ import annotations

from concurrent.futures import Future
from threading import Event

import pytest

from engine.errors import Problem
from engine.jobs.shared import Shared
from engine.jobs.sync import Ticket


class Desk:
    """Notes what is begun, and what comes of it."""

    def __init__(self):
        self.shared, self.tickets, self.told = Shared(), [], []

    def take(self, key="a"):
        return self.shared.take(key, self.begin, self.told.append, self.told.append)

    def begin(self):
        self.tickets.append(Ticket(Future(), Event()))
        return self.tickets[-1]


def test_all_get_what_was_done_once_and_noted_first():
    desk = Desk()
    shares = [desk.take() for _ in range(3)]
    assert len(desk.tickets) == 1
    heard = []
    shares[0].future.add_done_callback(lambda _: heard.append(list(desk.told)))
    desk.tickets[0].future.set_result(b"tile")
    assert [s.future.result(0) for s in shares] == [b"tile"] * 3
    assert (desk.told, heard) == ([b"tile"], [[b"tile"]])
    desk.take()
    assert len(desk.tickets) == 2


def test_a_fault_is_told_to_all():
    desk = Desk()
    shares = [desk.take(), desk.take()]
    problem = Problem("Internal", "no")
    desk.tickets[0].future.set_exception(problem)
    assert desk.told == [problem]
    for share in shares:
        with pytest.raises(Problem, match="no"):
            share.future.result(0)


def test_it_is_ended_when_the_last_one_leaves_and_begun_anew_for_the_next():
    desk = Desk()
    one, two = desk.take(), desk.take()
    one.cancel()
    one.cancel()
    assert not desk.tickets[0].unwanted.is_set()
    two.cancel()
    assert desk.tickets[0].unwanted.is_set()
    assert desk.tickets[0].future.cancelled()
    desk.take()
    assert len(desk.tickets) == 2


def test_others_and_what_cannot_begin_are_apart():
    desk = Desk()
    desk.take("a")
    desk.take("b")
    assert len(desk.tickets) == 2

    def refuse():
        raise Problem("TooManyRequests", "full")

    with pytest.raises(Problem, match="full"):
        desk.shared.take("c", refuse, desk.told.append, desk.told.append)
    desk.take("c")
    assert len(desk.tickets) == 3


def test_a_fault_of_noting_is_told_too():
    desk = Desk()

    def fail(_):
        raise OSError("full")

    share = desk.shared.take("a", desk.begin, fail, desk.told.append)
    desk.tickets[0].future.set_result(b"tile")
    with pytest.raises(OSError, match="full"):
        share.future.result(0)
