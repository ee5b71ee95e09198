"""Serves a folder over HTTP, with range requests and as slow to answer as something far away.

The first part of a path is cut off and may be anything: each run asks under a name of its own, so that no client
answers from what it has kept of the run before.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

LATENCY = 0.040
"""Seconds before each answer."""


class Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD for files."""

    protocol_version = "HTTP/1.1"
    folder: ClassVar[Path]

    def do_GET(self) -> None:
        """A file, or the part of it that was asked for."""
        time.sleep(LATENCY)
        path = self.folder / self.path.lstrip("/").partition("/")[2]
        if not path.is_file() or self.folder not in path.resolve().parents:
            self.send_response(HTTPStatus.NOT_FOUND)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        size = path.stat().st_size
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        start = int(asked[1]) if asked else 0
        stop = min(size, int(asked[2]) + 1) if asked and asked[2] else size
        self.send_response(HTTPStatus.PARTIAL_CONTENT if asked else HTTPStatus.OK)
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{size}")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Type", "application/json" if path.suffix == ".json" else "image/tiff")
        self.send_header("Content-Length", str(stop - start))
        self.end_headers()
        if self.command == "GET":
            self.send_part(path, start, stop)

    do_HEAD = do_GET  # noqa: N815 (the base class looks for that name)

    def send_part(self, path: Path, start: int, stop: int) -> None:
        """Hand the bytes to the socket without looking at them."""
        self.wfile.flush()
        with path.open("rb") as file:
            self.connection.sendfile(file, start, stop - start)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


class Server(ThreadingHTTPServer):
    """As many clients as there are."""

    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """Clients that hang up are no news."""


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """A server in a process of its own; gives its address."""
    command = [sys.executable, "-m", "benchmarks.server", str(folder)]
    with subprocess.Popen(
        command, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def main() -> None:
    """Serve the folder that is named until killed; say where."""
    Handler.folder = Path(sys.argv[1]).resolve()
    server = Server(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
