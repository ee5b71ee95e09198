"""Work that several wait for is done once, and ended when nobody waits any more."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from engine.jobs.process import Canceled
from engine.jobs.sync import Ticket


@dataclass(eq=False)
class Errand:
    """Work under way, and how many wait for it."""

    ticket: Ticket
    future: Future[Any] = field(default_factory=Future)
    """What they wait for: done when what has to be done with the answer is done, too."""
    waiting: int = 0

    def __post_init__(self) -> None:
        self.future.set_running_or_notify_cancel()  # one who waits cannot cancel it for the others


class Share:
    """One waiter's hold on an errand; it has the form of a `Ticket`."""

    def __init__(self, errand: Errand, leave: Callable[[Errand], None]) -> None:
        self.future = errand.future
        """What the work gives."""
        self._errand = errand
        self._leave = leave
        self._left = False

    def cancel(self) -> None:
        """The answer is not wanted any more by this one."""
        if not self._left:
            self._left = True
            self._leave(self._errand)


class Shared:
    """Errands by what they are for."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._under_way: dict[Hashable, Errand] = {}

    def take(
        self,
        key: Hashable,
        begin: Callable[[], Ticket],
        done: Callable[[Any], None],
        failed: Callable[[BaseException], None],
    ) -> Share:
        """Wait for an errand; it is begun where nobody waits for it yet.

        `done` and `failed` are called once, with what came of it, before anybody who waits hears of it.
        """
        with self._lock:
            errand = self._under_way.get(key)
            new = errand is None
            if errand is None:
                errand = self._under_way[key] = Errand(begin())
            errand.waiting += 1
        if new:
            errand.ticket.future.add_done_callback(lambda given: self._end(key, errand, given, done, failed))
        return Share(errand, lambda left: self._leave(key, left))

    def _end(self, key: Hashable, errand: Errand, given: Future[Any], done: Any, failed: Any) -> None:
        try:
            fault = Canceled() if given.cancelled() else given.exception()
            if fault is None:
                done(given.result())
            else:
                failed(fault)
        except Exception as further:  # noqa: BLE001 (who waits has to hear of it)
            fault = further
        self._forget(key, errand)
        if fault is None:
            errand.future.set_result(given.result())
        else:
            errand.future.set_exception(fault)

    def _forget(self, key: Hashable, errand: Errand) -> None:
        with self._lock:
            if self._under_way.get(key) is errand:
                del self._under_way[key]

    def _leave(self, key: Hashable, errand: Errand) -> None:
        with self._lock:
            errand.waiting -= 1
            if errand.waiting:
                return
            if self._under_way.get(key) is errand:
                del self._under_way[key]
        errand.ticket.cancel()
