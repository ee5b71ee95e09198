"""Batch jobs: made, listed, changed, started, canceled, removed; and what they tell."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from api.auth.login import backend_of, current_user
from api.bodies import StrictRoute
from api.declared import CREATED, does, gives, takes
from api.links import Links
from api.moments import moment
from api.pages import Limit, Offset, Page, paged
from api.waiting import answer
from engine import Estimate, Job, Problem, Status, User

router = APIRouter(tags=["Batch jobs"], route_class=StrictRoute)
Json = dict[str, Any]
Caller = Annotated[User, Depends(current_user)]
Level = Annotated[
    Literal["error", "warning", "info", "debug"], Query(description="The least grave level to tell.")
]
LEVELS = ("error", "warning", "info", "debug")
"""The gravest first."""
READ_ONLY = frozenset({"id", "status", "created", "updated", "progress", "costs", "usage", "links"})
"""Members of a job that only the server writes."""


@router.get("/jobs", summary="List your jobs", responses=gives("Jobs"))
def jobs(request: Request, user: Caller, limit: Limit = None, page: Page = 1) -> Json:
    """All jobs of the user, the newest first."""
    found, links = paged(request, backend_of(request).store.jobs.all(user.id), limit, page)
    return {"jobs": [brief(job) for job in found], "links": links}


@router.post(
    "/jobs",
    status_code=201,
    summary="Make a job",
    responses=does("It is made.", 201, *CREATED),
    openapi_extra=takes("JobRequest"),
)
def create(request: Request, user: Caller, body: Annotated[Json, Body()]) -> Response:
    """Make a job; it waits to be started."""
    job = backend_of(request).create_job(
        user, {k: v for k, v in body.items() if k not in READ_ONLY and v is not None}
    )
    headers = {
        "Location": Links(request).to(f"/jobs/{job.id}"),
        "OpenEO-Identifier": job.id,
        "GDC-Identifier": job.id,
    }
    return Response(status_code=201, headers=headers)


@router.get("/jobs/{job_id}", summary="One of your jobs", responses=gives("Job"))
def one(request: Request, job_id: str, user: Caller) -> Json:
    """The job with its process."""
    backend = backend_of(request)
    job = backend.job(user, job_id)
    told = {**job.document, **brief(job)}
    if job.status == Status.QUEUED:
        told["queue_position"] = backend.store.jobs.ahead(job) + 1
    return told


@router.get("/jobs/{job_id}/estimate", summary="What a job will cost", responses=gives("Estimate"))
async def estimate(request: Request, job_id: str, user: Caller) -> Json:
    """Its price by its plan, how long it takes and how large its results are, at most."""
    backend = backend_of(request)
    job = await run_in_threadpool(backend.job, user, job_id)
    try:
        found: Estimate = await answer(request, await run_in_threadpool(backend.estimate, user, job.document))
    except Problem as problem:
        if problem.code != "FeatureUnsupported":
            raise
        raise Problem("EstimateComplexity", problem.message, hint=problem.hint) from problem
    return {
        "costs": found.costs,
        "duration": f"PT{max(1, math.ceil(found.seconds))}S",
        "size": found.size,
        "usage": dict(found.usage),
    }


@router.patch(
    "/jobs/{job_id}",
    status_code=204,
    summary="Change a job",
    responses=does("It is changed.", 204),
    openapi_extra=takes("JobChange"),
)
def change(request: Request, job_id: str, user: Caller, body: Annotated[Json, Body()]) -> Response:
    """Change members of the request that made it; refused while it is queued or running."""
    for name in body:
        if name in READ_ONLY:
            raise Problem("PropertyNotEditable", f"{name!r} is read-only", facts={"property": name})
    backend_of(request).change_job(user, job_id, body)
    return Response(status_code=204)


@router.delete(
    "/jobs/{job_id}", status_code=204, summary="Remove a job", responses=does("It is removed.", 204)
)
def remove(request: Request, job_id: str, user: Caller) -> Response:
    """Remove it with its results; its processing ends."""
    backend_of(request).remove_job(user, job_id)
    return Response(status_code=204)


@router.post(
    "/jobs/{job_id}/results", status_code=202, summary="Start a job", responses=does("It is queued.", 202)
)
def start(request: Request, job_id: str, user: Caller) -> Response:
    """Put it into the queue; nothing happens where it is there, or running."""
    backend_of(request).start_job(user, job_id)
    return Response(status_code=202)


@router.delete(
    "/jobs/{job_id}/results", status_code=204, summary="Cancel a job", responses=does("It is canceled.", 204)
)
def cancel(request: Request, job_id: str, user: Caller) -> Response:
    """End its processing."""
    backend_of(request).cancel_job(user, job_id)
    return Response(status_code=204)


@router.get("/jobs/{job_id}/logs", summary="What a job tells", responses=gives("Logs"))
def logs(
    request: Request,
    job_id: str,
    user: Caller,
    offset: Offset = "",
    level: Level = "debug",
    limit: Limit = None,
) -> Json:
    """The log, from the first entry or from the one after `offset`."""
    backend, links = backend_of(request), Links(request)
    job = backend.job(user, job_id)
    found = backend.store.logs.read(job, level, int(offset or 0), None if limit is None else limit + 1)
    told = [{**entry, "time": moment(entry["time"])} for entry in found[:limit]]
    out = [links.link("self", links.here())]
    if limit is not None and len(found) > limit:
        more = links.to(f"/jobs/{job_id}/logs", offset=told[-1]["id"], limit=limit, level=level)
        out.append(links.link("next", more))
    return {"level": level, "logs": told, "links": out}


def brief(job: Job) -> Json:
    """A job as a list tells it."""
    told = {k: job.document[k] for k in ("title", "description", "plan", "budget") if k in job.document}
    out = {
        **told,
        "id": job.id,
        "status": str(job.status),
        "created": moment(job.created),
        "updated": moment(job.updated),
    }
    if job.status not in (Status.CREATED, Status.QUEUED):
        out["progress"] = round(job.progress, 1)
    if job.status == Status.FINISHED:
        out |= {"costs": job.costs, "usage": dict(job.usage or {})}
    return out
