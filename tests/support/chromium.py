"""A real browser without a window, driven by its own protocol: pages are opened, measured, and what they say is heard."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
           "--disable-background-networking", "--remote-debugging-port=0")  # fmt: skip
WAIT = 60.0
"""Seconds until something has happened, or never will."""


def binary() -> str | None:
    """Where the browser is; None: it is not installed."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Tab:
    """A page, and all that happened since it was opened."""

    def __init__(self, link: ClientConnection) -> None:
        self._link = link
        self._number = 0
        self.events: list[dict[str, Any]] = []
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """What a method of the protocol gives."""
        self._number += 1
        self._link.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            message = json.loads(self._link.recv(timeout=WAIT))
            if message.get("id") == self._number:
                assert "error" not in message, (method, message["error"])
                return dict(message["result"])
            self.events.append(message)

    def open(self, url: str, width: int = 1200, height: int = 900, scheme: str = "light") -> None:
        """Show a page in a window of that size; pictures that are fetched late are fetched, too."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.events.clear()
        self.call("Page.navigate", url=url)
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(json.loads(self._link.recv(timeout=WAIT)))
        self.value(SEEN, promised=True)

    def value(self, script: str, *, promised: bool = False) -> Any:
        """What a script gives in the page."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=promised)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def requests(self) -> list[str]:
        """The addresses that were asked for, in their order."""
        sent = [e for e in self.events if e["method"] == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in sent]

    def complaints(self) -> list[str]:
        """What the console says, and what has failed."""
        said = {
            "Log.entryAdded",
            "Runtime.consoleAPICalled",
            "Runtime.exceptionThrown",
            "Network.loadingFailed",
        }
        return [json.dumps(event["params"])[:600] for event in self.events if event["method"] in said]


SEEN = """Promise.all([...document.images].map(image => {
  image.loading = 'eager';
  return image.decode();
}))"""


@contextmanager
def browser(folder: Path) -> Iterator[Tab]:
    """A tab of a browser that keeps its things in a folder."""
    port = folder / "DevToolsActivePort"
    process = subprocess.Popen(
        [str(binary()), *OPTIONS, f"--user-data-dir={folder}", "about:blank"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        start = time.monotonic()
        while not port.exists() or not port.read_text().strip():
            assert process.poll() is None, "the browser has ended"
            assert time.monotonic() - start < WAIT, "the browser does not start"
            time.sleep(0.1)
        tabs = httpx.get(f"http://127.0.0.1:{port.read_text().split()[0]}/json/list", timeout=WAIT).json()
        (page,) = [tab for tab in tabs if tab["type"] == "page"]
        with connect(page["webSocketDebuggerUrl"], max_size=None) as link:
            yield Tab(link)
    finally:
        process.terminate()
        process.wait(30)
