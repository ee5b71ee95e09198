"""kill -9 of servers, workers and runners at random moments over queued jobs: nothing lost, nothing twice."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

import pytest

from api.auth.passwords import hashed
from engine import Backend, Settings, User
from engine.catalog import Catalog
from engine.demo import demo_graph, make_scenes
from gdc import Running, Server

JOBS, KILLS, SEED = 30, 30, 20261127
PARTS = ("server", "worker", "runner")


SLOW = """
import time
def apply_datacube(cube, context):
    time.sleep(1.5)
    return cube
"""


def graph() -> dict:
    """The demo's graph, with user code that takes its time."""
    nodes = {
        k: {n: v for n, v in node.items() if n != "result"}
        for k, node in demo_graph()["process_graph"].items()
    }
    (result,) = [k for k, node in demo_graph()["process_graph"].items() if node.get("result")]
    udf = {"data": {"from_node": result}, "udf": SLOW, "runtime": "Python"}
    return {
        **demo_graph(),
        "process_graph": {**nodes, "udf": {"process_id": "run_udf", "arguments": udf, "result": True}},
    }


@pytest.fixture
def backend(tmp_path, database) -> Iterator[Backend]:
    """What servers and workers of the test share."""
    settings = Settings(home=tmp_path / "home", catalog=tmp_path / "catalog.sqlite", database=database)
    with closing(Catalog(settings.catalog_place)) as catalog:
        catalog.add(make_scenes(tmp_path / "scenes", size=400))
    with closing(Backend(settings)) as opened:
        opened.store.users.put(User("ada"), hashed("ada"))
        yield opened


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_job_is_lost_or_published_twice(backend, request):
    settings, user = backend.settings, backend.store.users.get("ada")
    shared = {
        "home": settings.home, "catalog": settings.catalog_place, "database": settings.database_url,
        "job_lease": 2, "job_attempts": 100,
    }  # fmt: skip

    def start(part: str) -> Running:
        return Server(**shared, job_slots=0) if part == "server" else Running("worker", **shared, job_slots=2)

    jobs = [backend.create_job(user, {"process": graph()}) for _ in range(JOBS)]
    for job in jobs:
        backend.start_job(user, job.id)
    running = {part: start(part) for part in ("server", "worker")}
    crash = request.getfixturevalue("postgres").crash if "postgresql" in settings.database_url else None
    chance, killed = random.Random(SEED), dict.fromkeys(PARTS, 0)
    try:
        for number in range(KILLS):
            time.sleep(chance.uniform(0.2, 2.5))
            part = PARTS[number % 3]
            if crash and number % 10 == 9:
                crash()
            if part != "runner":
                running[part].kill()
                running[part] = start(part)
                killed[part] += 1
            elif pid := a_runner(running["worker"], chance, lambda: ended(backend)):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    killed[part] += 1
        for _ in range(1800):
            if ended(backend):
                break
            time.sleep(0.1)
        done = backend.store.jobs.all("ada")
        assert killed["server"] == killed["worker"] == KILLS // 3
        assert killed["runner"] >= KILLS // 6
        assert [j.status for j in done] == ["finished"] * JOBS, [j.problem for j in done]
        with running["server"].ready().client("ada") as client:  # type: ignore[attr-defined]
            contents = {content(client, job.id) for job in jobs}
    finally:
        for part in running.values():
            assert part.stop() in (0, -signal.SIGTERM)
    assert len(contents) == 1
    for job in done:
        folder = settings.job_folder("ada", job.id)
        assert [p.name for p in folder.iterdir()] == [f"attempt-{job.fence}"]
        ends = [e for e in backend.store.logs.read(job) if e["message"].startswith("finished")]
        assert len(ends) == 1


def ended(backend: Backend) -> bool:
    """Is no job left?"""
    return all(j.status in ("finished", "error") for j in backend.store.jobs.all("ada"))


def a_runner(worker: Running, chance: random.Random, ended: Callable[[], bool]) -> int | None:
    """One that computes; a worker that has just been started has none for a while."""
    for _ in range(150):
        if ended():
            return None
        if worker.runners():
            time.sleep(chance.uniform(0.0, 1.0))
            return next(iter(worker.runners()), None)
        time.sleep(0.1)
    return None


def content(client, job: str) -> bytes:
    """The one file of a job's results."""
    (asset,) = client.get(f"/jobs/{job}/results").json()["assets"].values()
    return client.get(asset["href"], headers={"Authorization": ""}).content
