"""Batch jobs: made, listed, changed, started, canceled, removed; and what they tell."""

from __future__ import annotations

import math
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from api.auth.login import backend_of, current_user
from api.bodies import StrictRoute
from api.declared import CREATED, does, gives, takes
from api.moments import moment
from api.openeo.changes import created, plainly, refuse_read_only, without_nulls
from api.openeo.logs import Level, Offset, log_page
from api.pages import Limit, Page, paged
from api.waiting import answer
from engine import Estimate, Job, Problem, Status, User

router = APIRouter(tags=["Batch jobs"], route_class=StrictRoute)
alone = APIRouter(tags=["Batch jobs"], route_class=StrictRoute)
"""What has another shape where OGC's jobs stand beside these."""
Json = dict[str, Any]
Caller = Annotated[User, Depends(current_user)]
READ_ONLY = frozenset({"id", "status", "created", "updated", "progress", "costs", "usage", "links"})
"""Members of a job that only the server writes."""


@alone.get("/jobs", summary="List your jobs", responses=gives("Jobs"))
def jobs(request: Request, user: Caller, limit: Limit = None, page: Page = 1) -> Json:
    """All jobs of the user, the newest first."""
    found, links = paged(request, own(request, user), limit, page)
    return {"jobs": [brief(job) for job in found], "links": links}


def own(request: Request, user: User) -> list[Job]:
    """The jobs of a user that are openEO's."""
    return [job for job in backend_of(request).store.jobs.all(user.id) if job.execution is None]


@router.post(
    "/jobs",
    status_code=201,
    summary="Make a job",
    responses=does("It is made.", 201, *CREATED),
    openapi_extra=takes("JobRequest"),
)
def create(request: Request, user: Caller, body: Annotated[Json, Body()]) -> Response:
    """Make a job; it waits to be started."""
    given = {k: v for k, v in without_nulls(plainly(body)).items() if k not in READ_ONLY}
    job = backend_of(request).create_job(user, given)
    return created(request, f"/jobs/{job.id}", job.id)


@alone.get("/jobs/{job_id}", summary="One of your jobs", responses=gives("Job"))
def one(request: Request, job_id: str, user: Caller) -> Json:
    """The job with its process."""
    return whole(request, backend_of(request).job(user, job_id))


def whole(request: Request, job: Job) -> Json:
    """All that is told of a job."""
    told = {**job.document, **brief(job)}
    if job.status == Status.QUEUED:
        told["queue_position"] = backend_of(request).store.jobs.ahead(job) + 1
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
    refuse_read_only(body, READ_ONLY)
    backend_of(request).change_job(user, job_id, plainly(body))
    return Response(status_code=204)


@alone.delete(
    "/jobs/{job_id}", status_code=204, summary="Remove a job", responses=does("It is removed.", 204)
)
def remove(request: Request, job_id: str, user: Caller) -> Response:
    """Remove it with its results; its processing ends."""
    backend_of(request).remove_job(user, backend_of(request).job(user, job_id).id)
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
    backend = backend_of(request)
    read = partial(backend.store.logs.read, backend.any_job(user, job_id))
    return log_page(request, f"/jobs/{job_id}/logs", read, offset, level, limit)


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
