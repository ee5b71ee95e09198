"""The back-end: what a server asks of the engine, for many users."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from engine import billing
from engine.callbacks import Render, courier
from engine.catalog import Catalog, Outcome
from engine.cosmos import Cosmos
from engine.coverages.desk import Coverages
from engine.database import awaited
from engine.domain.model import Domain
from engine.errors import Problem
from engine.events import Live
from engine.events.courier import Courier
from engine.execute.inputs import input_formats
from engine.execute.udf import runtimes
from engine.executions.deployment import Deployment
from engine.executions.desk import Executions
from engine.executions.model import Planned
from engine.files import Files, remove_all
from engine.graph.near import nearest_of
from engine.graph.parse import define
from engine.housekeeping import Housekeeping
from engine.hub import Hub
from engine.identity import Identities
from engine.jobs.belongings import belongings, published
from engine.jobs.journal import Journal, read
from engine.jobs.leftovers import sweep
from engine.jobs.sync import Sync, Ticket
from engine.jobs.task import Task
from engine.jobs.wanted import check
from engine.jobs.worker import Worker
from engine.objects import open_objects
from engine.owners import Owners
from engine.quota import Reserved
from engine.records import BUSY, OF_USER, Job, Results, Status, User, UserProcess, kept_level
from engine.rights import Rights
from engine.service import Engine
from engine.services import Services
from engine.settings import Settings
from engine.storage import Storage
from engine.store import Store
from engine.stored import OBJECTS
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
        self.hub = Hub(settings, self._catalog, self._done)
        """The catalogue, for users."""
        self.owners = Owners(settings, self.hub)
        """The catalogue of owners."""
        self._opening = Lock()
        self._callbacks: Courier | None = None
        self._worker: Worker | None = None
        self._working: Thread | None = None
        self._reserved = Reserved()
        self._housekeeping = Housekeeping((self._expire, self._forget, self._sweep))

    @cached_property
    def store(self) -> Store:
        """Accounts and what they stored."""
        return Store(self.settings.database_url)

    @cached_property
    def identities(self) -> Identities:
        """Whom identity providers vouch for."""
        return Identities(self.settings)

    @cached_property
    def cosmos(self) -> Cosmos:
        """The catalogue with DataCosmos' rules."""
        return Cosmos(self.settings, self.hub, self.storage)

    @cached_property
    def live(self) -> Live:
        """Who publishes, who follows, and who is told."""
        return Live(self._catalog, self.settings)

    @cached_property
    def services(self) -> Services:
        """Secondary web services."""
        return Services(self.settings, self.store, self.sync)

    @cached_property
    def coverages(self) -> Coverages:
        """Collections as coverages."""
        return Coverages(self.settings, self.store, self.sync, self.hub)

    @cached_property
    def executions(self) -> Executions:
        """Processes as OGC has them, and what is executed of them."""
        return Executions(self.settings, self.store)

    @cached_property
    def deployment(self) -> Deployment:
        """Processes of users as OGC has them come and go."""
        return Deployment(self.store, self.executions, self.store_process, self.remove_process)

    @cached_property
    def storage(self) -> Storage:
        """Objects of users."""
        objects = open_objects(OBJECTS, self.settings.storage_place, self.store.objects, self.settings)
        return Storage(self.settings, objects, Rights(self.hub), self._free, self._reserved)

    def _done(self, outcome: Outcome) -> None:
        self.owners.discard(outcome)

    def _catalog(self) -> Catalog:
        with self._opening:  # threads that ask for it first at once get one and the same
            return self.engine.catalog

    def close(self) -> None:
        """Let go of everything."""
        self._housekeeping.end()
        if self._callbacks is not None:
            self._callbacks.stop()
        self.end_work()
        self.sync.close()
        self.engine.close()
        if "store" in self.__dict__:
            self.store.close()

    def open(self) -> None:
        """Open the databases; one that is away is waited for.

        Raises:
            Problem: One of them cannot be used.
        """
        awaited(lambda: self.store)
        if "://" in self.settings.catalog_place:
            awaited(self._catalog)

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

        def objects() -> int:
            return self._reserved.of(user.id) + self.store.objects.bytes_of(user.id)

        return Files(self.settings, user.id, objects)

    def _free(self, user: User) -> int:
        """Bytes that a user may store besides what lies there."""
        mine = Files(self.settings, user.id, lambda: self.store.objects.bytes_of(user.id))
        return mine.quota - mine.used()

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

    def compute(
        self, user: User, process: Mapping[str, Any], foretold: Domain | None = None, *, items: bool = False,
        logged: bool = False,
    ) -> tuple[Ticket, Path]:  # fmt: skip
        """Compute a process; its results lie in the folder until `discard` takes it, with STAC items if they are wanted.

        Where it is logged, the folder's name is that of the log, too: see `journal`. A result that is none of what
        was foretold is refused.

        Raises:
            Problem: The graph is wrong in itself, or there is too much to do already.
        """
        self.sync.check(user.id)
        define(process)
        billing.check(process, self.settings.plans)
        folder = self.settings.of_user(user.id).home / "sync" / secrets.token_hex(16)
        task = replace(self._task("run", user, process, folder), lasting=items, foretold=foretold)
        if not logged:
            return self.sync.take(user.id, task), folder
        log = Journal(self._journal(user, folder.name), kept_level(process))
        ticket = self.sync.take(user.id, task, log.told)
        ticket.future.add_done_callback(lambda done: ended(log, done))
        return ticket, folder

    def journal(self, user: User, id_: str, level: str) -> list[Json]:
        """What a synchronous request of a user told on its way, as grave as `level`; it is kept for a while.

        Raises:
            Problem: There is none.
        """
        found = read(self._journal(user, id_), level) if id_.isalnum() else None
        if found is None:
            raise Problem("NotFound", f"you have no log {id_[:40]!r} (any more)")
        return found

    def _journal(self, user: User, id_: str) -> Path:
        return self.settings.of_user(user.id).home / "logs" / f"{id_}.json"

    def discard(self, folder: Path) -> None:
        """Remove the results of a synchronous request."""
        shutil.rmtree(folder, ignore_errors=True)

    def _task(self, kind: Any, user: User, process: Mapping[str, Any], folder: Path | None = None) -> Task:
        own = belongings(self.store, self.settings, user, process)
        return Task(
            kind, process, self.settings.of_user(user.id), own, folder,
            plan=billing.chosen(self.settings.plans, process.get("plan")), budget=process.get("budget"),
            patience=self.settings.sync_seconds,
        )  # fmt: skip

    # ------------------------------------------------------------------------------- batch jobs
    def begin_work(self) -> None:
        """Take batch jobs from the store and follow the catalogue, beside what else goes on, until `close`."""
        self.live.start()
        if self.settings.job_slots:
            self._worker = Worker(self.settings, self.store)
            self._working = Thread(target=self._worker.work, name="worker")
            self._working.start()

    def end_work(self) -> None:
        """Take no more batch jobs, those under way go back into the queue; and follow nothing any more."""
        if "live" in self.__dict__:
            self.live.stop()
        if self._worker is not None and self._working is not None:
            self._worker.stop()
            self._working.join()
            self._worker = self._working = None

    def begin_callbacks(self, render: Render) -> None:
        """Tell subscribers of executions how these go, until `close`; `render` gives the words."""
        self._callbacks = courier(self.store, self.settings, render)
        self._callbacks.start()

    def begin_housekeeping(self) -> None:
        """Do now and then what time makes necessary, until `close`."""
        self._housekeeping.begin()

    def _expire(self) -> None:
        self.owners.expire()

    def _forget(self) -> None:
        self.live.forgetting.forget()

    def _sweep(self) -> None:
        sweep(self.settings, self.store)

    def create_job(self, user: User, document: Mapping[str, Any]) -> Job:
        """A new batch job.

        Raises:
            Problem: Its process has no sound graph, or a member is not of its type.
        """
        check(document, "job", self.settings.plans)
        return self.store.jobs.create(user.id, document)

    def execute(self, user: User, planned: Planned) -> Job:
        """A new job that executes an OGC process, put into the queue.

        Raises:
            Problem: A member is not of its type, or there is no room for results.
        """
        check(planned.process, "job", self.settings.plans)
        self._refuse_without_room(user)
        job = self.store.jobs.create(user.id, planned.process, planned.execution.json())
        self._enqueue(job)
        return self.any_job(user, job.id)

    def any_job(self, user: User, id_: str) -> Job:
        """One job of a user, of openEO's or an execution of an OGC process.

        Raises:
            Problem: There is none.
        """
        found = self.store.jobs.get(user.id, id_)
        if found is None:
            raise Problem("JobNotFound", f"you have no batch job {id_!r}", hint="`GET /jobs` lists yours.")
        return found

    def execution(self, user: User, id_: str) -> Job:
        """One job of a user that executes an OGC process.

        Raises:
            Problem: There is none.
        """
        found = self.any_job(user, id_)
        if found.execution is None:
            raise Problem(
                "JobNotFound", f"job {id_!r} is one of openEO", hint=f"`GET /jobs/{id_}` tells of it."
            )
        return found

    def job(self, user: User, id_: str) -> Job:
        """One batch job of a user, as openEO has them.

        Raises:
            Problem: There is none.
        """
        found = self.any_job(user, id_)
        if found.execution is not None:
            raise Problem(
                "JobNotFound",
                f"job {id_!r} executes an OGC process, which is done once and stays as it was asked for",
                hint=f"`GET /ogc/jobs/{id_}` tells of it.",
            )
        return found

    def change_job(self, user: User, id_: str, changes: Mapping[str, Any]) -> None:
        """Change members of a job's request; `None` takes one away."""
        job = self.job(user, id_)
        document = {k: v for k, v in {**job.document, **changes}.items() if v is not None}
        check(document, "job", self.settings.plans)
        if not self.store.jobs.change(user.id, id_, document):
            raise locked(id_)

    def start_job(self, user: User, id_: str) -> None:
        """Put a job into the queue; nothing happens where it is there, or running."""
        job = self.job(user, id_)
        if job.status not in BUSY:
            self._refuse_without_room(user)
        self._enqueue(job)

    def _refuse_without_room(self, user: User) -> None:
        mine = self.files(user)
        if mine.used() >= mine.quota:
            raise Problem(
                "StorageQuotaExceeded",
                f"you store {mine.quota} bytes already, which is all you may",
                hint="Delete files or jobs that you need no more.",
                facts={"quota": mine.quota},
            )

    def _enqueue(self, job: Job) -> None:
        if self.store.jobs.queue(job.owner, job.id):
            ahead = self.store.jobs.ahead(job)
            self.store.logs.add(job, "info", f"queued, {ahead} before it" if ahead else "queued")

    def cancel_job(self, user: User, id_: str) -> None:
        """End a job's processing; what it gave earlier stays."""
        job = self.job(user, id_)
        if self.store.jobs.cancel(user.id, id_):
            self.store.logs.add(job, "info", "canceled")

    def remove_job(self, user: User, id_: str) -> None:
        """Remove a job with its results and its log; its processing ends."""
        self.any_job(user, id_)
        self.store.jobs.remove(user.id, id_)
        shutil.rmtree(self.settings.job_folder(user.id, id_), ignore_errors=True)

    def results(self, job: Job, *, partial: bool = False) -> Results:
        """The results of a job; with `partial`, those that a running job has finished so far.

        Raises:
            Problem: There are none (yet).
        """
        folder = self.settings.attempt_folder(job.owner, job.id, job.fence)
        if partial and job.status == Status.RUNNING:
            return Results(folder, tuple(sorted(path.name for path in folder.glob("*.stac.json"))))
        if job.status in BUSY:
            raise Problem("JobNotFinished", f"job {job.id!r} is {job.status}", hint="Ask again later.")
        if job.status != Status.FINISHED:
            raise Problem("JobNotStarted", f"job {job.id!r} is {job.status}", hint="Start it first.")
        return published(self.settings, job)

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
    for one in fault.each if isinstance(fault, Problem) else ():
        log.add("error", one.words, code=one.code)
    log.close()


def locked(id_: str) -> Problem:
    """The refusal to change a job that is at work."""
    return Problem(
        "JobLocked",
        f"job {id_!r} is queued or running",
        hint="Cancel it first: `DELETE /jobs/{job_id}/results`.",
    )
