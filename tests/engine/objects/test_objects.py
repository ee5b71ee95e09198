"""Objects on a disk and in a bucket: what goes in comes out, whole or not at all; facts are those of the bytes."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import google_crc32c
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import Problem
from engine.objects.bucket import PART

SCENE = "catalog/s2/2024/02/11/scene/data.tiff"
FEW = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def crc32c(content: bytes) -> int:
    return int(google_crc32c.value(content))


def all_of(objects, path=SCENE, *bounds):
    return b"".join(objects.read(path, *bounds))


def code_of(action) -> str:
    with pytest.raises(Problem) as met:
        action()
    return met.value.code


@FEW
@given(chunks=st.lists(st.binary(max_size=4000), max_size=6))
def test_bytes_and_digests_are_those_that_went_in(objects, chunks):
    content = b"".join(chunks)
    stored = objects.put(SCENE, chunks, "image/tiff")
    assert all_of(objects) == content
    assert (stored.size, stored.md5, stored.crc32c) == (
        len(content), hashlib.md5(content).digest(), crc32c(content)
    )  # fmt: skip
    found = objects.stat(SCENE)
    assert (found.md5, found.crc32c, found.etag, found.media_type) == (
        stored.md5, stored.crc32c, stored.etag, "image/tiff"
    )  # fmt: skip


@FEW
@given(start=st.integers(0, 1200), length=st.integers(0, 1200))
def test_a_part_is_that_part(objects, start, length):
    content = bytes(range(250)) * 4
    objects.put(SCENE, [content], "image/tiff")
    assert all_of(objects, SCENE, start, start + length) == content[start : start + length]


def test_facts_need_no_reading(objects, monkeypatch):
    objects.put(SCENE, [b"abc"], "image/tiff", owner="ada")
    monkeypatch.setattr(type(objects._shelf), "read", None)
    assert (objects.stat(SCENE).size, objects.stat(SCENE).owner) == (3, "ada")


def test_what_is_interrupted_leaves_nothing(objects, names):
    def breaking():
        yield b"x" * (PART + 5)
        raise ConnectionResetError("the line is dead")

    with pytest.raises(ConnectionResetError):
        objects.put(SCENE, breaking(), "image/tiff")
    assert code_of(lambda: objects.stat(SCENE)) == "FileNotFound"
    assert names() == []
    objects.put(SCENE, [b"old"], "image/tiff")
    with pytest.raises(ConnectionResetError):
        objects.put(SCENE, breaking(), "image/tiff")
    assert all_of(objects) == b"old"
    assert objects.stat(SCENE).size == 3


def test_no_more_than_is_allowed(objects):
    assert objects.put(SCENE, [b"x" * 10], "image/tiff", most=10).size == 10
    assert code_of(lambda: objects.put(SCENE, [b"y" * 6] * 2, "image/tiff", most=10)) == "PayloadTooLarge"
    assert all_of(objects) == b"x" * 10


def test_an_object_is_replaced_and_keeps_the_time_of_its_name(objects, store):
    first = objects.put(SCENE, [b"old and long"], "image/tiff", owner="ada")
    second = objects.put(SCENE, [b"new"], "image/webp")
    found = objects.stat(SCENE)
    assert all_of(objects) == b"new"
    assert (found.size, found.media_type, found.owner) == (3, "image/webp", None)
    assert (found.created, found.etag) == (first.modified, second.etag)
    assert store.objects.bytes_of("ada") == 0


def test_what_was_replaced_is_not_read_on(objects):
    old = objects.put(SCENE, [b"old"], "image/tiff")
    objects.put(SCENE, [b"new"], "image/tiff")
    assert code_of(lambda: objects.read(SCENE, etag=old.etag)) == "FileLocked"


def test_two_writers_of_one_name_leave_one_of_both_and_its_facts(objects):
    contents = [bytes([n]) * (1000 + n) for n in range(4)]
    barrier = Barrier(4)

    def write(content):
        barrier.wait()
        for _ in range(3):
            objects.put(SCENE, [content[:500], content[500:]], "image/tiff")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, contents))
    left, known = all_of(objects), objects.known(SCENE)
    assert left in contents
    assert known is not None
    assert (known.md5, known.size) == (hashlib.md5(left).digest(), len(left))


def test_bytes_without_facts_are_digested_once(objects, store):
    objects.put(SCENE, [b"abc"], "image/webp", owner="ada")
    store.objects.remove(objects.name, SCENE, lambda: True)
    found = objects.stat(SCENE)
    assert (found.md5, found.media_type, found.owner) == (hashlib.md5(b"abc").digest(), "image/tiff", None)
    assert objects.known(SCENE) == found


def test_facts_without_bytes_are_of_nothing(objects, store):
    objects.put(SCENE, [b"abc"], "image/tiff", owner="ada")
    objects._shelf.remove(SCENE)
    assert code_of(lambda: objects.stat(SCENE)) == "FileNotFound"
    assert code_of(lambda: objects.remove(SCENE)) == "FileNotFound"
    assert store.objects.bytes_of("ada") == 0


def test_an_object_is_removed(objects):
    objects.put(SCENE, [b"abc"], "image/tiff")
    objects.remove(SCENE)
    assert objects.known(SCENE) is None
    assert code_of(lambda: objects.read(SCENE)) == "FileNotFound"
    assert code_of(lambda: objects.remove(SCENE)) == "FileNotFound"


@pytest.mark.parametrize(
    "name", ["grüße 1+2%.bin", "100%25", "a#b?c&d", "日本.nc", "x" * 200, "~'()*[]{}|^`\"<>"]
)
def test_names_are_kept(objects, names, name):
    objects.put(f"d/{name}", [b"x"], "text/plain")
    assert names() == [f"d/{name}"]
    assert all_of(objects, f"d/{name}") == b"x"
    objects.remove(f"d/{name}")


def test_large_objects_go_in_parts(objects):
    piece = bytes(range(256)) * 4096
    stored = objects.put(SCENE, (piece for _ in range(20)), "image/tiff")
    assert stored.size == 20 * 2**20
    digest, sizes = hashlib.md5(), []
    for part in objects.read(SCENE):
        digest.update(part)
        sizes.append(len(part))
    assert digest.digest() == stored.md5
    assert max(sizes) <= PART
