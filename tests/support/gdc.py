"""Servers and workers as processes of their own, as people start them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import httpx

GDC = [sys.executable, "-c", "from api.cli import main; main()"]


class Running:
    """`gdc serve` or `gdc worker`."""

    def __init__(self, *command: str, **settings: object) -> None:
        env = {**os.environ, **{f"GDC_{k.upper()}": str(v) for k, v in settings.items()}}
        self.process = subprocess.Popen([*GDC, *command], env=env, stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        """End it as a power failure would."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """End it as a service manager does; gives its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def runners(self) -> list[int]:
        """The processes that compute something for it."""
        (forking, *_) = [p for p in children(self.process.pid) if "forkserver" in command_of(p)] or [0]
        return [p for p in children(forking) if called(p) == "gdc-run"] if forking else []


class Server(Running):
    """`gdc serve` on a free port."""

    def __init__(self, *options: str, **settings: object) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        super().__init__("serve", "--port", self.url.rpartition(":")[2], *options, **settings)

    def ready(self) -> Server:
        """Itself, once it answers."""
        wait_for(self.url, self.process)
        return self

    def client(self, user: str) -> httpx.Client:
        """A client that is logged in."""
        return logged_in(self.url, user)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until a server answers."""
    for _ in range(900):
        try:
            httpx.get(f"{url}/health")
        except httpx.TransportError:
            assert process.poll() is None, "the server has ended"
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the server does not answer")


def logged_in(url: str, user: str) -> httpx.Client:
    """A client of a user; passwords are names."""
    login = httpx.get(f"{url}/credentials/basic", auth=(user, user), timeout=60)
    headers = {"Authorization": f"Bearer basic//{login.json()['access_token']}"}
    return httpx.Client(base_url=url, headers=headers, timeout=60)


def alive(pid: int) -> bool:
    """Is there such a process, and has it not ended?"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def free_port() -> int:
    """A port that nobody listens at."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def called(pid: int) -> str:
    """The name that a process goes by; none where it has ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def children(pid: int) -> list[int]:
    """The processes that this one started and that have not ended."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(parent) == pid and state != "Z":
            found.append(int(stat.parent.name))
    return found


def command_of(pid: int) -> str:
    """How a process was started."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return ""
