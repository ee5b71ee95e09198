"""Files on web servers, read piece by piece: what GDAL reads of them comes through the guarded client."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from rasterio.abc import MultiByteRangeResourceContainer

from engine.http.client import PATIENCE, Answer, Client, Failure, shown
from engine.http.egress import Egress

BLOCK = 2**15
"""Bytes of a cached piece; the first of them has the header of most files."""
REMEMBERED = 64 * 2**20
"""Bytes of pieces that are kept."""
NEAR = 2
"""Pieces that are fetched in one go although some that were not asked for lie between them."""
WHOLE = 256 * 2**20
"""Largest file that is fetched as a whole from a server that has no ranges."""
RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)$")


@dataclass
class Pieces:
    """Pieces of files that were read last, for all threads."""

    room: int
    """Bytes that are kept."""
    kept: OrderedDict[tuple[Any, ...], bytes] = field(default_factory=OrderedDict)
    size: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: tuple[Any, ...]) -> bytes | None:
        """A piece, if it is here still."""
        with self.lock:
            if key in self.kept:
                self.kept.move_to_end(key)
            return self.kept.get(key)

    def put(self, key: tuple[Any, ...], piece: bytes) -> None:
        """Keep a piece; those that were not read for longest go."""
        with self.lock:
            self.size += len(piece) - len(self.kept.pop(key, b""))
            self.kept[key] = piece
            while self.size > self.room:
                self.size -= len(self.kept.popitem(last=False)[1])

    def drop(self, key: tuple[Any, ...]) -> None:
        """Forget a piece."""
        with self.lock:
            self.size -= len(self.kept.pop(key, b""))


PIECES = Pieces(REMEMBERED)
_LOCAL = threading.local()


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


class RemoteFile:
    """A file on a web server, for reading."""

    def __init__(self, href: str, egress: Egress) -> None:
        self.href = href
        self.egress = egress
        self.at = 0
        self._size = 0
        self._mark = ""
        self._first()

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
        self.at = offset + (0, self.at, self._size)[whence]
        return self.at

    def read(self, count: int = -1) -> bytes:
        """The next bytes."""
        stop = self._size if count < 0 else min(self.at + count, self._size)
        found = self._bytes(self.at, stop)
        self.at += len(found)
        return found

    def get_byte_ranges(self, offsets: Any, sizes: Any) -> list[bytes]:
        """The bytes at several places."""
        spans = [(int(o), min(int(o) + int(n), self._size)) for o, n in zip(offsets, sizes, strict=True)]
        self._need({b for start, stop in spans for b in _blocks(start, stop)})
        return [self._bytes(start, stop) for start, stop in spans]

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self._size

    def _key(self, block: int) -> tuple[Any, ...]:
        return self.egress, self.href, self._mark, self._size, block

    def _first(self) -> None:
        """The first piece, which tells the size and the state of the file; remembered for a while."""
        known = PIECES.get((self.egress, self.href, "state"))
        if known is not None:
            size, _, self._mark = known.decode().partition(" ")
            self._size = int(size)
            return
        self._fetch(0, 0)
        PIECES.put((self.egress, self.href, "state"), f"{self._size} {self._mark}".encode())

    def _bytes(self, start: int, stop: int) -> bytes:
        if stop <= start:
            return b""
        blocks = _blocks(start, stop)
        parts = self._need(set(blocks))
        first = blocks[0] * BLOCK
        return b"".join(parts[b] for b in blocks)[start - first : stop - first]

    def _need(self, blocks: set[int]) -> dict[int, bytes]:
        """These pieces, the missing ones fetched in as few requests as there are gaps."""
        found = {b: piece for b in blocks if (piece := PIECES.get(self._key(b))) is not None}
        runs: list[list[int]] = []
        for block in sorted(blocks - found.keys()):
            if runs and block - runs[-1][1] <= NEAR:
                runs[-1][1] = block
            else:
                runs.append([block, block])
        for first, last in runs:
            found |= self._fetch(first, last)
        return found

    def _fetch(self, first: int, last: int) -> dict[int, bytes]:
        """Pieces from the server."""
        start, stop = first * BLOCK, (last + 1) * BLOCK
        try:
            answer = client_of(self.egress).fetch(
                self.href,
                headers={"Range": f"bytes={start}-{stop - 1}", "Accept-Encoding": "identity"},
                cap=WHOLE,
            )
            start, body = self._placed(answer, start)
        except Failure as failure:
            _LOCAL.__dict__.setdefault("failures", {})[self.href] = failure
            raise
        pieces = {(start + at) // BLOCK: body[at : at + BLOCK] for at in range(0, len(body), BLOCK)}
        for block, piece in pieces.items():
            PIECES.put(self._key(block), piece)
        return pieces

    def _placed(self, answer: Answer, start: int) -> tuple[int, bytes]:
        """Where the answer's bytes begin, and they; refused where they are not of the file as it was."""
        mark = answer.headers.get("ETag", "") or answer.headers.get("Last-Modified", "")
        size, stop = len(answer.body), len(answer.body)
        if answer.status == 206:
            told = RANGE.match(answer.headers.get("Content-Range", ""))
            if told is None or int(told[1]) != start:
                raise Failure(
                    "status", answer.href, "the server answers with other bytes than were asked for"
                )
            size, stop = int(told[3]), int(told[2]) + 1
            if len(answer.body) != stop - start:
                raise Failure("unreachable", answer.href, "the server's answer is cut off")
        else:
            start = 0
        if self._size and (size, mark) != (self._size, self._mark):
            PIECES.drop((self.egress, self.href, "state"))
            raise Failure("status", answer.href, "the file was changed while it was being read")
        self._size, self._mark = size, mark
        return start, answer.body


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
        """Bytes of a file."""
        return RemoteFile(path, self.egress).size


@lru_cache(maxsize=64)
def opener_of(egress: Egress) -> Opener:
    """The one opener for these rules: GDAL takes two of them for the same file as a contradiction."""
    return Opener(egress)
