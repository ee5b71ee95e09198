"""Processes that users store, to be used by name in graphs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Request
from starlette.responses import Response

from api.auth.login import backend_of, current_user
from api.bodies import StrictRoute
from api.declared import does, gives, takes
from api.links import Links
from api.openeo.changes import without_nulls
from api.pages import Limit, Page, paged
from engine import User, UserProcess

router = APIRouter(tags=["User-defined processes"], route_class=StrictRoute)
public = APIRouter(tags=["Processes"])
Json = dict[str, Any]
Id = Annotated[
    str, Path(pattern=r"^[\w\-]+$", description="Identifier of the process; graphs call it by `^\\w+$` only.")
]
SUMMARY = (
    "id",
    "summary",
    "description",
    "categories",
    "parameters",
    "returns",
    "deprecated",
    "experimental",
    "public",
)
"""What a list tells of a process."""


@router.get("/process_graphs", summary="List your processes", responses=gives("UserProcesses"))
def stored(
    request: Request, user: Annotated[User, Depends(current_user)], limit: Limit = None, page: Page = 1
) -> Json:
    """All processes of the user, without their graphs."""
    found, links = paged(request, backend_of(request).store.processes.all(user.id), limit, page)
    return {
        "processes": [{k: p.document[k] for k in SUMMARY if k in p.document} for p in found],
        "links": links,
    }


@router.get(
    "/process_graphs/{process_graph_id}",
    summary="One of your processes, with its graph",
    responses=gives("UserProcess"),
)
def one(request: Request, process_graph_id: Id, user: Annotated[User, Depends(current_user)]) -> Json:
    """The process as it was stored."""
    return told(request, backend_of(request).stored_process(user, process_graph_id))


@public.get(
    "/processes/{namespace}/{process_id}",
    summary="A process that a user shares",
    responses=gives("UserProcess"),
)
def shared(request: Request, namespace: str, process_id: Id) -> Json:
    """The process with its graph; graphs use it by this namespace, or by this address as namespace."""
    return told(request, backend_of(request).public_process(namespace, process_id))


@router.put(
    "/process_graphs/{process_graph_id}",
    summary="Store a process, or replace it",
    responses=does("It is stored.", 200),
    openapi_extra=takes("ProcessGraph"),
)
def put(
    request: Request,
    process_graph_id: Id,
    user: Annotated[User, Depends(current_user)],
    body: Annotated[Json, Body()],
) -> Response:
    """Store it under the identifier of the path, whatever the body calls it."""
    backend_of(request).store_process(user, process_graph_id, without_nulls(body))
    return Response(status_code=200)


def told(request: Request, process: UserProcess) -> Json:
    """A process as it was stored, with its address where it is public."""
    links = [k for k in process.document.get("links", []) if k.get("rel") != "canonical"]
    if process.is_public:
        place = Links(request).to(f"/processes/{process.namespace}/{process.id}")
        links.append(Links.link("canonical", place, "The address that others use it by"))
    return {**process.document, **({"links": links} if links else {})}


@router.delete(
    "/process_graphs/{process_graph_id}",
    status_code=204,
    summary="Remove one of your processes",
    responses=does("It is removed.", 204),
)
def remove(request: Request, process_graph_id: Id, user: Annotated[User, Depends(current_user)]) -> Response:
    """Remove it."""
    backend_of(request).remove_process(user, process_graph_id)
    return Response(status_code=204)
