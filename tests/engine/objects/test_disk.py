"""Objects in a folder: never outside it, also not by links, and nothing is left of uploads."""

from __future__ import annotations

import errno
import os
import time

import pytest

from engine import Problem, Settings
from engine.objects import open_objects
from engine.objects.disk import Disk


@pytest.fixture
def root(tmp_path):
    return tmp_path / "objects"


@pytest.fixture
def objects(tmp_path, root, store):
    return open_objects("ours", str(root), store.objects, Settings(home=tmp_path))


def code_of(action) -> str:
    with pytest.raises(Problem) as met:
        action()
    return met.value.code


def test_the_address_is_where_the_bytes_are(objects, root):
    objects.put("a/b.tif", [b"abc"], "image/tiff")
    assert Disk(root).address("a/b.tif") == str(root / "a" / "b.tif")
    assert (root / "a" / "b.tif").read_bytes() == b"abc"
    assert objects.presigned("a/b.tif", 60) is None


def test_no_link_leads_out(objects, root, tmp_path):
    objects.put("a/b", [b"x"], "text/plain")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("hush")
    (root / "folder").symlink_to(outside)
    (root / "a" / "link").symlink_to(outside / "secret")
    for path in ("folder/secret", "a/link"):
        assert code_of(lambda path=path: objects.stat(path)) == "FileNotFound"
        assert code_of(lambda path=path: objects.read(path)) == "FileNotFound"
        assert code_of(lambda path=path: objects.remove(path)) == "FileNotFound"
    assert code_of(lambda: objects.put("folder/new", [b"x"], "text/plain")) == "FilePathInvalid"
    objects.put("a/link", [b"ours"], "text/plain")
    assert (outside / "secret").read_text() == "hush"
    assert sorted(p.name for p in outside.iterdir()) == ["secret"]


def test_what_is_no_file_is_no_object(objects, root):
    objects.put("a/b", [b"x"], "text/plain")
    os.mkfifo(root / "a" / "pipe")
    assert code_of(lambda: objects.read("a/pipe")) == "FileNotFound"
    assert code_of(lambda: objects.stat("a")) == "FileNotFound"
    assert code_of(lambda: objects.put("a", [b"x"], "text/plain")) == "FilePathInvalid"
    assert code_of(lambda: objects.put("a/b/c", [b"x"], "text/plain")) == "FilePathInvalid"
    assert list((root / ".uploads").iterdir()) == []


def test_folders_end_with_their_last_object(objects, root):
    objects.put("a/b/c", [b"x"], "text/plain")
    objects.put("a/d", [b"x"], "text/plain")
    objects.remove("a/b/c")
    assert [p.name for p in (root / "a").iterdir()] == ["d"]


def test_nothing_has_its_name_before_it_is_whole(objects, root):
    def chunks():
        yield b"x"
        assert not (root / "a").exists()
        yield b"y"

    objects.put("a/b", chunks(), "text/plain")
    assert list((root / ".uploads").iterdir()) == []


def test_it_is_synced_before_it_gets_its_name(objects, monkeypatch):
    calls = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(
            os, name, lambda *a, real=real, name=name, **k: (calls.append(name), real(*a, **k))[1]
        )
    objects.put("a", [b"x"], "text/plain")
    last = calls.index("replace")
    assert "fsync" in calls[:last]
    assert "fsync" in calls[last:]


def test_a_reader_keeps_its_version(objects):
    objects.put("a", [b"old"], "text/plain")
    reading = objects.read("a")
    objects.put("a", [b"new"], "text/plain")
    assert b"".join(reading) == b"old"


def test_old_uploads_are_cleared_away(objects, root):
    objects.put("a", [b"x"], "text/plain")
    left, fresh = root / ".uploads" / "left", root / ".uploads" / "fresh"
    left.touch()
    fresh.touch()
    os.utime(left, (0, time.time() - 100_000))
    objects.put("b", [b"x"], "text/plain")
    assert (left.exists(), fresh.exists()) == (False, True)


def test_a_full_disk_is_told_as_such(objects, root, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "fsync", full)
    assert code_of(lambda: objects.put("a", [b"x"], "text/plain")) == "StorageFailure"
    monkeypatch.undo()
    assert [p for p in root.rglob("*") if p.is_file()] == []
