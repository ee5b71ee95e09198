"""An object store that speaks S3: moto, in a process of its own, as a program of others.

Its dependencies do not fit to ours. It is found on the PATH, or where `GDC_TEST_MOTO` says that `moto_server` lies.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_server
from typing import Any

BUCKET = "scenes"
MISSING = (
    "moto_server is not here: pip install 'moto[server]' into an environment, and set GDC_TEST_MOTO to it"
)


def program() -> str | None:
    """The program that is the object store."""
    return os.environ.get("GDC_TEST_MOTO") or shutil.which("moto_server")


class ObjectStore:
    """The store as its owner sees it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """The answer to a request; moto does not look at signatures."""
        headers = {"Content-Type": "application/octet-stream", "Authorization": "AWS ours:unproven"}
        request = urllib.request.Request(f"{self.url}/{path}", data=body, method=method, headers=headers)
        with urllib.request.urlopen(request) as answer:
            return answer.read()

    def bucket(self, name: str) -> Any:
        """A bucket, which is made, as obstore has it."""
        from obstore.store import S3Store

        self.ask("PUT", name)
        return S3Store(
            name, endpoint=self.url, region="us-east-1", access_key_id="key", secret_access_key="secret",
            client_options={"allow_http": True},
        )  # fmt: skip

    @property
    def environment(self) -> dict[str, str]:
        """What a client of it has in its environment."""
        return {
            "S3_ENDPOINT": self.url, "S3_REGION": "us-east-1", "S3_ACCESSKEY": "key", "S3_SECRETKEY": "secret",
        }  # fmt: skip

    def names(self) -> list[str]:
        """Names of all objects."""
        return self._texts(f"{BUCKET}?list-type=2", "Key")

    def unfinished(self) -> list[str]:
        """Names of uploads that were begun and neither ended nor given up."""
        return self._texts(f"{BUCKET}?uploads", "Key")

    def _texts(self, path: str, tag: str) -> list[str]:
        return [
            str(e.text) for e in ET.fromstring(self.ask("GET", path)).iter() if e.tag.endswith(f"}}{tag}")
        ]


@contextmanager
def started(folder: Path) -> Iterator[ObjectStore]:
    """A store with an empty bucket."""
    with create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [str(program()), "-H", "127.0.0.1", "-p", str(port)]
    with (folder / "moto.log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            store = ObjectStore(f"http://127.0.0.1:{port}")
            for _ in range(300):
                try:
                    store.ask("PUT", BUCKET)
                except urllib.error.URLError:
                    assert process.poll() is None, (folder / "moto.log").read_text()
                    time.sleep(0.1)
                else:
                    break
            yield store
        finally:
            process.terminate()
