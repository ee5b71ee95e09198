"""Files on web servers, read piece by piece: what GDAL reads of them comes through the guarded client."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from rasterio.abc import MultiByteRangeResourceContainer

from engine.http.client import PATIENCE, Answer, Client, Failure, shown
from engine.http.egress import Egress
from engine.http.pieces import Piece, Pieces, State, States

BLOCK = 2**15
"""Bytes of a cached piece; the first of them has the header of most files."""
REMEMBERED = 128 * 2**20
"""Bytes of pieces that are kept."""
KNOWN = 2048
"""Files whose first piece is kept, whatever is read after it: it has the header."""
NEAR = 2
"""Pieces that are fetched in one go although some that were not asked for lie between them."""
WHOLE = 256 * 2**20
"""Largest file that is fetched as a whole from a server that has no ranges."""
LONGEST = 128
"""Pieces that are fetched in one go at most: large parts come faster as several."""
RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)$")

Span = tuple[int, int]
"""Bytes of a file, from the first to the one after the last."""


class Run(NamedTuple):
    """Pieces that are fetched with one request."""

    first: int
    """Number of the first."""
    last: int
    """Number of the last."""


class Told(NamedTuple):
    """What an answer tells of its file."""

    size: int
    """Bytes of the file."""
    mark: str
    """What the server says of its version."""
    ranged: bool
    """Whether the answer is a part of it."""
    start: int
    """Where in the file the answer begins."""


PIECES = Pieces(REMEMBERED)
STATES = States(KNOWN)
_LOCAL = threading.local()


def _forsake() -> None:
    """A forked process shares no connection and no lock with its parent."""
    PIECES.lock, STATES.lock = threading.Lock(), threading.Lock()
    STATES.asking.clear()
    _FORSAKEN.append(dict(_LOCAL.__dict__))
    _LOCAL.__dict__.clear()


_FORSAKEN: list[object] = []
"""Connections of the parent process, which would end for it, too, if they were closed politely."""
os.register_at_fork(after_in_child=_forsake)


def client_of(egress: Egress) -> Client:
    """This thread's client."""
    clients: dict[Egress, Client] = _LOCAL.__dict__.setdefault("clients", {})
    if egress not in clients:
        clients[egress] = Client(egress, retries=PATIENCE)
    return clients[egress]


def take_failure(href: str) -> Failure | None:
    """Why this thread could not read that file; told once, because GDAL does not pass it on."""
    failures: dict[str, Failure] = _LOCAL.__dict__.setdefault("failures", {})
    return failures.pop(href, None)


def leave_failure(href: str, failure: Failure) -> None:
    """Leave word for `take_failure` in this thread."""
    _LOCAL.__dict__.setdefault("failures", {})[href] = failure


