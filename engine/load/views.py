"""What one file gives to one block: known before it is read, so that it can be fetched before it is needed."""

from __future__ import annotations

import math
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

import numpy as np
from odc.geo.geobox import GeoBox
from odc.loader.types import RasterLoadParams

from engine.http.ahead import DECODERS, WORKERS, await_all, fetch, missing_bytes
from engine.http.ranges import RemoteFile, Span
from engine.load.files import gdal, is_web, named
from engine.load.image import Image, image_of
from engine.load.lookup import Lookups
from engine.load.model import Source
from engine.load.pieces import Cut, cuts


@dataclass(frozen=True)
class Request:
    """One block of one band at one time step."""

    sources: tuple[Source, ...]
    """The files that may have pixels of it; the first valid one counts."""
    geobox: GeoBox
    """The grid of the block."""
    cfg: RasterLoadParams
    """What a reader must know of the cube."""


@dataclass(frozen=True)
class View:
    """What one file gives to one block."""

    image: Image
    """The file, or its overview."""
    cuts: tuple[Cut, ...]
    """The windows that are needed of it."""
    file: RemoteFile | None = None
    """The file on the web whose bytes are fetched for that; None where GDAL must find its way by itself."""
    spans: tuple[tuple[Span, ...], ...] = ()
    """For each cut its bytes in that file."""

    def covers(self, shape: tuple[int, int]) -> bool:
        """Whether it has a place, if not data, for each pixel of a block."""
        return sum(_area(*cut.roi) for cut in self.cuts) >= math.prod(shape)

    def window(self, number: int) -> np.ndarray:
        """The pixels of a cut, in the numbers of the cube."""
        cut = self.cuts[number]
        return self.image.window(cut.rows, cut.cols)

    @property
    def bytes(self) -> int:
        """What has to be fetched, and what will be decoded."""
        pixels = sum(_area(cut.rows, cut.cols) for cut in self.cuts) * self.image.stored.itemsize
        if self.file is None:
            return pixels
        return pixels + missing_bytes(self.file, [span for spans in self.spans for span in spans])


def view_of(source: Source, request: Request, lookups: Lookups) -> View:
    """Find out what to read; of a file that was not seen yet the header is read for that."""
    image = image_of(source, request.geobox, request.cfg)
    needed = tuple(cuts(image, request.geobox, request.cfg, lookups))
    if not (is_web(source.href) and image.head.tiff):
        return View(image, needed)
    file = named(source, lambda: RemoteFile(source.href, source.egress))
    if not file.ranged:
        return View(image, needed)
    return View(image, needed, file, tuple(image.spans(cut.rows, cut.cols) for cut in needed))


class Coming:
    """A view whose windows are under way: first as bytes of the file, where these are known, then as pixels."""

    def __init__(self, view: View, size: int) -> None:
        self.view = view
        self.size = size
        """Bytes that wait here until they are needed."""
        self._lock = threading.Lock()
        self._given_up = False
        self._read: dict[int, Future[np.ndarray]] = {}
        self._fetched: list[list[Future[None]]] = []
        if view.file is not None:
            self._fetched = [fetch(view.file, spans) for spans in view.spans]
        for number in range(len(view.cuts)):
            self._follow(number)

    def window(self, number: int) -> np.ndarray:
        """The pixels of one of the view's cuts, when they are here."""
        view, cut = self.view, self.view.cuts[number]
        file = view.file
        if file is not None:
            futures = self._fetched[number]
            named(view.image.source, lambda: await_all(file, futures), rows=cut.rows, cols=cut.cols)
        return self._begun(number).result()

    def give_up(self) -> None:
        """Ask for nothing more; what is under way comes in vain, and what has come is let go.

        Requests know whom to tell when they are over, so that this would be held by what it holds.
        """
        with self._lock:
            self._given_up = True
            read, fetched = self._read, self._fetched
            self._read, self._fetched = {}, []
        for window in read.values():
            window.cancel()
        for futures in fetched:
            for future in futures:
                future.cancel()

    def _follow(self, number: int) -> None:
        """Decode a window as soon as its bytes are here."""
        if self.view.file is None:
            self._begun(number)
            return
        futures = self._fetched[number]

        def over(_: object = None) -> None:
            here = all(f.done() and not f.cancelled() and f.exception() is None for f in futures)
            if here and not self._given_up:
                self._begun(number)

        for future in futures:
            future.add_done_callback(over)
        if not futures:
            over()

    def _begun(self, number: int) -> Future[np.ndarray]:
        with self._lock:
            if number not in self._read:
                workers = WORKERS if self.view.file is None else DECODERS
                self._read[number] = workers.submit(partial(_window, self.view, number))
            return self._read[number]


def _window(view: View, number: int) -> np.ndarray:
    with gdal():
        return view.window(number)


def _area(rows: slice, cols: slice) -> int:
    return int((rows.stop - rows.start) * (cols.stop - cols.start))
