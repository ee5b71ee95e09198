"""The back-end: what a server asks of the engine, for many users."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from threading import Thread
from typing import Any

from engine import billing
from engine.errors import Problem, Problems
from engine.execute.inputs import input_formats
from engine.execute.udf import runtimes
from engine.files import Files, remove_all
from engine.graph.near import nearest_of
from engine.graph.parse import define
from engine.identity import Identities
from engine.jobs.belongings import OF_USER, belongings, published
from engine.jobs.journal import Journal, read
from engine.jobs.sync import Sync, Ticket
from engine.jobs.task import Task
from engine.jobs.worker import Worker
from engine.records import BUSY, LEVELS, Job, Results, Status, User, UserProcess
from engine.service import Engine
from engine.services import Services
from engine.settings import Settings
from engine.store import Store
from engine.write import file_formats
from processes import REGISTRY

Json = dict[str, Any]


class Backend:
    """An engine for many users: discovery by itself, their graphs in runner processes."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        """How it works."""
        self.settings.home.mkdir(parents=True, exist_ok=True)
        self.engine = Engine(settings)
        """Knows processes and collections. It runs nothing here."""
        self.sync = Sync(settings)
        """The desk for synchronous requests."""
        self._worker: Worker | None = None
        self._working: Thread | None = None

    @cached_property
    def store(self) -> Store:
        """Accounts and what they stored."""
        return Store(self.settings.database_url)

    @cached_property
    def identities(self) -> Identities:
        """Whom identity providers vouch for."""
        return Identities(self.settings)

    @cached_property
    def services(self) -> Services:
        """Secondary web services."""
        return Services(self.settings, self.store, self.sync)

    def close(self) -> None:
        """Let go of everything."""
        self.end_work()
        self.sync.close()
        self.engine.close()
        if "store" in self.__dict__:
            self.store.close()

    # ------------------------------------------------------------------------------- who there is
    def by_token(self, provider: str | None, token: str) -> User:
        """The user whom an identity provider's token is of; without a provider, the token says which it is.

        The first login makes the account. Roles of the token hold for its request and are not kept, so that what the
        provider takes back is gone with the next token.

        Raises:
            Problem: The token is not good, or the provider cannot be asked.
        """
        identities = self.identities
        who = identities.of_jwt(token) if provider is None else identities.of(provider, token)
        known = self.store.users.get(who.account)
        user = known or User(who.account)
        if known is None:
            who = identities.named(who, token)
        if known is None or who.name not in ("", known.name):
            user = replace(user, name=who.name)
            self.store.users.put(user)
        return replace(user, roles=user.roles | who.roles)

    # ------------------------------------------------------------------------------- what there is
    def file_formats(self) -> Json:
        """The file formats, as openEO lists them."""
        return file_formats(input_formats())

    def udf_runtimes(self) -> Json:
        """The runtimes of user-defined functions, as openEO lists them; none where they are switched off."""
        return {} if self.settings.udf == "off" else runtimes()

    # ------------------------------------------------------------------------------- users
    def files(self, user: User) -> Files:
        """The files of a user."""
        return Files(self.settings, user.id)

    def remove_user(self, id_: str) -> bool:
        """Remove an account with all that it stored; says whether it was there."""
        known = self.store.users.remove(id_)
        if known:
            remove_all(self.settings, id_)
        return known

    # ------------------------------------------------------------------------------- graphs of users
    def validate(self, user: User, process: Mapping[str, Any]) -> Ticket:
        """Say what is wrong with a process, in a process of its own: catalogues and models may be read for it."""
        return self.sync.take(user.id, self._task("validate", user, process))

    def estimate(self, user: User, document: Mapping[str, Any]) -> Ticket:
        """Say what a job will cost, without reading a pixel."""
        return self.sync.take(user.id, self._task("estimate", user, document))

    def compute(self, user: User, process: Mapping[str, Any]) -> tuple[Ticket, Path]:
        """Compute a process; its results lie in the folder until `discard` takes it.

        The folder's name is that of its log, too: see `journal`.

        Raises:
            Problem: The graph is wrong in itself, or there is too much to do already.
        """
        self.sync.check(user.id)
        define(process)
        billing.check(process, self.settings.plans)
        folder = self.settings.of_user(user.id).home / "sync" / secrets.token_hex(16)
        task = self._task("run", user, process, folder)
        level = process.get("log_level")
        log = Journal(
            self._journal(user, folder.name),
            level if level in LEVELS else "info",
            3600 * self.settings.link_hours,
        )
        ticket = self.sync.take(user.id, task, log.told)
        ticket.future.add_done_callback(lambda done: ended(log, done))
        return ticket, folder

    def journal(self, user: User, id_: str) -> list[Json]:
        """What a synchronous request of a user told on its way; it is kept for a while.

        Raises:
            Problem: There is none.
        """
        found = read(self._journal(user, id_)) if id_.isalnum() else None
        if found is None:
            raise Problem("NotFound", f"you have no log {id_[:40]!r} (any more)")
        return found

    def _journal(self, user: User, id_: str) -> Path:
        return self.settings.of_user(user.id).home / "logs" / f"{id_}.json"

    def discard(self, folder: Path) -> None:
        """Remove the results of a synchronous request."""
        shutil.rmtree(folder, ignore_errors=True)

    def _task(self, kind: Any, user: User, process: Mapping[str, Any], folder: Path | None = None) -> Task:
        own = belongings(self.store, self.settings, user.id, process)
        return Task(
            kind, process, self.settings.of_user(user.id), own, folder,
            plan=billing.chosen(self.settings.plans, process.get("plan")), budget=process.get("budget"),
            patience=self.settings.sync_seconds,
        )  # fmt: skip

    # ------------------------------------------------------------------------------- batch jobs
    def begin_work(self) -> None:
        """Take batch jobs from the store, beside what else goes on, until `close`."""
        if self.settings.job_slots:
            self._worker = Worker(self.settings, self.store)
            self._working = Thread(target=self._worker.work, name="worker")
            self._working.start()

    def end_work(self) -> None:
        """Take no more batch jobs; those under way go back into the queue."""
        if self._worker is not None and self._working is not None:
            self._worker.stop()
            self._working.join()
            self._worker = self._working = None

    def create_job(self, user: User, document: Mapping[str, Any]) -> Job:
        """A new batch job.

        Raises:
            Problem: Its process has no sound graph, or a member is not of its type.
        """
        self._check_job(document)
        return self.store.jobs.create(user.id, document)

    def job(self, user: User, id_: str) -> Job:
        """One batch job of a user.

        Raises:
            Problem: There is none.
        """
        found = self.store.jobs.get(user.id, id_)
        if found is None:
            raise Problem("JobNotFound", f"you have no batch job {id_!r}", hint="`GET /jobs` lists yours.")
        return found

    def change_job(self, user: User, id_: str, changes: Mapping[str, Any]) -> None:
        """Change members of a job's request; `None` takes one away."""
        job = self.job(user, id_)
        document = {k: v for k, v in {**job.document, **changes}.items() if v is not None}
        self._check_job(document)
        if not self.store.jobs.change(user.id, id_, document):
            raise locked(id_)

    def start_job(self, user: User, id_: str) -> None:
        """Put a job into the queue; nothing happens where it is there, or running."""
        job = self.job(user, id_)
        mine = self.files(user)
        if job.status not in BUSY and mine.used() >= mine.quota:
            raise Problem(
                "StorageQuotaExceeded",
                f"you store {mine.quota} bytes already, which is all you may",
                hint="Delete files or jobs that you need no more.",
                facts={"quota": mine.quota},
            )
        if self.store.jobs.queue(user.id, id_):
            ahead = self.store.jobs.ahead(job)
            self.store.logs.add(job, "info", f"queued, {ahead} before it" if ahead else "queued")

    def cancel_job(self, user: User, id_: str) -> None:
        """End a job's processing; what it gave earlier stays."""
        job = self.job(user, id_)
        if self.store.jobs.cancel(user.id, id_):
            self.store.logs.add(job, "info", "canceled")

    def remove_job(self, user: User, id_: str) -> None:
        """Remove a job with its results and its log; its processing ends."""
        self.job(user, id_)
        self.store.jobs.remove(user.id, id_)
        shutil.rmtree(self.settings.job_folder(user.id, id_), ignore_errors=True)

    def results(self, job: Job, *, partial: bool = False) -> Results:
        """The results of a job; with `partial`, those that a running job has finished so far.

        Raises:
            Problem: There are none (yet).
        """
        folder = self.settings.job_folder(job.owner, job.id) / f"attempt-{job.fence}"
        if partial and job.status == Status.RUNNING:
            return Results(folder, tuple(sorted(path.name for path in folder.glob("*.stac.json"))))
        if job.status in BUSY:
            raise Problem("JobNotFinished", f"job {job.id!r} is {job.status}", hint="Ask again later.")
        if job.status != Status.FINISHED:
            raise Problem("JobNotStarted", f"job {job.id!r} is {job.status}", hint="Start it first.")
        return published(self.settings, job)

    def _check_job(self, document: Mapping[str, Any]) -> None:
        process = document.get("process")
        if not isinstance(process, Mapping) or not isinstance(process.get("process_graph"), Mapping):
            raise Problem("ProcessGraphMissing", "a job needs a `process` with a `process_graph`")
        billing.check(document, self.settings.plans)
        for name in ("title", "description", "log_level"):
            if not isinstance(document.get(name), str | None):
                raise Problem("ParameterInvalid", f"{name} has to be a text", facts={"parameter": name})
        if document.get("log_level") not in (None, *LEVELS):
            raise Problem("ParameterInvalid", f"log_level is one of {', '.join(LEVELS)}")
        define(document)

    # ------------------------------------------------------------------------------- stored processes
    def store_process(self, user: User, id_: str, document: Mapping[str, Any]) -> None:
        """Store a process of a user; one of that identifier is replaced.

        Raises:
            Problem: It has no sound graph, or a predefined process is called so.
        """
        if id_ in REGISTRY:
            raise Problem(
                "PredefinedProcessExists",
                f"{id_!r} is a predefined process",
                hint="Choose another identifier.",
            )
        if not isinstance(document.get("process_graph"), Mapping):
            raise Problem("ProcessGraphMissing", f"the process {id_!r} has no process_graph")
        if not isinstance(document.get("public", False), bool):
            raise Problem("ParameterInvalid", "public has to be true or false", facts={"parameter": "public"})
        define(document)
        self.store.processes.put(UserProcess(id_, user.id, {**document, "id": id_}))

    def stored_process(self, user: User, id_: str) -> UserProcess:
        """One stored process of a user.

        Raises:
            Problem: There is none.
        """
        found = self.store.processes.get(user.id, id_)
        if found is None:
            raise self._no_process(user, id_)
        return found

    def public_process(self, namespace: str, id_: str) -> UserProcess:
        """A process that a user shares with everybody.

        Raises:
            Problem: There is none.
        """
        found = self.store.processes.get(namespace.removeprefix(OF_USER), id_)
        if not namespace.startswith(OF_USER) or found is None or not found.is_public:
            raise Problem("ProcessGraphNotFound", f"there is no public process {id_!r} in {namespace!r}")
        return found

    def remove_process(self, user: User, id_: str) -> None:
        """Remove a stored process of a user."""
        if not self.store.processes.remove(user.id, id_):
            raise self._no_process(user, id_)

    def _no_process(self, user: User, id_: str) -> Problem:
        own = [p.id for p in self.store.processes.all(user.id)]
        return Problem(
            "ProcessGraphNotFound", f"you have no process {id_!r}", hint=nearest_of(id_, own) or None
        )


def ended(log: Journal, done: Future[Any]) -> None:
    """Write down how a request ended, the cause last."""
    fault = None if done.cancelled() else done.exception()
    for one in fault.problems if isinstance(fault, Problems) else (fault,):
        if isinstance(one, Problem):
            log.add("error", f"{one.message} {one.hint or ''}".strip(), one.code)
    log.close()


def locked(id_: str) -> Problem:
    """The refusal to change a job that is at work."""
    return Problem(
        "JobLocked",
        f"job {id_!r} is queued or running",
        hint="Cancel it first: `DELETE /jobs/{job_id}/results`.",
    )
