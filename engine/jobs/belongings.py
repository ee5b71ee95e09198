"""What a graph may use of its user's own: processes that are stored, and results of batch jobs that it names."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.records import Job, Results, Status
from engine.settings import Settings
from engine.store import Store

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
    named = sorted({*JOB_ID.findall(json.dumps([graph, processes], default=str))})
    jobs = (store.jobs.get(user, id_) for id_ in named)
    done = {job.id: job for job in jobs if job is not None and job.status == Status.FINISHED}
    return Belongings(processes, {id_: published(settings, job) for id_, job in done.items()})


def published(settings: Settings, job: Job) -> Results:
    """The results of a job that has finished."""
    return Results(settings.job_folder(job.owner, job.id) / f"attempt-{job.fence}", job.items)
