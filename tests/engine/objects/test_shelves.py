"""Shelves on a disk and in a bucket, as who copies from one to the other uses them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from engine import Problem
from engine.objects.bucket import PART


def content_of(shelf, name: str) -> bytes:
    found = shelf.look(name)
    return b"".join(shelf.read(name, 0, found.size, found.etag))


def code_of(action) -> str:
    with pytest.raises(Problem) as met:
        action()
    return met.value.code


def test_what_is_to_be_new_replaces_nothing(shelf, names):
    shelf.put("a/b", [b"old"], "text/plain", new=True)
    unread = iter([b"new"])
    assert code_of(lambda: shelf.put("a/b", unread, "text/plain", new=True)) == "AlreadyExists"
    assert next(unread) == b"new"  # it was told before the bytes were asked for
    assert content_of(shelf, "a/b") == b"old"
    shelf.put("a/b", [b"new"], "text/plain")
    assert content_of(shelf, "a/b") == b"new"
    assert names() == ["a/b"]


def test_of_many_who_want_a_name_one_gets_it(shelf, names):
    contents = [bytes([n]) * 1000 for n in range(6)]
    barrier = Barrier(len(contents))

    def put(content: bytes) -> bytes | None:
        def chunks():
            yield content[:500]
            yield content[500:]

        barrier.wait()
        try:
            shelf.put("a/b", chunks(), "text/plain", new=True)
        except Problem as problem:
            if problem.code != "AlreadyExists":
                raise
            return None
        return content

    with ThreadPoolExecutor(len(contents)) as pool:
        (winner,) = [content for content in pool.map(put, contents) if content is not None]
    assert content_of(shelf, "a/b") == winner
    assert names() == ["a/b"]


def test_what_was_to_be_new_and_is_interrupted_leaves_the_name_free(shelf, names):
    def breaking():
        yield b"x" * (PART + 5)
        raise ConnectionResetError("the line is dead")

    with pytest.raises(ConnectionResetError):
        shelf.put("a/b", breaking(), "text/plain", new=True)
    assert names() == []
    shelf.put("a/b", [b"x"], "text/plain", new=True)


def test_large_objects_are_copied_in_parts(shelf, names):
    """The bytes are read while they are sent, from the same object store."""
    piece = bytes(range(256)) * 4096
    shelf.put("from", (piece for _ in range(20)), "text/plain")
    found = shelf.look("from")

    def lazily():
        yield from shelf.read("from", 0, found.size, found.etag)

    for name, chunks in (("to", shelf.read("from", 0, found.size, found.etag)), ("too", lazily())):
        assert shelf.put(name, chunks, "text/plain", new=True).size == 20 * 2**20
        assert content_of(shelf, name) == piece * 20


def test_what_is_not_there_is_removed_without_a_word(shelf):
    shelf.remove("a/b")
    assert shelf.look("a/b") is None
