"""Finds out what a call will read of remote files, and fetches it while what has come is being decoded."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial
from typing import NamedTuple

from engine.http.ahead import BOUNDS, WORKERS
from engine.load.files import gdal, is_local
from engine.load.lookup import Lookups
from engine.load.views import Coming, Request, View, view_of


class Spot(NamedTuple):
    """One source of one request."""

    request: int
    """Number of the request."""
    source: int
    """Number of the source in it."""


class Ahead:
    """The remote part of a call. All headers are asked for at once, then windows in their order, as far as the
    bounds allow; of files that lie below others, only where these leave a part of the block free."""

    def __init__(self, requests: Sequence[Request], lookups: Lookups) -> None:
        self._requests = requests
        self._lookups = lookups
        self._lock = threading.RLock()
        self._coming: dict[Spot, Coming] = {}
        self._plans: dict[Spot, Future[View]] = {
            Spot(r, s): WORKERS.submit(partial(self._planned, Spot(r, s)))
            for r, request in enumerate(requests)
            for s, source in enumerate(request.sources)
            if not is_local(source.href)
        }
        self._waiting = list(self._plans)
        for plan in self._plans.values():
            plan.add_done_callback(self._go_on)

    def __enter__(self) -> Ahead:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._waiting.clear()
            for plan in self._plans.values():
                plan.cancel()
            for spot in list(self._coming):
                self._drop(spot)

    def __contains__(self, spot: Spot) -> bool:
        return spot in self._plans

    def wanted(self, spot: Spot) -> Coming:
        """What is needed now; it goes first, whatever the bounds."""
        view = self._plans[spot].result()
        with self._lock:
            if spot not in self._coming:
                self._begin(spot, view, must=True)
            return self._coming[spot]

    def done(self, request: int) -> None:
        """Nothing more is needed of this request, which makes room for others."""
        with self._lock:
            self._waiting = [spot for spot in self._waiting if spot.request != request]
            for spot in [spot for spot in self._coming if spot.request == request]:
                self._drop(spot)
            self._go_on()

    def _planned(self, spot: Spot) -> View:
        request = self._requests[spot.request]
        with gdal():
            return view_of(request.sources[spot.source], request, self._lookups)

    def _go_on(self, _: object = None) -> None:
        """Begin what there is room for."""
        with self._lock:
            for spot in list(self._waiting):
                plan = self._plans[spot]
                if not plan.done() or not self._is_seen(spot):
                    continue
                if plan.cancelled() or plan.exception() is not None:
                    self._waiting.remove(spot)  # whoever wants it is told
                elif not self._begin(spot, plan.result()):
                    return

    def _is_seen(self, spot: Spot) -> bool:
        """Whether the sources above surely leave some part of the block to this one."""
        shape = self._requests[spot.request].geobox.shape
        above = [self._plans.get(Spot(spot.request, source)) for source in range(spot.source)]
        return all(
            plan is None
            or (
                plan.done()
                and not plan.cancelled()
                and not plan.exception()
                and not plan.result().covers(shape)
            )
            for plan in above
        )

    def _begin(self, spot: Spot, view: View, *, must: bool = False) -> bool:
        size = view.bytes
        if not BOUNDS.take(size, must=must):
            return False
        self._coming[spot] = Coming(view, size)
        if spot in self._waiting:
            self._waiting.remove(spot)
        return True

    def _drop(self, spot: Spot) -> None:
        coming = self._coming.pop(spot)
        coming.give_up()
        BOUNDS.give(coming.size)
