"""Secondary web services: their types, and the user's own ones: made, listed, changed, removed; and what they tell."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from api.addresses import attributes_of, url_of
from api.auth.login import backend_of, current_user
from api.bodies import StrictRoute
from api.declared import CREATED, does, gives, takes
from api.moments import moment
from api.openeo.changes import created, plainly, refuse_read_only, without_nulls
from api.openeo.logs import Level, Offset, log_page
from api.pages import Limit, Page, paged
from api.waiting import answer
from engine import Service, User

router = APIRouter(tags=["Secondary services"], route_class=StrictRoute)
Json = dict[str, Any]
Caller = Annotated[User, Depends(current_user)]
READ_ONLY = frozenset({"id", "url", "type", "attributes", "created", "updated", "costs", "usage", "links"})
"""Members of a service that are not changed."""
IGNORED = READ_ONLY - {"type"} | {"renew_url"}
"""Members that mean nothing where a service is made."""


@router.get(
    "/service_types", summary="The types of services", responses=gives("ServiceTypes"), tags=["Service types"]
)
def types(request: Request) -> Json:
    """What can be configured, and what graphs are given for each tile."""
    return backend_of(request).services.types()


@router.get("/services", summary="List your services", responses=gives("Services"))
def services(request: Request, user: Caller, limit: Limit = None, page: Page = 1) -> Json:
    """All services of the user, the newest first."""
    found, links = paged(request, backend_of(request).services.all(user), limit, page)
    return {"services": [brief(request, service) for service in found], "links": links}


@router.post(
    "/services",
    status_code=201,
    summary="Make a service",
    responses=does("It is made.", 201, *CREATED),
    openapi_extra=takes("ServiceRequest"),
)
async def create(request: Request, user: Caller, body: Annotated[Json, Body()]) -> Response:
    """Make a service; its graph is looked at first, and refused where it is wrong or gives no map."""
    desk = backend_of(request).services
    given = {k: v for k, v in without_nulls(plainly(body)).items() if k not in IGNORED}
    draft, ticket = await run_in_threadpool(desk.draft, user, given)
    service = await run_in_threadpool(desk.create, user, draft, await answer(request, ticket))
    return created(request, f"/services/{service.id}", service.id)


@router.get("/services/{service_id}", summary="One of your services", responses=gives("Service"))
def one(request: Request, service_id: str, user: Caller) -> Json:
    """The service with its process, its configuration and what was found out about its map."""
    service = backend_of(request).services.get(user, service_id)
    return {
        "configuration": {},
        **service.document,
        **brief(request, service),
        "attributes": attributes_of(request, service),
    }


@router.patch(
    "/services/{service_id}",
    status_code=204,
    summary="Change a service",
    responses=does("It is changed.", 204),
    openapi_extra=takes("ServiceChange"),
)
async def change(request: Request, service_id: str, user: Caller, body: Annotated[Json, Body()]) -> Response:
    """Change members of the request that made it; `renew_url` gives it another address, and the old one is void."""
    refuse_read_only(body, READ_ONLY)
    desk = backend_of(request).services
    service, draft, ticket = await run_in_threadpool(desk.redraft, user, service_id, plainly(body))
    portrait = None if ticket is None else await answer(request, ticket)
    await run_in_threadpool(desk.change, user, service, draft, portrait)
    return Response(status_code=204)


@router.delete(
    "/services/{service_id}",
    status_code=204,
    summary="Remove a service",
    responses=does("It is removed.", 204),
)
def remove(request: Request, service_id: str, user: Caller) -> Response:
    """Remove it with its log; its address is void."""
    backend_of(request).services.remove(user, service_id)
    return Response(status_code=204)


@router.get("/services/{service_id}/logs", summary="What a service tells", responses=gives("Logs"))
def logs(
    request: Request,
    service_id: str,
    user: Caller,
    offset: Offset = "",
    level: Level = "debug",
    limit: Limit = None,
) -> Json:
    """The log, from the first entry that is kept or from the one after `offset`."""
    desk = backend_of(request).services
    read = partial(desk.log, desk.get(user, service_id))
    return log_page(request, f"/services/{service_id}/logs", read, offset, level, limit)


def brief(request: Request, service: Service) -> Json:
    """A service as a list tells it."""
    told = {
        k: service.document[k]
        for k in ("title", "description", "plan", "budget", "log_level")
        if k in service.document
    }
    return {
        **told,
        "id": service.id,
        "type": service.type,
        "url": url_of(request, service),
        "enabled": service.enabled,
        "created": moment(service.created),
        "costs": 0,
    }
