"""Processes that hold user code: started ahead, kept warm for the blocks of one run, never shared between runs."""

from __future__ import annotations

import atexit
import os
import select
import subprocess
import threading
import time
from collections.abc import Hashable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.execute.udf.confinement import Confinement, command, unsupported
from engine.execute.udf.inside import frames

START_SECONDS = 60.0
"""Longest time until a process is ready."""
KEPT = 8
"""Idle processes that are kept, over all runs."""


class Ended(Exception):  # noqa: N818 (an event, told to the user in other words)
    """The process ended before it answered."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status = status
        """Its exit status; the number of a signal is negative, or 128 more."""


class TooSlow(Exception):  # noqa: N818
    """The process did not answer in time."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a process answered."""

    head: dict[str, Any]
    arrays: list[np.ndarray]


class Held:
    """One process that holds user code."""

    def __init__(self, confinement: Confinement) -> None:
        self.confinement = confinement
        inherit = (
            dict(os.environ)
            if confinement.mode == "trusted"
            else {"PATH": os.environ.get("PATH", os.defpath)}
        )
        self.process = subprocess.Popen(  # noqa: S603
            command(confinement),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=inherit,
        )
        assert self.process.stdin
        assert self.process.stdout
        self._to, self._from = self.process.stdin.fileno(), self.process.stdout.fileno()
        os.set_blocking(self._to, False)
        os.set_blocking(self._from, False)
        try:
            self._read_reply(time.monotonic() + START_SECONDS, 0)
        except (Ended, TooSlow, frames.BadFrame):
            self.process.kill()
            raise unsupported(f"the process does not start: {self._last_words()}") from None

    def _last_words(self) -> str:
        assert self.process.stderr
        words = self.process.stderr.read().decode(errors="replace").strip()
        self.close()
        return words[-500:] or f"status {self.process.returncode}"

    @property
    def alive(self) -> bool:
        """Is it still there?"""
        return self.process.poll() is None

    def exchange(self, pieces: Sequence[memoryview], limit: int) -> Reply:
        """Send a message, wait for the answer of at most so many bytes of arrays.

        Raises:
            Ended: The process ended.
            TooSlow: The time was up.
            BadFrame: The answer is none.
        """
        deadline = time.monotonic() + self.confinement.seconds
        for piece in pieces:
            while piece:
                self._wait([], [self._to], deadline)
                try:
                    piece = piece[os.write(self._to, piece[: 2**20]) :]
                except BlockingIOError:
                    continue
                except BrokenPipeError:
                    raise Ended(self._status()) from None
        return self._read_reply(deadline, limit)

    def _read_reply(self, deadline: float, limit: int) -> Reply:
        length = frames.head_length(self._read(frames.PREFIX.size, deadline))
        head, slots = frames.unpack_head(self._read(length, deadline))
        if (size := sum(s.nbytes for s in slots)) > limit:
            raise frames.BadFrame(f"an answer of {size} bytes is announced, at most {limit} are taken")
        return Reply(head, [frames.take(slot, self._read(slot.nbytes, deadline)) for slot in slots])

    def _read(self, size: int, deadline: float) -> bytearray:
        raw = bytearray(size)
        view, got = memoryview(raw), 0
        while got < size:
            self._wait([self._from], [], deadline)
            try:
                part = os.readv(self._from, [view[got:]])
            except BlockingIOError:
                continue
            if part == 0:
                raise Ended(self._status())
            got += part
        return raw

    def _wait(self, readable: list[int], writable: list[int], deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0 or not any(select.select(readable, writable, [], left)):
            raise TooSlow

    def _status(self) -> int:
        try:
            return self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


class Pool:
    """All processes that hold user code for this one."""

    def __init__(self, at_once: int | None = None) -> None:
        self._slots = threading.BoundedSemaphore(at_once or os.cpu_count() or 1)
        self._lock = threading.Lock()
        self._idle: list[tuple[Hashable, Held]] = []
        self._spare: tuple[Confinement, Future[Held]] | None = None
        self._starter: ThreadPoolExecutor | None = None
        self.started = 0
        """How many processes were started in all."""

    def call(
        self, owner: Hashable, confinement: Confinement, pieces: Sequence[memoryview], limit: int
    ) -> Reply:
        """Send a message to a process that belongs to this owner alone.

        One that misbehaved is ended; a fresh one takes its place in the next call.
        """
        with self._slots:
            held = self._taken((owner, confinement), confinement)
            try:
                reply = held.exchange(pieces, limit)
            except BaseException:
                held.close()
                raise
            self._put_back((owner, confinement), held)
            return reply

    def _taken(self, key: Hashable, confinement: Confinement) -> Held:
        with self._lock:
            for i, (owner, held) in enumerate(self._idle):
                if owner == key:
                    del self._idle[i]
                    if held.alive:
                        return held
                    held.close()
                    break
            spare, self._spare = self._spare, None
            fresh = spare[1] if spare and spare[0] == confinement else self._start(confinement)
            if spare and spare[0] != confinement:
                spare[1].add_done_callback(_discard)
            self._spare = (confinement, self._start(confinement))
        held = fresh.result()
        if held.alive:
            return held
        held.close()
        with self._lock:
            again = self._start(confinement)
        return again.result()

    def _start(self, confinement: Confinement) -> Future[Held]:
        """Start one in a thread that stays: the kernel ends a process with the thread that started it."""
        if self._starter is None:
            self._starter = ThreadPoolExecutor(1, thread_name_prefix="udf-start")
        self.started += 1
        return self._starter.submit(Held, confinement)

    def _put_back(self, key: Hashable, held: Held) -> None:
        with self._lock:
            self._idle.append((key, held))
            surplus = [self._idle.pop(0)[1] for _ in range(len(self._idle) - KEPT)]
        for old in surplus:
            old.close()

    def close(self) -> None:
        """End all of them; the pool can be used again."""
        with self._lock:
            idle, self._idle = self._idle, []
            spare, self._spare = self._spare, None
            starter, self._starter = self._starter, None
        for _, held in idle:
            held.close()
        if spare:
            spare[1].add_done_callback(_discard)
        if starter:
            starter.shutdown()


def _discard(future: Future[Held]) -> None:
    """End a process that nobody waits for any more."""
    if not future.cancelled() and future.exception() is None:
        future.result().close()


POOL = Pool()
"""The pool of this process."""

atexit.register(POOL.close)
