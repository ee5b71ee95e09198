"""Open rasters: lent to one at a time, bounded, forgotten when their file changes or something fails."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.http import GUARDED
from engine.load.handles import Handles, Key


class Raster:
    """Stands for an open raster."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


class Shop:
    """Opens rasters and remembers them."""

    def __init__(self) -> None:
        self.all: list[Raster] = []

    def __call__(self, key: Key) -> Raster:
        self.all.append(Raster(key))
        return self.all[-1]

    @property
    def open(self) -> list[Raster]:
        return [raster for raster in self.all if not raster.closed]


def key(name: str, stamp: int = 0, overview: int | None = None) -> Key:
    return Key(name, GUARDED, (stamp,), overview)


def test_the_same_raster_is_lent_again():
    shop = Shop()
    handles = Handles(shop)
    for _ in range(3):
        with handles.lent(key("a")) as raster:
            assert raster.key == key("a")
    with handles.lent(key("a", overview=0)):
        pass
    assert len(shop.all) == 2
    assert len(handles) == 2


def test_nobody_gets_what_another_has():
    shop = Shop()
    handles = Handles(shop)
    together = threading.Barrier(5)

    def use(_: int) -> Raster:
        with handles.lent(key("a")) as raster:
            together.wait(10)
            return raster

    with ThreadPoolExecutor(5) as pool:
        assert len(set(pool.map(use, range(5)))) == 5
    assert len(handles) == len(shop.open) == 5


def test_those_that_were_not_used_for_longest_are_closed():
    shop = Shop()
    handles = Handles(shop, room=3)
    for name in "abcad":
        with handles.lent(key(name)):
            pass
    assert sorted(raster.key.href for raster in shop.open) == ["a", "c", "d"]
    assert len(handles) == 3
    assert all(raster.closed <= 1 for raster in shop.all)


def test_a_changed_file_leaves_nothing_open():
    shop = Shop()
    handles = Handles(shop)
    for wanted in (key("a"), key("a", overview=1), key("b"), key("a", stamp=1)):
        with handles.lent(wanted):
            pass
    assert [raster.key for raster in shop.open] == [key("b"), key("a", stamp=1)]
    assert len(handles) == 2


def test_what_failed_is_not_kept():
    shop = Shop()
    handles = Handles(shop)
    with pytest.raises(OSError, match="broken"), handles.lent(key("a")):
        raise OSError("broken")
    assert shop.open == []
    with handles.lent(key("a")):
        pass
    assert len(shop.all) == 2


def test_closing_reaches_those_on_loan():
    shop = Shop()
    handles = Handles(shop)
    with handles.lent(key("b")):
        pass
    with handles.lent(key("a")) as raster:
        handles.close()
        assert [r.key.href for r in shop.open] == ["a"]
    assert raster.closed == 1
    assert len(handles) == 0
    with handles.lent(key("a")) as again:
        assert again is not raster


def test_a_forked_process_begins_anew_and_closes_nothing():
    shop = Shop()
    handles = Handles(shop)
    with handles.lent(key("a")):
        pass
    handles.forsake()
    assert len(handles) == 0
    assert len(shop.open) == 1
