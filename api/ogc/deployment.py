"""OGC API - Processes, part 2: users deploy processes of their own, replace them and remove them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from api.auth.login import backend_of, current_user
from api.bodies import strict
from api.declared import JSON, does, reply
from api.links import Links
from api.ogc.processes import described
from api.schemas import ref
from engine import Problem, User

router = APIRouter(tags=["Deployment"])
Json = dict[str, Any]
PACKAGE = "application/ogcapppkg+json"
TAKEN = (PACKAGE, JSON)
BODY: Json = {
    "requestBody": {"required": True, "content": {kind: {"schema": ref("Package")} for kind in TAKEN}}
}
Caller = Annotated[User, Depends(current_user)]


@router.post(
    "/processes",
    status_code=201,
    summary="Deploy a process",
    responses={201: reply("It is there.", ref("OgcProcess"), JSON, headers=("Location",))},
    openapi_extra=BODY,
    response_class=Response,
)
async def deploy(request: Request, user: Caller) -> Response:
    """Store a graph of openEO as a process that can be executed; it is seen by its owner."""
    package = await package_of(request)
    id_ = await run_in_threadpool(backend_of(request).deployment.deploy, user, package)
    told = await run_in_threadpool(described, request, id_)
    return JSONResponse(told, 201, {"Location": Links(request).to(f"/processes/{id_}")})


@router.put(
    "/processes/{process_id}",
    status_code=204,
    summary="Replace a process",
    responses=does("It is replaced.", 204),
    openapi_extra=BODY,
)
async def replace(request: Request, process_id: str, user: Caller) -> Response:
    """Store another graph in its place."""
    package = await package_of(request)
    await run_in_threadpool(backend_of(request).deployment.replace, user, process_id, package)
    return Response(status_code=204)


@router.delete(
    "/processes/{process_id}",
    status_code=204,
    summary="Remove a process",
    responses=does("It is removed.", 204),
)
def undeploy(request: Request, process_id: str, user: Caller) -> Response:
    """Remove it; jobs that executed it stay."""
    backend_of(request).deployment.undeploy(user, process_id)
    return Response(status_code=204)


async def package_of(request: Request) -> Json:
    """The application package that a request brings.

    Raises:
        Problem: It is of another media type, or no JSON object.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in TAKEN:
        raise Problem(
            "UnsupportedMediaType",
            f"processes do not come as {kind[:80] or 'nothing'!r}",
            hint=f"Send {PACKAGE} with a graph of openEO as the execution unit; CWL and containers are not run here.",
        )
    try:
        body = strict(await request.body())
    except ValueError as fault:
        raise Problem("ContentTypeInvalid", f"the body is no JSON: {fault}") from None
    if not isinstance(body, dict):
        raise Problem("ContentTypeInvalid", "the body is no JSON object")
    return body
