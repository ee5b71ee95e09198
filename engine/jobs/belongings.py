"""What a graph may use of its user's own: processes that are stored, and results of batch jobs that it names."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.access import readable_of
from engine.catalog import PUBLIC, Readable
from engine.plan.rules.inline import foreign
from engine.records import OF_USER, Job, Results, Status, User
from engine.settings import Settings
from engine.store import Store

NAMESPACE = re.compile(rf'"namespace": "{OF_USER}([\w\-.~]+)"')
"""Users whose processes are called, as they stand in JSON."""
JOB_ID = re.compile(r'"([0-9a-f]{24})"')
"""Ids of batch jobs, as they stand in JSON."""


@dataclass(frozen=True, slots=True)
class Belongings:
    """What there is of a user's own."""

    processes: Mapping[str, Any] = field(default_factory=dict)
    """Stored processes by identifier."""
    results: Mapping[str, Results] = field(default_factory=dict)
    """Results of batch jobs by the id of the job."""
    readable: Readable = PUBLIC
    """Which collections of the catalogue there are."""


def belongings(store: Store, settings: Settings, user: User, graph: Mapping[str, Any]) -> Belongings:
    """The stored processes of a user, and the results of the jobs that the graph or one of these names.

    What the user may read depends on the roles at hand, those of a token among them.
    """
    processes = {p.id: p.document for p in store.processes.all(user.id)}
    text = json.dumps([graph, processes], default=str)
    if foreigners := shared(store, text):
        processes |= foreigners
        text += json.dumps(foreigners)
    named = sorted({*JOB_ID.findall(text)})
    jobs = (store.jobs.get(user.id, id_) for id_ in named)
    done = {job.id: job for job in jobs if job is not None and job.status == Status.FINISHED}
    results = {id_: published(settings, job) for id_, job in done.items()}
    return Belongings(processes, results, readable_of(settings, user))


def account_of(store: Store, id_: str) -> User:
    """Whom something is done for that was asked for earlier, with the roles of the account alone."""
    return store.users.get(id_) or User(id_)


def shared(store: Store, text: str) -> dict[str, Any]:
    """Public processes of the users whose namespaces are named, and of those whom these name in turn."""
    found: dict[str, Any] = {}
    owners = sorted({*NAMESPACE.findall(text)})
    for owner in owners:  # grows while it is walked
        public = [p for p in store.processes.all(owner) if p.is_public]
        found |= {foreign(p.namespace, p.id): p.document for p in public}
        owners += [
            o
            for o in sorted({*NAMESPACE.findall(json.dumps([p.document for p in public]))})
            if o not in owners
        ]
    return found


def published(settings: Settings, job: Job) -> Results:
    """The results of a job that has finished."""
    return Results(settings.attempt_folder(job.owner, job.id, job.fence), job.items)
