"""A server from the command line: over which catalogue, what users' graphs may reach, and where it listens."""

from __future__ import annotations

import logging
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from threading import Event

import uvicorn

import engine
from api.app import create_app
from api.auth.passwords import hashed
from engine import Backend, Problem, Settings, User

Say = Callable[[str], None]
KEEP_ALIVE = 75
"""Seconds that an idle connection is kept: longer than proxies and clients keep theirs, which would be reset."""
DEMO = "demo"
"""Name and password of the user of the sample data."""


def served(
    settings: Settings, catalog: str | Path | None, *, demo: bool, say: Say, anonymous: bool = False
) -> Backend:
    """A back-end for strangers: their graphs read no files of this machine and ask no private address."""
    changes: dict[str, object] = {"local_files": False, "private_hosts": "deny", "udf": confined(settings)}
    if anonymous:
        changes["auth"] = "anonymous"
    if demo:
        say("Making the sample scenes (once) ...")
        with engine.bar("scenes") as progress:
            catalog = engine.sample_catalog(settings.home, progress)
    if catalog is not None:
        changes["catalog"] = catalog
    backend = Backend(settings.model_copy(update=changes))
    backend.open()
    if demo:
        backend.store.users.put(User(DEMO, "Demo"), hashed(DEMO))
    return backend


def confined(settings: Settings) -> str:
    """How user code is run: in the sandbox, whatever is right for a person's own machine, or not at all."""
    return "off" if settings.udf == "off" else "sandbox"


def listen(backend: Backend, host: str, port: int, tls: tuple[str | None, str | None], say: Say) -> None:
    """Serve until the process is told to end."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    config = uvicorn.Config(
        create_app(backend), host=host, port=port, ssl_certfile=tls[0], ssl_keyfile=tls[1],
        ws_max_size=backend.settings.publish_bytes,
        access_log=False, log_level="warning", server_header=False, timeout_graceful_shutdown=20, timeout_keep_alive=KEEP_ALIVE,
    )  # fmt: skip
    listening: socket.socket = config.bind_socket()
    taken = listening.getsockname()[1]
    say(
        f"Listening at {'https' if tls[0] else 'http'}://{host}:{taken}, openEO at /openeo/1.2, routes at /docs"
    )
    Listener(config, backend).run([listening])


class Listener(uvicorn.Server):
    """A server that ends answers without an end before it waits for all to be finished."""

    def __init__(self, config: uvicorn.Config, backend: Backend) -> None:
        super().__init__(config)
        self._backend = backend

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End it."""
        self._backend.live.tail.end()
        await super().shutdown(sockets)


def work(backend: Backend, say: Say) -> None:
    """Compute batch jobs until the process is told to end; those under way go back into the queue."""
    if not backend.settings.job_slots:
        raise Problem(
            "ParameterInvalid", "a worker without slots has nothing to do", hint="Set GDC_JOB_SLOTS."
        )
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    told = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    backend.begin_work()
    say(f"Computing batch jobs, {backend.settings.job_slots} at a time.")
    told.wait()
    backend.close()
