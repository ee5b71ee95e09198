"""What a graph may use of its user's own: processes that are stored, and results of batch jobs that it names."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.plan.rules.inline import foreign
from engine.records import Job, Results, Status
from engine.settings import Settings
from engine.store import Store

OF_USER = "u:"
"""What namespaces of users begin with."""
NAMESPACE = re.compile(r'"namespace": "u:([\w\-.~]+)"')
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


def belongings(store: Store, settings: Settings, user: str, graph: Mapping[str, Any]) -> Belongings:
    """The stored processes of a user, and the results of the jobs that the graph or one of these names."""
    processes = {p.id: p.document for p in store.processes.all(user)}
    processes |= shared(store, json.dumps([graph, processes], default=str))
    named = sorted({*JOB_ID.findall(json.dumps([graph, processes], default=str))})
    jobs = (store.jobs.get(user, id_) for id_ in named)
    done = {job.id: job for job in jobs if job is not None and job.status == Status.FINISHED}
    return Belongings(processes, {id_: published(settings, job) for id_, job in done.items()})


def shared(store: Store, text: str) -> dict[str, Any]:
    """Public processes of the users whose namespaces are named, and of those whom these name in turn."""
    found: dict[str, Any] = {}
    owners = sorted({*NAMESPACE.findall(text)})
    for owner in owners:  # grows while it is walked
        public = {p.id: p.document for p in store.processes.all(owner) if p.is_public}
        found |= {foreign(f"{OF_USER}{owner}", id_): document for id_, document in public.items()}
        owners += [o for o in sorted({*NAMESPACE.findall(json.dumps(public))}) if o not in owners]
    return found


def published(settings: Settings, job: Job) -> Results:
    """The results of a job that has finished."""
    return Results(settings.job_folder(job.owner, job.id) / f"attempt-{job.fence}", job.items)