class RemoteFile:
    """A file on a web server, for reading."""

    def __init__(self, href: str, egress: Egress) -> None:
        self.href = href
        self.egress = egress
        self.at = 0
        state = STATES.get(egress, href)
        if state is None:
            with STATES.alone(egress, href):
                state = STATES.get(egress, href) or self._found()
        self._use(state)

    def _use(self, state: State) -> None:
        self._state = state
        # its pieces' name is asked for very often, and a text is hashed once only
        self._name = f"{self.egress!r} {self.href} {state.size} {state.mark}"

    def __enter__(self) -> RemoteFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is to be closed: connections belong to the thread."""

    def tell(self) -> int:
        """Where the next byte is read."""
        return self.at

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place."""
        self.at = offset + (0, self.at, self.size)[whence]
        return self.at

    def read(self, count: int = -1) -> bytes:
        """The next bytes."""
        state = self._state
        stop = state.size if count < 0 else min(self.at + count, state.size)
        short = stop <= len(state.head)  # GDAL reads a header in a hundred small bits
        found = state.head[self.at : stop] if short else self._bytes(self.at, stop)
        self.at += len(found)
        return found

    def get_byte_ranges(self, offsets: Any, sizes: Any) -> list[bytes]:
        """The bytes at several places."""
        spans = [(int(o), min(int(o) + int(n), self.size)) for o, n in zip(offsets, sizes, strict=True)]
        self._need({b for start, stop in spans for b in _blocks(start, stop)})
        return [self._bytes(start, stop) for start, stop in spans]

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self._state.size

    @property
    def state(self) -> tuple[int, str]:
        """What changes when the file is changed."""
        return self._state.size, self._state.mark

    @property
    def ranged(self) -> bool:
        """Whether parts of it can be asked for."""
        return self._state.ranged

    def key(self, block: int) -> tuple[Any, ...]:
        """The name of a piece among those of all files."""
        return self._name, block

    def blocks(self, spans: Iterable[Span]) -> set[int]:
        """The pieces in which these bytes are."""
        return {b for start, stop in spans for b in _blocks(start, min(stop, self.size))}

    def missing(self, blocks: Collection[int]) -> list[Run]:
        """What has to be fetched for these pieces, in as few requests as there are gaps."""
        runs: list[Run] = []
        for block in sorted(b for b in blocks if b and PIECES.get(self.key(b)) is None):
            if runs and block - runs[-1].last <= NEAR and block - runs[-1].first < LONGEST:
                runs[-1] = Run(runs[-1].first, block)
            else:
                runs.append(Run(block, block))
        return runs

    def _bytes(self, start: int, stop: int) -> bytes:
        if stop <= start:
            return b""
        blocks = _blocks(start, stop)
        parts = self._need(set(blocks))
        first = blocks[0] * BLOCK
        return b"".join(parts[b] for b in blocks)[start - first : stop - first]

    def _need(self, blocks: set[int]) -> dict[int, Piece]:
        """These pieces, the missing ones fetched."""
        found = {b: piece for b in blocks if (piece := self._piece(b)) is not None}
        for run in self.missing(blocks - found.keys()):
            found |= self.fetch(run)
        return found

    def _piece(self, block: int) -> Piece | None:
        return PIECES.get(self.key(block)) if block else self._state.head

    def fetch(self, run: Run) -> dict[int, Piece]:
        """Pieces from the server, of the file as it was."""
        answer, told = self._asked(run)
        if (told.size, told.mark) != self.state:
            STATES.drop(self.egress, self.href)
            failure = Failure("status", answer.href, "the file was changed while it was being read")
            leave_failure(self.href, failure)
            raise failure
        return self._keep(answer, told.start)

    def _found(self) -> State:
        """The file as it is, by its first piece."""
        answer, told = self._asked(Run(0, 0))
        state = State(told.size, told.mark, answer.body[:BLOCK], told.ranged, time.monotonic())
        STATES.put(self.egress, self.href, state)
        self._use(state)
        self._keep(answer, told.start)
        return state

    def _asked(self, run: Run) -> tuple[Answer, Told]:
        """An answer, and what it tells of the file."""
        start, stop = run.first * BLOCK, (run.last + 1) * BLOCK
        try:
            answer = client_of(self.egress).fetch(
                self.href,
                headers={"Range": f"bytes={start}-{stop - 1}", "Accept-Encoding": "identity"},
                cap=WHOLE,
            )
            return answer, _told(answer, start)
        except Failure as failure:
            leave_failure(self.href, failure)
            raise

    def _keep(self, answer: Answer, start: int) -> dict[int, Piece]:
        body = memoryview(answer.body)  # the pieces of an answer come and go together: no copies
        pieces: dict[int, Piece] = {
            (start + at) // BLOCK: body[at : at + BLOCK] for at in range(0, len(body), BLOCK)
        }
        for block, piece in pieces.items():
            if block:
                PIECES.put(self.key(block), piece)
        return pieces


def _told(answer: Answer, start: int) -> Told:
    """What an answer tells of its file; refused where its bytes are others than those from `start`."""
    mark = answer.headers.get("ETag", "") or answer.headers.get("Last-Modified", "")
    size = len(answer.body)
    if answer.status != 206:
        return Told(size, mark, ranged=False, start=0)
    place = RANGE.match(answer.headers.get("Content-Range", ""))
    if place is None or int(place[1]) != start:
        raise Failure("status", answer.href, "the server answers with other bytes than were asked for")
    if size != int(place[2]) + 1 - start:
        raise Failure("unreachable", answer.href, "the server's answer is cut off")
    return Told(int(place[3]), mark, ranged=True, start=start)


def _blocks(start: int, stop: int) -> range:
    return range(start // BLOCK, -(-stop // BLOCK))


class Opener(MultiByteRangeResourceContainer):
    """Opens remote files for GDAL; it lists no folders, so that nothing is looked for beside a file."""

    def __init__(self, egress: Egress) -> None:
        self.egress = egress

    def open(self, path: str, mode: str = "r", **_: Any) -> RemoteFile:
        """A file for reading."""
        if "w" in mode or "a" in mode or "+" in mode:
            raise OSError(f"{shown(path)} is on a web server and cannot be written")
        return RemoteFile(path, self.egress)

    def isfile(self, _path: str) -> bool:
        """Everything that is asked for is a file."""
        return True

    def isdir(self, _path: str) -> bool:
        """Nothing is a folder."""
        return False

    def ls(self, _path: str) -> list[str]:
        """Folders have no list."""
        return []

    def mtime(self, _path: str) -> int:
        """No time of change is told."""
        return 0

    def rm(self, path: str) -> None:
        """Nothing is removed."""
        raise OSError(f"{shown(path)} is on a web server and cannot be removed")

    def size(self, path: str) -> int:
        """Bytes of a file.

        rasterio asks for the size of `test`, too, each time that it opens something: it only looks whether this can be
        called. To find out in the client that this is no address takes longer than to read a header, one at a time.
        """
        if "://" not in path:
            raise OSError(f"{shown(path)} is no address on the web")
        return RemoteFile(path, self.egress).size


@lru_cache(maxsize=64)
def opener_of(egress: Egress) -> Opener:
    """The one opener for these rules: GDAL takes two of them for the same file as a contradiction."""
    return Opener(egress)
