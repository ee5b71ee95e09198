"""OGC API - Processes: jobs, their status and their results."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.auth.login import backend_of, current_user
from api.declared import asks, gives, shows
from api.html.choice import ASKED, either
from api.links import Link, Links
from api.moments import moment
from api.ogc.outputs import OUTPUT, OUTPUTS, Place, bare, document, respond
from api.pages import Page, TenLimit, paged
from api.sign import Grant, granted, signed
from engine import (
    Backend,
    Given,
    Job,
    Problem,
    Status,
    User,
    Value,
    ended_at,
    failure_of,
    not_ready,
    process_of,
    sieve_of,
    state_of,
)

router = APIRouter(tags=["Jobs"])
signed_outputs = APIRouter(tags=["Jobs"])
"""Outputs that are parts of a file, by signed links."""
Json = dict[str, Any]
Address = Callable[[str], str]
"""Gives the address of a path."""
Caller = Annotated[User, Depends(current_user)]
FILTERS = {
    "type": "`process`, the type of all jobs.",
    "processID": "Executions of these processes, with commas.",
    "status": "In these states, with commas.",
    "datetime": "Made at this time, or in this interval.",
    "minDuration": "Running for so many seconds, or more.",
    "maxDuration": "Running for so many seconds, or less.",
}


@router.get(
    "/jobs",
    summary="List your jobs",
    responses=shows("OgcJobs"),
    openapi_extra=asks(**FILTERS, **ASKED),
)
def jobs(request: Request, user: Caller, limit: TenLimit = 10, page: Page = 1) -> Response:
    """Executions of processes, the newest first."""
    found, links = paged(request, wanted(request, user), limit, page)
    told = {"jobs": [status_info(Links(request).to, job) for job in found], "links": links}
    return either(request, told, "jobs.html")


@router.get(
    "/jobs/{job_id}",
    summary="The status of a job",
    responses=shows("StatusInfo"),
    openapi_extra=asks(**ASKED),
)
def one(request: Request, job_id: str, user: Caller) -> Response:
    """How far it is."""
    return shown(request, backend_of(request).execution(user, job_id))


@router.delete("/jobs/{job_id}", summary="Dismiss a job", responses=gives("StatusInfo"))
def dismiss(request: Request, job_id: str, user: Caller) -> Json:
    """End it, and remove it with its results."""
    return dismissed(request, user, backend_of(request).execution(user, job_id))


@router.get(
    "/jobs/{job_id}/results", summary="The results of a job", responses=OUTPUTS, response_class=Response
)
def results(request: Request, job_id: str, user: Caller) -> Response:
    """The outputs, in the form that was asked for when it was executed."""
    return outputs(request, backend_of(request).execution(user, job_id))


@signed_outputs.get(
    "/results/{token}/outputs/{output}",
    summary="An output of a job, by a signed link",
    responses={200: OUTPUTS[200]},
    response_class=Response,
)
def output(request: Request, token: str, output: str) -> Response:
    """The value of the output."""
    backend = backend_of(request)
    grant = granted(token, backend.store.secret("results"))
    job = backend.store.jobs.get(grant.owner, grant.job)
    if job is None or job.execution is None or job.fence != grant.fence or grant.name != f"outputs/{output}":
        raise Problem("NotFound", "what the link leads to is there no more")
    execution = backend.executions.of_job(job)
    found = backend.executions.outcome(execution, backend.results(job))
    name = execution.outputs[int(output)].outlet.name
    given = next((one for one in found if one.name == name), None)
    if given is None:
        raise Problem("NotFound", "what the link leads to is there no more")
    return bare(given, {})


# ------------------------------------------------------------------------------- shared with the root
def wanted(request: Request, user: User) -> list[Job]:
    """The executions of a user that the parameters of the request want."""
    given: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        if name in ASKED:
            continue
        given.setdefault(name, []).append(value)
    sieve = sieve_of(given)
    found = backend_of(request).store.jobs.all(user.id)
    return [job for job in found if job.execution is not None and sieve.takes(job)]


def shown(request: Request, job: Job) -> Response:
    """The status of a job, or its page."""
    return either(request, status_info(Links(request).to, job), "job.html")


def status_info(to: Address, job: Job, status: str = "") -> Json:
    """A job as OGC tells it; `to` gives addresses of paths."""
    told: Json = {
        "jobID": job.id,
        "processID": process_of(job),
        "type": "process",
        "status": status or state_of(job),
        "created": moment(job.created),
        "updated": moment(job.updated),
        "progress": int(job.progress),
    }
    if job.started is not None:
        told["started"] = moment(job.started)
    if (end := ended_at(job)) is not None:
        told["finished"] = moment(end)
    if job.problem is not None:
        told["message"] = str(job.problem.get("message"))
    return {**told, "links": [] if status else links_of(to(f"/jobs/{job.id}"), job)}


def links_of(place: str, job: Job) -> list[Link]:
    """Where the status of a job is, and its results once they are there."""
    link = Links.link
    found = [link("self", place, "The status"), link("monitor", place, "The status")]
    if job.status == Status.FINISHED:
        found.append(link(OUTPUT, f"{place}/results", "The results"))
    return found


def dismissed(request: Request, user: User, job: Job) -> Json:
    """End a job, and remove it; gives its last status."""
    backend_of(request).remove_job(user, job.id)
    return status_info(Links(request).to, job, "dismissed")


def outputs(request: Request, job: Job) -> Response:
    """The outputs of a job.

    Raises:
        Problem: They are not there yet, or why the job failed.
    """
    backend = backend_of(request)
    if job.status == Status.ERROR:
        raise failure_of(job)
    if job.status != Status.FINISHED:
        raise not_ready(job)
    execution = backend.executions.of_job(job)
    given = backend.executions.outcome(execution, backend.results(job))
    return respond(
        execution, given, place_of(backend, Links(request).root, job), {"OpenEO-Costs": f"{job.costs:g}"}
    )


def place_of(backend: Backend, root: Address, job: Job) -> Place:
    """Gives signed links to parts of the outputs of a job; `root` gives addresses of paths at the root."""
    secret, expires = backend.store.secret("results"), int(time.time() + 3600 * backend.settings.link_hours)

    names = [asked.outlet.name for asked in backend.executions.of_job(job).outputs]

    def place(given: Given, number: int) -> str:
        part = given.parts[number]
        name = f"outputs/{names.index(given.name)}" if isinstance(part, Value) else part.path.name
        grant = Grant(job.owner, job.id, job.fence, name, expires)
        return root(f"/results/{signed(grant, secret)}/{name}")

    return place


def telling(backend: Backend) -> Callable[[Job], Json]:
    """Gives what the subscriber of an execution is told: the outputs once they are there, the status before."""

    def tell(job: Job) -> Json:
        execution = backend.executions.of_job(job)
        root, home = execution.homes
        if job.status != Status.FINISHED:
            return status_info(lambda path: f"{home}{path}", job)
        given = backend.executions.outcome(execution, backend.results(job))
        return document(given, place_of(backend, lambda path: f"{root}{path}", job))

    return tell
