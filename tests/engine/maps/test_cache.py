"""Tiles on disk: so many bytes, for so long, and what nobody asked for longest goes first."""

from __future__ import annotations

import os

from engine.maps.cache import Tiles


def names(folder) -> set[str]:
    return {path.name for path in folder.glob("*/*/*")}


def test_a_tile_is_kept_by_service_and_version(tmp_path):
    tiles = Tiles(tmp_path, 1000, 60)
    assert tiles.get("s", 1, "a.png") is None
    tiles.put("s", 1, "a.png", b"one")
    assert tiles.get("s", 1, "a.png") == b"one"
    assert tiles.get("s", 2, "a.png") is None
    assert tiles.get("t", 1, "a.png") is None
    tiles.put("s", 2, "a.png", b"two")
    tiles.drop("s", but=2)
    assert (tiles.get("s", 1, "a.png"), tiles.get("s", 2, "a.png")) == (None, b"two")
    tiles.drop("s")
    tiles.drop("s")
    assert list(tmp_path.iterdir()) == []


def test_an_old_tile_is_none(tmp_path):
    tiles = Tiles(tmp_path, 1000, 60)
    tiles.put("s", 1, "a.png", b"one")
    path = tmp_path / "s" / "1" / "a.png"
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 61))
    assert tiles.get("s", 1, "a.png") is None
    tiles.put("s", 1, "a.png", b"new")
    assert tiles.get("s", 1, "a.png") == b"new"


def test_there_are_never_more_bytes_and_the_ones_asked_for_stay(tmp_path):
    tiles = Tiles(tmp_path, 100, 60)
    for number in range(10):
        tiles.put("s", 1, str(number), bytes(10))
        os.utime(tmp_path / "s" / "1" / str(number), (1000 + number, tmp_path.stat().st_mtime))
    assert len(names(tmp_path)) == 10
    assert tiles.get("s", 1, "0") is not None
    tiles.put("s", 1, "new", bytes(10))
    assert names(tmp_path) == {"0", "new", *map(str, range(3, 10))}
    tiles.put("s", 1, "huge", bytes(101))
    assert "huge" not in names(tmp_path)


def test_another_server_sees_what_is_there(tmp_path):
    one = Tiles(tmp_path, 100, 60)
    for number in range(10):
        one.put("s", 1, str(number), bytes(10))
    other = Tiles(tmp_path, 100, 60)
    assert other.get("s", 1, "3") == bytes(10)
    other.put("s", 1, "more", bytes(10))
    assert len(names(tmp_path)) == 9


def test_what_cannot_be_kept_is_no_fault(tmp_path):
    (tmp_path / "s").write_text("in the way")
    tiles = Tiles(tmp_path, 100, 60)
    tiles.put("s", 1, "a", b"one")
    assert tiles.get("s", 1, "a") is None
