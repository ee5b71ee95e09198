"""Batch jobs in the store: the row is the queue, and only the attempt that holds it can publish."""

from __future__ import annotations

import time
from contextlib import closing
from threading import Barrier, Thread

import pytest

from engine import Status, User
from engine.store import Store

DOCUMENT = {"process": {"process_graph": {}}, "log_level": "info"}


@pytest.fixture
def store(database):
    opened = Store(database)
    for name in ("ada", "bob"):
        opened.users.put(User(name))
    yield opened
    opened.close()


def queued(store, owner="ada"):
    job = store.jobs.create(owner, DOCUMENT)
    assert store.jobs.queue(owner, job.id)
    return job


def test_a_job_goes_its_way(store):
    job = store.jobs.create("ada", DOCUMENT)
    assert (job.status, job.document, abs(job.created - time.time()) < 5) == (Status.CREATED, DOCUMENT, True)
    assert store.jobs.claim(10) is None
    assert store.jobs.queue("ada", job.id)
    assert not store.jobs.queue("ada", job.id)
    attempt = store.jobs.claim(10)
    assert (attempt.id, attempt.status, attempt.fence, attempt.attempts) == (job.id, Status.RUNNING, 1, 1)
    assert store.jobs.claim(10) is None
    assert not store.jobs.queue("ada", job.id)
    assert not store.jobs.change("ada", job.id, {})
    assert store.jobs.alive(attempt, 10, 40.0)
    assert store.jobs.get("ada", job.id).progress == 40.0
    assert store.jobs.finish(attempt, ["a.stac.json"])
    done = store.jobs.get("ada", job.id)
    assert (done.status, done.items, done.progress) == (Status.FINISHED, ("a.stac.json",), 100.0)
    assert not store.jobs.alive(attempt, 10, 50.0)
    assert not store.jobs.fail(attempt, {})
    assert store.jobs.queue("ada", job.id)
    assert store.jobs.claim(10).fence == 2


def test_an_attempt_without_life_is_taken_over_and_can_publish_nothing(store):
    job = queued(store)
    old = store.jobs.claim(0.01)
    time.sleep(0.05)
    new = store.jobs.claim(10)
    assert (new.id, new.fence, new.attempts) == (job.id, 2, 2)
    assert not store.jobs.alive(old, 10, 1.0)
    assert not store.jobs.finish(old, ["old"])
    assert not store.jobs.fail(old, {})
    assert not store.jobs.give_back(old)
    assert store.jobs.finish(new, ["new"])
    assert store.jobs.get("ada", job.id).items == ("new",)


def test_last_words_are_told_with_the_status_or_not_at_all(store, monkeypatch):
    job = queued(store)
    old = store.jobs.claim(0.01)
    time.sleep(0.05)
    new = store.jobs.claim(10)
    words = [("info", {"message": "finished"}), ("debug", {"message": "at length"})]
    assert not store.jobs.finish(old, [], words=words)
    assert not store.jobs.fail(old, {}, words)
    assert not store.jobs.retry(old, words)
    assert store.logs.read(new) == []
    with monkeypatch.context() as broken:
        broken.setattr("engine.store.jobs.put", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            store.jobs.finish(new, [], words=words)
    assert store.jobs.get("ada", job.id).status == Status.RUNNING
    assert store.jobs.finish(new, [], words=words)
    assert [(e["level"], e["message"]) for e in store.logs.read(new)] == [("info", "finished")]


def test_what_is_given_back_keeps_its_place_and_its_attempts(store):
    first, second = queued(store), queued(store)
    attempt = store.jobs.claim(10)
    assert attempt.id == first.id
    assert store.jobs.give_back(attempt)
    again = store.jobs.claim(10)
    assert (again.id, again.attempts, again.fence) == (first.id, 1, 2)
    assert store.jobs.claim(10).id == second.id


def test_owners_take_turns(store):
    for owner in ("ada", "ada", "ada", "bob"):
        queued(store, owner)
    assert [store.jobs.claim(10).owner for _ in range(4)] == ["ada", "bob", "ada", "ada"]


@pytest.mark.parametrize(("running", "after"), [(False, Status.CREATED), (True, Status.CANCELED)])
def test_a_canceled_attempt_learns_of_it(store, running, after):
    job = queued(store)
    attempt = store.jobs.claim(10) if running else None
    assert store.jobs.cancel("ada", job.id)
    assert not store.jobs.cancel("ada", job.id)
    assert store.jobs.get("ada", job.id).status == after
    assert store.jobs.claim(10) is None
    if attempt:
        assert not store.jobs.alive(attempt, 10, 1.0)


def test_jobs_are_their_owners(store):
    job = queued(store)
    assert store.jobs.get("bob", job.id) is None
    assert store.jobs.all("bob") == []
    for refused in (store.jobs.cancel, store.jobs.queue, store.jobs.remove):
        assert not refused("bob", job.id)
    assert not store.jobs.change("bob", job.id, {})
    assert store.jobs.remove("ada", job.id)
    assert store.jobs.all("ada") == []


def test_logs_are_kept_from_the_level_of_the_job_on(store):
    job = store.jobs.create("ada", {**DOCUMENT, "log_level": "warning"})
    for level in ("debug", "info", "warning", "error"):
        store.logs.add(job, level, f"this is {level}", code="X")
    told = store.logs.read(job)
    assert [(e["level"], e["message"], e["code"]) for e in told] == [
        ("warning", "this is warning", "X"),
        ("error", "this is error", "X"),
    ]
    assert [e["level"] for e in store.logs.read(job, "error")] == ["error"]
    assert store.logs.read(job, after=int(told[0]["id"])) == told[1:]
    assert store.logs.read(job, limit=1) == told[:1]
    store.jobs.remove("ada", job.id)
    store.logs.add(job, "error", "too late")
    assert store.logs.read(job) == []


def test_each_job_is_claimed_once_however_many_ask(database, store):
    for _ in range(20):
        queued(store)
    stores = [Store(database) for _ in range(4)]
    barrier, claimed = Barrier(4), []

    def work(own: Store) -> None:
        barrier.wait()
        while (job := own.jobs.claim(60)) is not None:
            claimed.append(job.id)

    threads = [Thread(target=work, args=(own,)) for own in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for own in stores:
        own.close()
    assert len(claimed) == len(set(claimed)) == 20


def test_servers_that_start_at_once_have_one_secret(database):
    barrier, told = Barrier(4), []

    def start() -> None:
        barrier.wait()
        with closing(Store(database)) as own:
            told.append(own.secret("links"))

    threads = [Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 4
    assert len(set(told)) == 1


def test_a_secret_is_made_once(store):
    assert store.secret("a") == store.secret("a") != store.secret("b")
