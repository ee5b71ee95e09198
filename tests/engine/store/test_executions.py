"""Executions of OGC processes in the store: jobs with a request, and what their subscribers are still to be told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier

import pytest

from engine import Status, User
from engine.store import Store

DOCUMENT = {"process": {"process_graph": {}}}
REQUEST = {"process": "add", "subscriber": {"success": "https://a.org"}}


@pytest.fixture
def store(database):
    with closing(Store(database)) as opened:
        opened.users.put(User("ada"))
        yield opened


def test_a_job_remembers_what_it_executes_and_when_it_began(store):
    plain, job = store.jobs.create("ada", DOCUMENT), store.jobs.create("ada", DOCUMENT, REQUEST)
    assert (plain.execution, job.execution, job.started) == (None, REQUEST, None)
    store.jobs.queue("ada", job.id)
    attempt = store.jobs.claim(10)
    assert attempt.execution == REQUEST
    assert attempt.created <= attempt.started
    store.jobs.give_back(attempt)
    assert store.jobs.claim(10).started == attempt.started, "of the first attempt"
    assert {j.id: j.execution for j in store.jobs.all("ada")} == {plain.id: None, job.id: REQUEST}
    assert store.jobs.remove("ada", job.id)


def test_what_was_computed_before_is_settled_once(store):
    job = store.jobs.create("ada", DOCUMENT, REQUEST)
    assert store.jobs.settle(job, ["a.stac.json"], 2.5, {"cpu": {}})
    assert not store.jobs.settle(job, [], 0.0, {})
    found = store.jobs.get("ada", job.id)
    assert (found.status, found.fence, found.items, found.costs) == (
        Status.FINISHED,
        1,
        ("a.stac.json",),
        2.5,
    )


def test_a_subscriber_is_told_of_each_status_once_and_in_order(store):
    callbacks = store.callbacks
    store.jobs.create("ada", DOCUMENT)
    store.jobs.create("ada", DOCUMENT, {"process": "add", "subscriber": {}})
    job = store.jobs.create("ada", DOCUMENT, REQUEST)
    assert callbacks.moved(10) == [], "it is known that it was made"
    store.jobs.queue("ada", job.id)
    (moved,) = callbacks.moved(10)
    assert callbacks.put(moved, None, "", "")
    assert callbacks.claim(10, {}, 3, 10) == []
    attempt = store.jobs.claim(10)
    (moved,) = callbacks.moved(10)
    assert callbacks.put(moved, "https://a.org/1", "s", "{}")
    assert not callbacks.put(moved, "https://a.org/1", "s", "{}"), "another server was faster"
    store.jobs.finish(attempt, [])
    callbacks.put(callbacks.moved(10)[0], "https://a.org/2", "s", "{}")
    assert callbacks.moved(10) == []
    (first,) = callbacks.claim(60, {}, 3, 10)
    assert (first.job, first.url, first.attempts) == (job.id, "https://a.org/1", 0)
    assert callbacks.claim(60, {}, 3, 10) == [], "it is under way, and what comes later waits"
    callbacks.again(first.pk, first.until, 1, -1.0)
    (again,) = callbacks.claim(60, {}, 3, 10)
    assert again.attempts == 1
    callbacks.end(first.pk, first.until)
    assert callbacks.claim(60, {}, 3, 10) == [], "an old claim ends nothing"
    callbacks.end(again.pk, again.until)
    (second,) = callbacks.claim(60, {}, 3, 10)
    assert second.url == "https://a.org/2"
    store.jobs.remove("ada", job.id)
    callbacks.again(second.pk, second.until, 1, -1.0)
    assert callbacks.claim(60, {}, 3, 10) == [], "with the job all is gone"


def test_servers_side_by_side_claim_each_once(store):
    for _ in range(12):
        job = store.jobs.create("ada", DOCUMENT, REQUEST)
        store.jobs.queue("ada", job.id)
    for job in store.callbacks.moved(20):
        store.callbacks.put(job, "https://a.org/1", "s", "{}")
    together = Barrier(4)

    def claim() -> list[int]:
        together.wait()
        return [callback.pk for _ in range(6) for callback in store.callbacks.claim(60, {}, 1, 2)]

    with ThreadPoolExecutor(4) as threads:
        claimed = [pk for future in [threads.submit(claim) for _ in range(4)] for pk in future.result()]
    assert len(claimed) == len(set(claimed)) == 12
