"""The courier: a thread that finds what webhooks are to be told, and others that tell it, as often as it takes."""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Event as Flag
from threading import Lock, Thread
from typing import Protocol

from urllib3 import Retry

from engine.errors import Problem
from engine.events.deliveries import Parcel
from engine.events.wording import signature
from engine.http import Client, Failure, egress_of
from engine.settings import Settings

LOG = logging.getLogger("geodatacube.webhooks")
SENDERS = 12
"""Deliveries under way at a time."""
EACH = 3
"""Of these, at most so many to one webhook: one that is slow keeps none of the others waiting."""
REST = 1.0
"""Seconds between looks where nothing happens: something may be due again."""
TIDY = 5.0
"""Seconds between looks at what waits."""
BOUND = 64 * 2**10
"""Bytes of an answer that are read."""
ONCE = Retry(total=0, redirect=0, raise_on_status=False)


class Queue(Protocol):
    """What is to be told, claimed by one server at a time."""

    def begin(self) -> None:
        """Called once, before anything else."""

    def gather(self) -> bool:
        """Put what is new into the queue; says whether there may be more of it."""

    def claim(self, lease: float, busy: Mapping[str, int], each: int, limit: int) -> list[Parcel]:
        """What is due, for `lease` seconds this server's own."""

    def delivered(self, parcel: Parcel, answer: int, keep: int) -> None:
        """It is told."""

    def failed(self, parcel: Parcel, answer: int | None, error: str, keep: int) -> None:
        """It is given up."""

    def again(self, parcel: Parcel, answer: int | None, error: str, pause: float) -> None:
        """It is tried again after a pause."""


class Courier:
    """Tells webhooks and subscribers, beside what else goes on."""

    def __init__(self, deliveries: Queue, settings: Settings, tidy: Callable[[], None]) -> None:
        self._deliveries = deliveries
        self._settings = settings
        self._tidy = tidy
        """Done every few seconds."""
        self._lease = 2 * settings.webhook_timeout + 10
        self._new = Flag()
        self._ended = False
        self._thread: Thread | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._lock = Lock()
        self._busy: Counter[str] = Counter()

    def wake(self) -> None:
        """Something happened."""
        self._new.set()

    def start(self) -> None:
        """Begin."""
        self._ended = False
        self._pool = ThreadPoolExecutor(SENDERS, "webhooks")
        self._thread = Thread(target=self._work, name="courier", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; what is under way is finished, what waits is for the next server."""
        self._ended = True
        self._new.set()
        if self._thread is not None and self._pool is not None:
            self._thread.join()
            self._pool.shutdown(cancel_futures=True)
            self._thread = self._pool = None

    # ------------------------------------------------------------------------------- the thread
    def _work(self) -> None:
        begun, failing, tidied = False, False, time.monotonic()
        while not self._ended:
            try:
                if not begun:
                    self._deliveries.begin()
                    begun = True
                if time.monotonic() > tidied + TIDY:
                    self._tidy()
                    tidied = time.monotonic()
                while self._deliveries.gather() and not self._ended:
                    pass
                self._send()
                failing = False
            except Exception as fault:
                if not failing:
                    LOG.error("webhooks wait", exc_info=None if isinstance(fault, Problem) else fault)
                failing = True
            self._new.wait(REST)
            self._new.clear()

    def _send(self) -> None:
        with self._lock:
            busy = dict(self._busy)
        free = SENDERS - sum(busy.values())
        if free < 1 or self._pool is None:
            return
        for parcel in self._deliveries.claim(self._lease, busy, EACH, free):
            with self._lock:
                self._busy[parcel.webhook] += 1
            self._pool.submit(self._deliver, parcel)

    # ------------------------------------------------------------------------------- one delivery
    def _deliver(self, parcel: Parcel) -> None:
        try:
            answer, error = self._post(parcel)
            keep = self._settings.webhook_log_entries
            if error is None and answer is not None:
                self._deliveries.delivered(parcel, answer, keep)
            elif parcel.attempts + 1 >= self._settings.webhook_attempts:
                self._deliveries.failed(parcel, answer, str(error), keep)
            else:
                self._deliveries.again(parcel, answer, str(error), self._pause(parcel.attempts))
        except Problem as problem:
            LOG.warning("a delivery could not be noted: %s", problem)
        except Exception:
            LOG.exception("a delivery failed")
        finally:
            with self._lock:
                self._busy[parcel.webhook] -= 1
                self._busy += Counter()
            self._new.set()

    def _post(self, parcel: Parcel) -> tuple[int | None, str | None]:
        """Status of the answer, and what went wrong."""
        body = parcel.body.encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "geodatacube",
            "X-GDC-Signature": signature(parcel.secret, body),
            "X-GDC-Delivery": parcel.id,
            "X-GDC-Timestamp": str(int(time.time())),
        }
        patience = self._settings.webhook_timeout
        try:
            with Client(egress_of(self._settings), retries=ONCE, timeout=(patience, patience)) as client:
                answer = client.ask(
                    parcel.url, "POST", data=body, headers=headers, follow=False, cap=BOUND, within=patience
                )
        except Failure as failure:
            return failure.status, failure.reason[:500]
        if 200 <= answer.status < 300:
            return answer.status, None
        return answer.status, f"the receiver answers {answer.status}"

    def _pause(self, attempts: int) -> float:
        """Seconds until the next attempt: twice as long each time, and never the same for all."""
        settings = self._settings
        longest = min(settings.webhook_cap_seconds, settings.webhook_base_seconds * 2.0 ** min(attempts, 60))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 (it keeps no secret)
