"""A worker: publishes what counts, and leaves nothing of what does not."""

from __future__ import annotations

from threading import Event, Thread

import pytest

from engine import Settings, Status, User
from engine.database import Away
from engine.jobs.process import Killed
from engine.jobs.worker import Heart, Worker
from engine.store import Store

SUM = {"add": {"process_id": "add", "arguments": {"x": 1, "y": 2}, "result": True}}
WRONG = {"add": {"process_id": "add", "arguments": {"x": 1, "y": "a"}, "result": True}}


@pytest.fixture
def settings(tmp_path, database) -> Settings:
    return Settings(home=tmp_path, database=database, job_attempts=2, job_lease=5)


@pytest.fixture
def store(settings):
    opened = Store(settings.database_url)
    opened.users.put(User("ada"))
    yield opened
    opened.close()


def claimed(store, graph=SUM):
    job = store.jobs.create("ada", {"process": {"process_graph": graph}})
    store.jobs.queue("ada", job.id)
    return store.jobs.claim(5)


def files(settings, job) -> list[str]:
    folder = settings.job_folder("ada", job.id)
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


def test_an_attempt_is_published(settings, store):
    job = claimed(store)
    Worker(settings, store).attempt(job)
    done = store.jobs.get("ada", job.id)
    assert (done.status, done.items) == (Status.FINISHED, ("result.stac.json",))
    assert files(settings, job) == ["attempt-1", "attempt-1/result.json", "attempt-1/result.stac.json"]


def test_a_fault_is_the_last_entry_of_the_log_and_leaves_nothing(settings, store):
    job = claimed(store, WRONG)
    Worker(settings, store).attempt(job)
    done = store.jobs.get("ada", job.id)
    assert (done.status, done.problem["code"]) == (Status.ERROR, "ProcessParameterInvalid")
    last = store.logs.read(job)[-1]
    assert (last["level"], last["code"], "'y'" in last["message"]) == (
        "error",
        "ProcessParameterInvalid",
        True,
    )
    assert files(settings, job) == []


def test_an_attempt_that_does_not_count_any_more_leaves_nothing(settings, store):
    job = claimed(store)
    store.jobs.cancel("ada", job.id)
    Worker(settings, store).attempt(job)
    assert store.jobs.get("ada", job.id).status == Status.CANCELED
    assert files(settings, job) == []


def test_an_older_attempt_does_not_touch_a_newer_one(settings, store):
    old = claimed(store)
    store.jobs.alive(old, -1, 0.0)
    new = store.jobs.claim(60)
    Worker(settings, store).attempt(new)
    Worker(settings, store).attempt(old)
    assert store.jobs.get("ada", new.id).status == Status.FINISHED
    assert files(settings, new) == ["attempt-2", "attempt-2/result.json", "attempt-2/result.stac.json"]


def test_a_job_that_is_interrupted_again_and_again_is_given_up(settings, store):
    job = claimed(store)
    for _ in range(2):
        store.jobs.alive(job, -1, 0.0)
        job = store.jobs.claim(5)
    Worker(settings, store).attempt(job)
    assert store.jobs.get("ada", job.id).status == Status.ERROR
    assert "interrupted 2 times" in store.logs.read(job)[-1]["message"]


def test_a_worker_that_ends_gives_its_jobs_back(settings, store):
    job = claimed(store)
    worker = Worker(settings, store)
    worker.stop()
    worker.attempt(job)
    back = store.jobs.get("ada", job.id)
    assert (back.status, back.attempts) == (Status.QUEUED, 0)
    assert files(settings, job) == []


def test_a_worker_takes_what_waits_until_it_is_stopped(settings, store):
    jobs = [store.jobs.create("ada", {"process": {"process_graph": SUM}}) for _ in range(3)]
    for job in jobs:
        store.jobs.queue("ada", job.id)
    worker = Worker(settings.model_copy(update={"job_slots": 2}), store)
    thread = Thread(target=worker.work)
    thread.start()
    for _ in range(600):
        if all(j.status == Status.FINISHED for j in store.jobs.all("ada")):
            break
        thread.join(0.1)
    worker.stop()
    thread.join(20)
    assert not thread.is_alive()
    assert {j.status for j in store.jobs.all("ada")} == {Status.FINISHED}


def away(*_args, **_further):
    raise Away("InfrastructureBusy", "the database is away")


def test_an_attempt_whose_end_could_not_be_told_is_made_again(settings, store, monkeypatch):
    job = claimed(store)
    with monkeypatch.context() as patched:
        patched.setattr(store.jobs, "finish", away)
        Worker(settings, store).attempt(job)
    assert store.jobs.get("ada", job.id).status == Status.RUNNING
    assert "attempt-1/result.json" in files(settings, job)  # it may have been published after all
    store.jobs.alive(job, -1, 0.0)
    again = store.jobs.claim(5)
    Worker(settings, store).attempt(again)
    assert store.jobs.get("ada", job.id).status == Status.FINISHED
    assert files(settings, job) == ["attempt-2", "attempt-2/result.json", "attempt-2/result.stac.json"]


def test_a_heart_bears_a_database_that_is_away_as_long_as_its_lease(store, monkeypatch):
    job = claimed(store)
    monkeypatch.setattr("engine.jobs.worker.PATIENCE", 0.0)
    patient, late = Heart(job, store, 60, Event()), Heart(job, store, 0, Event())
    monkeypatch.setattr(store.jobs, "alive", away)
    assert not patient.is_set()
    assert late.is_set()


def test_a_killed_run_is_tried_again_until_that_was_often_enough(settings, store, monkeypatch):
    def killed(*_):
        raise Killed("ProcessGraphComplexity", "it took too much memory")

    monkeypatch.setattr("engine.jobs.worker.run", killed)
    job = claimed(store)
    Worker(settings, store).attempt(job)
    assert store.jobs.get("ada", job.id).status == Status.QUEUED
    job = store.jobs.claim(5)
    Worker(settings, store).attempt(job)
    done = store.jobs.get("ada", job.id)
    assert (done.status, done.problem["message"]) == (Status.ERROR, "it took too much memory")
    assert files(settings, job) == []
