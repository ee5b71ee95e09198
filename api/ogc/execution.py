"""OGC API - Processes: a process is executed, while the client waits or as a job."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request
from fastapi.concurrency import run_in_threadpool
from starlette.background import BackgroundTask
from starlette.responses import JSONResponse, Response

from api.auth.login import backend_of, current_user
from api.bodies import StrictRoute
from api.declared import JSON, reply, takes
from api.links import Links
from api.ogc.jobs import place_of, status_info
from api.ogc.outputs import OUTPUTS, respond
from api.schemas import ref
from api.waiting import answer, computing
from engine import Planned, Results, User

router = APIRouter(tags=["Execution"], route_class=StrictRoute)
Json = dict[str, Any]
ASYNC, SYNC = "respond-async", "respond-sync"
ANSWERS: Any = {
    **OUTPUTS,
    201: reply("A job was made.", ref("StatusInfo"), JSON, headers=("Location", "Preference-Applied")),
}


@router.post(
    "/processes/{process_id}/execution",
    summary="Execute a process",
    responses=ANSWERS,
    openapi_extra=takes("Execute"),
    response_class=Response,
)
async def execute(
    request: Request,
    process_id: str,
    user: Annotated[User, Depends(current_user)],
    body: Annotated[Json, Body()],
) -> Response:
    """Compute the outputs while the client waits; with `Prefer: respond-async` make a job."""
    backend = backend_of(request)
    homes = (Links(request).root(""), Links(request).to(""))
    planned = await run_in_threadpool(backend.executions.plan, user, process_id, body, homes)
    if prefers(request) == ASYNC:
        job = await run_in_threadpool(backend.execute, user, planned)
        place = Links(request).to(f"/jobs/{job.id}")
        headers = {"Location": place, "Preference-Applied": ASYNC}
        return JSONResponse(status_info(Links(request).to, job), 201, headers)
    return await waited(request, user, planned)


def prefers(request: Request) -> str:
    """How a client wants to be answered; at once, where it does not say."""
    asked = [p.strip().lower() for p in request.headers.get("prefer", "").split(",")]
    return ASYNC if ASYNC in asked and not any(p == SYNC or p.startswith("wait=") for p in asked) else SYNC


async def waited(request: Request, user: User, planned: Planned) -> Response:
    """The outputs, for a client that waits; where some are links, or others are told, they are kept with a job."""
    backend, execution = backend_of(request), planned.execution
    async with computing(request, user, planned.process, items=True) as (ticket, folder):
        run = await answer(request, ticket)
        headers = {"OpenEO-Costs": f"{run.costs:g}"}
        if SYNC in request.headers.get("prefer", "").lower():
            headers["Preference-Applied"] = SYNC
        if execution.by_reference or execution.subscriber:
            job = await run_in_threadpool(backend.executions.keep, user, planned, folder, run)
            given = await run_in_threadpool(backend.executions.outcome, execution, backend.results(job))
            return await run_in_threadpool(
                respond, execution, given, place_of(backend, Links(request).root, job), headers
            )
        items = tuple(sorted(path.name for path in folder.glob("*.stac.json")))
        given = await run_in_threadpool(backend.executions.outcome, execution, Results(folder, items))
        done = BackgroundTask(backend.discard, folder)
        return await run_in_threadpool(respond, execution, given, None, headers, done)
