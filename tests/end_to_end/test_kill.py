"""kill -9 of servers at random moments while batch jobs are queued and running: nothing lost, nothing twice."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing

import httpx
import pytest

from api.auth.passwords import hashed
from engine import Backend, Settings, User
from engine.catalog import Catalog
from engine.demo import demo_graph, make_scenes

JOBS, KILLS, SEED = 12, 10, 20261127
LEASE = 2.0


@pytest.mark.slow
@pytest.mark.timeout(280)
def test_no_job_is_lost_or_published_twice(tmp_path):
    settings = Settings(home=tmp_path / "home", catalog=tmp_path / "catalog.sqlite")
    with closing(Catalog(settings.catalog_path)) as catalog:
        catalog.add(make_scenes(tmp_path / "scenes", size=400))
    with closing(Backend(settings)) as backend:
        backend.store.users.put(User("ada"), hashed("ada"))
        user = backend.store.users.get("ada")
        jobs = [backend.create_job(user, {"process": demo_graph()}) for _ in range(JOBS)]
        for job in jobs:
            backend.start_job(user, job.id)
        chance = random.Random(SEED)
        for _ in range(KILLS):
            server, _url = started(tmp_path)
            time.sleep(chance.uniform(0.0, 2.5))
            server.send_signal(signal.SIGKILL)
            server.wait()
        server, url = started(tmp_path)
        try:
            for _ in range(1200):
                if all(j.status in ("finished", "error") for j in backend.store.jobs.all("ada")):
                    break
                time.sleep(0.1)
            done = backend.store.jobs.all("ada")
            assert [j.status for j in done] == ["finished"] * JOBS, [j.problem for j in done]
            contents = {content(url, job.id) for job in jobs}
        finally:
            server.send_signal(signal.SIGTERM)
            assert server.wait(30) in (0, -signal.SIGTERM)
        assert len(contents) == 1
        for job in done:
            folder = settings.job_folder("ada", job.id)
            assert [p.name for p in folder.iterdir()] == [f"attempt-{job.fence}"]
            ends = [e for e in backend.store.logs.read(job) if e["message"].startswith("finished")]
            assert len(ends) == 1


def started(tmp_path) -> tuple[subprocess.Popen, str]:
    """A server over the home of the test, once it answers."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {
        **os.environ, "GDC_HOME": str(tmp_path / "home"), "GDC_CATALOG": str(tmp_path / "catalog.sqlite"),
        "GDC_JOB_LEASE": str(LEASE), "GDC_JOB_SLOTS": "2", "GDC_JOB_ATTEMPTS": "100",
    }  # fmt: skip
    command = [sys.executable, "-c", "from api.cli import main; main()", "serve", "--port", str(port)]
    server = subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    for _ in range(600):
        try:
            httpx.get(f"{url}/health")
        except httpx.TransportError:
            assert server.poll() is None
            time.sleep(0.1)
        else:
            return server, url
    raise AssertionError("the server does not answer")


def content(url: str, job: str) -> bytes:
    """The one file of a job's results."""
    token = httpx.get(f"{url}/credentials/basic", auth=("ada", "ada")).json()["access_token"]
    results = httpx.get(f"{url}/jobs/{job}/results", headers={"Authorization": f"Bearer {token}"}).json()
    (asset,) = results["assets"].values()
    return httpx.get(asset["href"]).content
