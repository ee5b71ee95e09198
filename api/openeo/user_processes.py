"""Processes that users store, to be used by name in graphs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Request
from starlette.responses import Response

from api.auth.login import backend_of, current_user
from api.pages import Limit, Page, paged
from engine import User, UserProcess

router = APIRouter(tags=["User-defined processes"])
Json = dict[str, Any]
Id = Annotated[str, Path(pattern=r"^\w+$", description="Identifier of the process.")]
SUMMARY = (
    "id",
    "summary",
    "description",
    "categories",
    "parameters",
    "returns",
    "deprecated",
    "experimental",
)
"""What a list tells of a process."""


@router.get("/process_graphs", summary="List your processes")
def stored(
    request: Request, user: Annotated[User, Depends(current_user)], limit: Limit = None, page: Page = 1
) -> Json:
    """All processes of the user, without their graphs."""
    found, links = paged(request, backend_of(request).store.processes.all(user.id), limit, page)
    return {
        "processes": [{k: p.document[k] for k in SUMMARY if k in p.document} for p in found],
        "links": links,
    }


@router.get("/process_graphs/{process_graph_id}", summary="One of your processes, with its graph")
def one(request: Request, process_graph_id: Id, user: Annotated[User, Depends(current_user)]) -> Json:
    """The process as it was stored."""
    found: UserProcess = backend_of(request).stored_process(user, process_graph_id)
    return dict(found.document)


@router.put("/process_graphs/{process_graph_id}", summary="Store a process, or replace it")
def put(
    request: Request,
    process_graph_id: Id,
    user: Annotated[User, Depends(current_user)],
    body: Annotated[Json, Body()],
) -> Response:
    """Store it under the identifier of the path, whatever the body calls it."""
    backend_of(request).store_process(user, process_graph_id, body)
    return Response(status_code=200)


@router.delete("/process_graphs/{process_graph_id}", status_code=204, summary="Remove one of your processes")
def remove(request: Request, process_graph_id: Id, user: Annotated[User, Depends(current_user)]) -> Response:
    """Remove it."""
    backend_of(request).remove_process(user, process_graph_id)
    return Response(status_code=204)
