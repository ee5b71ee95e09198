"""Room for uploads side by side: together they never take more than is free, and give it back."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import pytest

from engine import Problem
from engine.quota import Reserved, Room

FULL = Problem("StorageQuotaExceeded", "there is no more")


def test_what_is_reserved_is_not_free():
    reserved = Reserved()
    assert reserved.take("ada", 60, lambda: 100) == 60
    assert reserved.take("ada", 60, lambda: 100) == 40
    assert reserved.take("ada", 60, lambda: 100) == 0
    assert reserved.take("bob", 60, lambda: 100) == 60
    reserved.give_back("ada", 100)
    assert (reserved.of("ada"), reserved.of("bob")) == (0, 60)


def test_what_cannot_be_known_reserves_nothing():
    def away() -> int:
        raise Problem("InfrastructureBusy", "the database is away")

    reserved = Reserved()
    with pytest.raises(Problem, match="away"):
        reserved.take("ada", 60, away)
    assert reserved.of("ada") == 0


def test_room_is_made_as_bytes_come():
    reserved = Reserved()
    room = Room(reserved, "ada", lambda: 100, FULL)
    assert b"".join(room.filled([b"x" * 40, b"y" * 60])) == b"x" * 40 + b"y" * 60
    assert reserved.of("ada") == 100
    room.leave()
    assert reserved.of("ada") == 0
    with pytest.raises(Problem, match="no more"):
        list(room.filled([b"x" * 40, b"y" * 61]))
    room.leave()
    with pytest.raises(Problem, match="no more"):
        room.grow(101)
    room.leave()
    room.grow(30)
    assert reserved.of("ada") == 30


def test_many_at_once_never_take_more_than_there_is():
    quota, stored, lock, reserved = 1000, [0], Lock(), Reserved()

    def upload(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(200):
            room = Room(reserved, "ada", lambda: quota - stored[0], FULL)
            size = dice.randrange(1, 300)
            try:
                room.grow(size)
                with lock:
                    stored[0] += size
                    assert stored[0] <= quota
            except Problem:
                with lock:
                    stored[0] = dice.randrange(stored[0] + 1)  # something is removed
            finally:
                room.leave()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(upload, range(8)))
    assert reserved.of("ada") == 0
