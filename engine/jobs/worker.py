"""A worker: takes batch jobs from the store, has each computed by a runner, and publishes what counts."""

from __future__ import annotations

import logging
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import BoundedSemaphore, Event

from engine.billing import chosen
from engine.database import Away
from engine.errors import Problem
from engine.jobs.belongings import account_of, belongings
from engine.jobs.leftovers import clear_attempts
from engine.jobs.process import Canceled, Killed, run
from engine.jobs.task import Done, Entry, Progress, Task
from engine.records import Job
from engine.settings import Settings
from engine.store import Store

LOG = logging.getLogger("geodatacube.worker")
PATIENCE = 0.5
"""Seconds between looks at the queue, and between signs of life."""


class Heart:
    """Signs of life of an attempt; asked whether the attempt is unwanted, it gives one where one is due."""

    def __init__(self, job: Job, store: Store, lease: float, stopping: Event) -> None:
        self.job = job
        self.progress = 0.0
        """Percent of the blocks that are finished; it never falls."""
        self._store = store
        self._lease = lease
        self._stopping = stopping
        self._due = time.monotonic() + PATIENCE
        self._lost = False
        self._seen = time.monotonic()

    def is_set(self) -> bool:
        """Has the attempt become unwanted: canceled, deleted, taken over, or is the worker ending?"""
        if not self._lost and time.monotonic() >= self._due:
            try:
                self._lost = not self._store.jobs.alive(self.job, self._lease, self.progress)
                self._seen = time.monotonic()
            except Away as problem:  # for a while; without a sign of life for too long the job is another's
                LOG.warning("job %s: no sign of life could be given: %s", self.job.id, problem)
                self._lost = time.monotonic() - self._seen > self._lease
            self._due = time.monotonic() + PATIENCE
        return self._lost or self._stopping.is_set()

    def told(self, word: Progress | Entry) -> None:
        """The run says something: blocks were finished, or there is something for the log."""
        if isinstance(word, Progress):
            self.progress = max(self.progress, 99.0 * word.done / max(word.planned, 1))
            return
        with suppress(Away):
            self._store.logs.add(self.job, word.level, word.message, **word.further)


class Worker:
    """Works until it is stopped; any number of workers may share a store and a home."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._stopping = Event()

    def stop(self) -> None:
        """End: attempts under way go back into the queue."""
        self._stopping.set()

    def work(self) -> None:
        """Take jobs, so many at a time, until `stop`."""
        free = BoundedSemaphore(self._settings.job_slots)
        with ThreadPoolExecutor(self._settings.job_slots, thread_name_prefix="job") as threads:
            while not self._stopping.is_set():
                if not free.acquire(timeout=PATIENCE):
                    continue
                job = self._claimed()
                if job is None:
                    free.release()
                    self._stopping.wait(PATIENCE)
                    continue
                threads.submit(self.attempt, job).add_done_callback(lambda _: free.release())

    def _claimed(self) -> Job | None:
        try:
            return self._store.jobs.claim(self._settings.job_lease)
        except Away as problem:  # for a while
            LOG.warning("no job could be taken: %s", problem)
            return None

    def attempt(self, job: Job) -> None:
        """One attempt at a job: it ends published, failed, given back, or without a trace if it does not count."""
        folder = self._settings.job_folder(job.owner, job.id)
        own = self._settings.attempt_folder(job.owner, job.id, job.fence)
        # Whoever made earlier ones was killed, or is told soon that they do not count.
        clear_attempts(folder, job.fence)
        try:
            kept = self._attempted(job, own)
        except Away as problem:  # the job is taken up again when its lease is over, unless this was published
            LOG.warning("job %s: it is not known how attempt %d ended: %s", job.id, job.attempts, problem)
        else:
            clear_attempts(folder, job.fence if kept else job.fence + 1)

    def _attempted(self, job: Job, own: Path) -> bool:
        """Compute a job, and say in the store how that ended; gives whether there are results."""
        try:
            if job.attempts > self._settings.job_attempts:
                raise interrupted(job.attempts - 1)
            done = self._computed(job, own)
            items = sorted(path.name for path in own.glob("*.stac.json"))
            last = {"message": f"finished with {len(items)} results", "usage": dict(done.usage)}
            return self._store.jobs.finish(job, items, done.costs, done.usage, [("info", last)])
        except Away:
            raise
        except Canceled:
            self._store.jobs.give_back(job)
        except Killed as problem:
            self._killed(job, problem)
        except Problem as problem:
            shutil.rmtree(own, ignore_errors=True)  # a full disk has room for the reason again
            self._failed(job, problem)
        except Exception:  # whatever it was: the log of the server has it, the user an entry
            LOG.exception("job %s: internal error", job.id)
            self._failed(job, Problem("Internal", "the job met an internal error, which has been logged"))
        return False

    def _computed(self, job: Job, own: Path) -> Done:
        """Have the graph computed and its results written."""
        shutil.rmtree(own, ignore_errors=True)
        own_things = belongings(self._store, self._settings, account_of(self._store, job.owner), job.document)
        plan = chosen(self._settings.plans, job.document.get("plan"))
        task = Task(
            "run",
            job.document,
            self._settings.of_user(job.owner),
            own_things,
            own,
            plan,
            job.document.get("budget"),
        )
        self._store.logs.add(job, "info", f"attempt {job.attempts} begins")
        heart = Heart(job, self._store, self._settings.job_lease, self._stopping)
        done: Done = run(task, self._settings.job_seconds, heart, heart.told)
        return done

    def _killed(self, job: Job, problem: Problem) -> None:
        """Try again, unless that was done often enough: it need not have been the fault of the job."""
        if job.attempts >= self._settings.job_attempts:
            self._failed(job, problem)
            return
        told = {"message": f"attempt {job.attempts} was killed, perhaps for lack of memory"}
        self._store.jobs.retry(job, [("warning", told)])

    def _failed(self, job: Job, problem: Problem) -> None:
        """The entry of the cause comes last in the log, with the status that tells of it."""
        words = [
            ("error", {"message": one.words, "code": one.code, **({"data": one.facts} if one.facts else {})})
            for one in problem.each
        ]
        self._store.jobs.fail(job, problem.json(), words)


def interrupted(times: int) -> Problem:
    """The end of a job whose attempts all ended without a word."""
    return Problem(
        "Internal",
        f"the job was interrupted {times} times: its worker, or the machine, ended meanwhile",
        hint="If that happens with this job alone, it may take more memory than there is: take a smaller extent.",
    )
