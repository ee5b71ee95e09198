"""The heap of a process in which blocks are computed: counted by the C library itself, in processes of their own."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

import pytest

GLIBC = hasattr(ctypes.CDLL(None), "mallinfo2")
MAPPED = """
import ctypes
from engine.execute.cluster import Threads
from engine.heap import APART, spare

class Told(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in
        ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")]

library = ctypes.CDLL(None)
library.mallinfo2.restype = Told
library.malloc.restype, library.malloc.argtypes, library.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
Threads(2)
for _ in range(3):
    before = library.mallinfo2().hblks
    block = library.malloc(2 * APART)
    print(library.mallinfo2().hblks - before)
    library.free(block)
print(spare())
"""
HEAPS = """
import ctypes, os, sys, threading
from engine.heap import spare
spare()
library = ctypes.CDLL(None)
library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
library.fopen.restype, library.fclose.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
library.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
count = 4 * len(os.sched_getaffinity(0))
met = threading.Barrier(count)
def work():
    met.wait()
    library.malloc(100_000)
    met.wait()
threads = [threading.Thread(target=work) for _ in range(count)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
file = library.fopen(sys.argv[1].encode(), b"w")
library.malloc_info(0, file)
library.fclose(file)
print(open(sys.argv[1]).read().count("<heap nr="), len(os.sched_getaffinity(0)))
"""

pytestmark = pytest.mark.skipif(not GLIBC, reason="the C library is not glibc 2.33 or later")


def said(script, *arguments, **environment):
    """The words that a script prints in a process of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)], env=kept | environment, text=True, check=True,
        stdout=subprocess.PIPE,
    ).stdout.split()  # fmt: skip


def test_large_blocks_are_given_back_again_and_again():
    assert said(MAPPED) == ["1", "1", "1", "True"]


def test_what_the_environment_says_is_left_alone():
    """Left alone, the library keeps blocks as large as the one that it was given back before."""
    assert said(MAPPED, MALLOC_ARENA_MAX="3")[1:] == ["0", "0", "False"]


def test_threads_share_a_heap_for_each_core(tmp_path):
    heaps, cores = map(int, said(HEAPS, tmp_path / "heaps.xml"))
    assert heaps <= cores
