"""Paths that openEO and OGC share: at the root each process and each job is answered in the shape of its kind."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from api.auth.login import backend_of, current_user
from api.declared import JSON, asks, does, gives, shows
from api.html.choice import ASKED, either, is_page
from api.links import Links
from api.ogc import jobs as of_ogc
from api.ogc import processes as ogc_processes
from api.ogc.outputs import OUTPUTS
from api.openeo import downloads, processes
from api.openeo import jobs as of_openeo
from api.pages import Limit, Page, paged
from api.schemas import ref
from engine import Job, Status, User

router = APIRouter()
Json = dict[str, Any]
Caller = Annotated[User, Depends(current_user)]
RESULTS: Any = {
    200: {**OUTPUTS[200], "content": {**OUTPUTS[200]["content"], JSON: {"schema": ref("AnyResults")}}},
    204: OUTPUTS[204],
    424: downloads.FAILED,
}


@router.get(
    "/processes/{process_id}",
    summary="One process",
    responses=shows("AnyProcess"),
    openapi_extra=asks(**ASKED),
    tags=["Processes"],
)
def process(request: Request, process_id: str) -> Response:
    """A predefined process as openEO describes it, others that can be executed as OGC does."""
    if process_id in processes.described():
        return processes.process(request, process_id)
    return ogc_processes.process(request, process_id)


@router.get(
    "/jobs", summary="List your jobs", responses=shows("AnyJobs"), tags=["Batch jobs"],
    openapi_extra=asks(**of_ogc.FILTERS, **ASKED),
)  # fmt: skip
def jobs(request: Request, user: Caller, limit: Limit = None, page: Page = 1) -> Response:
    """All jobs of the user: those of openEO, then executions of OGC processes, each the newest first.

    Where it is said which executions are wanted, these alone.
    """
    listed = of_ogc.wanted(request, user)
    if of_ogc.FILTERS.keys().isdisjoint(request.query_params):
        listed = [*of_openeo.own(request, user), *listed]
    found, links = paged(request, listed, limit, page)
    return either(request, {"jobs": [brief(request, job) for job in found], "links": links}, "jobs.html")


@router.get(
    "/jobs/{job_id}",
    summary="One of your jobs",
    responses=shows("AnyJob"),
    tags=["Batch jobs"],
    openapi_extra=asks(**ASKED),
)
def one(request: Request, job_id: str, user: Caller) -> Response:
    """The job, as the standard has it that made it."""
    job = backend_of(request).any_job(user, job_id)
    if job.execution is not None:
        return of_ogc.shown(request, job)
    doc, files = of_openeo.whole(request, job), {}
    if job.status == Status.FINISHED and is_page(request):
        files = downloads.listing(request, job, backend_of(request).results(job))["assets"]
    return either(request, doc, "job.html", files=files)


@router.delete(
    "/jobs/{job_id}",
    summary="Remove a job",
    responses={**does("It is removed.", 204), **gives("StatusInfo")},
    tags=["Batch jobs"],
    response_class=Response,
)
def remove(request: Request, job_id: str, user: Caller) -> Response:
    """Remove it with its results; its processing ends. Of an execution the last status is told."""
    job = backend_of(request).any_job(user, job_id)
    if job.execution is None:
        return of_openeo.remove(request, job_id, user)
    return JSONResponse(of_ogc.dismissed(request, user, job))


@router.get(
    "/jobs/{job_id}/results",
    summary="The results of a job",
    responses=RESULTS,
    tags=["Batch jobs"],
    response_class=Response,
)
def results(request: Request, job_id: str, user: Caller, partial: bool = False) -> Response:
    """A STAC collection, or the outputs of an execution."""
    job = backend_of(request).any_job(user, job_id)
    if job.execution is None:
        return downloads.results(request, job_id, user, partial)
    return of_ogc.outputs(request, job)


def brief(request: Request, job: Job) -> Json:
    """A job as a list tells it."""
    return of_openeo.brief(job) if job.execution is None else of_ogc.status_info(Links(request).to, job)
