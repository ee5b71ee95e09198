"""What killed processes leave is gone: before the next attempt begins, or when housekeeping comes by."""

from __future__ import annotations

import os
import time

import pytest

from engine import Backend, Settings, Status, User
from engine.disk import ABANDONED
from engine.jobs.worker import Worker

SUM = {
    "process": {
        "process_graph": {"add": {"process_id": "add", "arguments": {"x": 1, "y": 2}, "result": True}}
    }
}


@pytest.fixture
def backend(tmp_path, database):
    opened = Backend(Settings(home=tmp_path, database=database, job_lease=5))
    opened.store.users.put(User("ada"))
    yield opened
    opened.close()


def left(folder, *attempts: int) -> None:
    for number in attempts:
        (folder / f"attempt-{number}").mkdir(parents=True)
        (folder / f"attempt-{number}" / "half.tif").write_bytes(b"half")


def claimed(backend):
    job = backend.create_job(User("ada"), SUM)
    backend.start_job(User("ada"), job.id)
    return backend.store.jobs.claim(5)


def test_earlier_attempts_are_gone_before_the_next_one_publishes(backend, monkeypatch):
    job = claimed(backend)
    backend.store.jobs.alive(job, -1, 0.0)
    job = backend.store.jobs.claim(5)
    folder = backend.settings.job_folder("ada", job.id)
    left(folder, 1)
    worker, found = Worker(backend.settings, backend.store), []
    finish = worker._store.jobs.finish

    def seen(*args):
        found.extend(sorted(p.name for p in folder.iterdir()))
        return finish(*args)

    monkeypatch.setattr(worker._store.jobs, "finish", seen)
    worker.attempt(job)
    assert backend.store.jobs.get("ada", job.id).status == Status.FINISHED
    assert found == ["attempt-2"], "who is killed right after publishing leaves nothing behind"


def test_housekeeping_removes_what_does_not_count(backend):
    done, waiting = claimed(backend), backend.create_job(User("ada"), SUM)
    Worker(backend.settings, backend.store).attempt(done)
    folder = backend.settings.job_folder("ada", done.id)
    left(folder, 0)
    busy = claimed(backend)
    left(backend.settings.job_folder("ada", busy.id), 0, 1)
    left(backend.settings.job_folder("ada", "removed"), 3)
    sync = backend.settings.of_user("ada").home / "sync"
    for name, age in (("old", ABANDONED + 60), ("new", 60)):
        (sync / name).mkdir(parents=True)
        os.utime(sync / name, (time.time() - age,) * 2)
    downloads = sync.parent / "downloads"
    downloads.mkdir()
    for name, age in (("old.nc", ABANDONED + backend.settings.job_seconds + 60), ("new.nc", ABANDONED + 60)):
        (downloads / name).touch()
        os.utime(downloads / name, (time.time() - age,) * 2)
    logs = sync.parent / "logs"
    logs.mkdir(exist_ok=True)
    for name, age in (
        ("old.json", backend.settings.link_hours + 1),
        ("new.json", backend.settings.link_hours - 1),
    ):
        (logs / name).touch()
        os.utime(logs / name, (time.time() - 3600 * age,) * 2)
    backend._sweep()
    jobs = folder.parent
    assert sorted(str(p.relative_to(jobs)) for p in jobs.glob("*/*")) == sorted(
        [f"{done.id}/attempt-1", f"{busy.id}/attempt-0", f"{busy.id}/attempt-1"]
    )
    assert not (jobs / "removed").exists()
    assert [p.name for p in sync.iterdir()] == ["new"]
    assert [p.name for p in downloads.iterdir()] == ["new.nc"]
    assert [p.name for p in logs.iterdir()] == ["new.json"]
    assert backend.job(User("ada"), waiting.id).status == Status.CREATED
