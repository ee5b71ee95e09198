"""Names of objects."""

from __future__ import annotations

import pytest

from engine import Problem
from engine.objects import checked

BAD = [
    "", "/", "/a", "a/", "a//b", ".", "..", "a/./b", "a/../b", "../a", "a\\b", "a\0b", "a\nb", "a\x7fb", "a\u202eb",
    "x" * 201, "ü" * 101, "/".join(["y" * 199] * 6), ".uploads/x", ".uploads", "\ud800",
]  # fmt: skip


@pytest.mark.parametrize("path", BAD)
def test_paths_that_can_be_none(path):
    with pytest.raises(Problem) as met:
        checked(path)
    assert met.value.code == "FilePathInvalid"


@pytest.mark.parametrize("path", ["a", "a/b", "x" * 200, "...", ".hidden", "a b", "a/.uploads", "ü" * 100])
def test_paths_that_are_taken(path):
    assert checked(path) == path
