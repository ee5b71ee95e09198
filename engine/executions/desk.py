"""OGC processes for users: what they can execute, and how."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import Problem
from engine.executions.described import description, summary
from engine.executions.model import RESULT, Execution, Offer, Outlet, Planned, execution_of
from engine.executions.offers import definitions_of, of_user, predefined
from engine.executions.outcome import Given, outcome
from engine.executions.plan import plan, plan_graph
from engine.graph.near import nearest_of
from engine.graph.parse import Definition
from engine.jobs.belongings import shared
from engine.records import OF_USER, Job, Results, User, UserProcess
from engine.settings import Settings
from engine.store import Store
from processes import REGISTRY

Json = dict[str, Any]
AD_HOC = "OpenEO"
GRAPH = Offer(
    AD_HOC,
    {
        "summary": "A process graph of openEO, as it comes",
        "description": "The body of the execution is the graph, as `process_graph`; it takes no inputs.",
    },
    {},
    (Outlet(RESULT, {}),),
)
"""The process that is no process: its graph comes with the request."""


KEPT = 1
"""Number of the attempt at a job that was done before it was made."""


@dataclass(frozen=True, slots=True)
class Known:
    """The processes of a user, looked up once for a request."""

    own: Mapping[str, UserProcess]
    definitions: dict[str, Definition]
    """All that graphs find; processes of others join them when they are looked up."""


class Executions:
    """The desk for OGC processes."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store

    def list(self, user: User | None) -> list[Json]:
        """Summaries of all that a user can execute: the predefined processes, then the user's own."""
        known = self._known(user)
        own = [of_user(p, known.definitions, own=True) for p in known.own.values()]
        return [summary(offer) for offer in (*predefined().values(), GRAPH, *own)]

    def describe(self, user: User | None, id_: str) -> Json:
        """One process.

        Raises:
            Problem: There is none of that identifier, for this user.
        """
        return description(GRAPH if id_ == AD_HOC else self._offer(self._known(user), id_))

    def mutable(self, user: User, id_: str) -> bool:
        """May a user replace and remove a process?

        Raises:
            Problem: There is none of that identifier, for this user.
        """
        return id_ != AD_HOC and id_ not in REGISTRY and self._offer(self._known(user), id_).mutable

    def plan(self, user: User, id_: str, body: Mapping[str, Any], homes: tuple[str, ...]) -> Planned:
        """The graph that gives what an execution asks for.

        Args:
            user: Who asks.
            id_: The process.
            body: The request.
            homes: What addresses of this server begin with.

        Raises:
            Problem: There is no such process, or the request does not fit it.
        """
        known = self._known(user, body)
        if id_ == AD_HOC:
            return plan_graph(AD_HOC, body, homes, known.definitions)
        return plan(
            self._offer(known, id_), body, lambda other: self._offer(known, other), homes, known.definitions
        )

    def outcome(self, execution: Execution, results: Results) -> tuple[Given, ...]:
        """The outputs of an execution.

        Raises:
            Problem: One that was named is not there.
        """
        return outcome(execution, results)

    def of_job(self, job: Job) -> Execution:
        """What a job of an OGC process was asked for."""
        assert job.execution is not None
        return execution_of(job.execution)

    def keep(self, user: User, planned: Planned, folder: Path, done: Any) -> Job:
        """Make a job of what was computed already: its results stay."""
        job = self._store.jobs.create(user.id, planned.process, planned.execution.json())
        place = self._settings.attempt_folder(user.id, job.id, KEPT)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(folder, place)
        items = sorted(path.name for path in place.glob("*.stac.json"))
        self._store.jobs.settle(job, items, done.costs, done.usage)
        kept = self._store.jobs.get(user.id, job.id)
        if kept is None:
            raise Problem("JobNotFound", "the job was removed while it was made")
        return kept

    def _known(self, user: User | None, body: Mapping[str, Any] | None = None) -> Known:
        """The user's own processes, with those of others that they or the request name."""
        own = {} if user is None else {p.id: p for p in self._store.processes.all(user.id)}
        documents: Json = {id_: p.document for id_, p in own.items()}
        text = json.dumps([documents, body], default=str)
        return Known(own, definitions_of({**documents, **shared(self._store, text)}))

    def _offer(self, known: Known, id_: str) -> Offer:
        if id_ in predefined():
            return predefined()[id_]
        if id_ in known.own:
            return of_user(known.own[id_], known.definitions, own=True)
        owner, _, name = id_.removeprefix(OF_USER).partition(":")
        found = self._store.processes.get(owner, name) if id_.startswith(OF_USER) and name else None
        if found is None or not found.is_public:
            raise no_process(id_, [*predefined(), *known.own])
        known.definitions.update(definitions_of(shared(self._store, f'"namespace": "{found.namespace}"')))
        return of_user(found, known.definitions, own=False)


def no_process(id_: str, known: list[str]) -> Problem:
    """The refusal of what nobody knows."""
    return Problem(
        "ProcessNotFound",
        f"there is no process {id_[:80]!r} that can be executed by itself",
        hint=nearest_of(id_, known) or "`GET /ogc/processes` lists all.",
    )
