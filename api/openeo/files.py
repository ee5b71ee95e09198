"""Files of users: listed, uploaded, downloaded, removed."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import contextmanager_in_threadpool, run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from api.auth.login import backend_of, current_user
from api.declared import ANY_TYPE, BY_RANGE, RANGES, does, gives, sends
from api.errors import Gone
from api.moments import moment
from api.pages import Limit, Page, paged
from api.parts import File
from engine import User, UserFile, media_type_of

router = APIRouter(tags=["File storage"])
Json = dict[str, Any]
Caller = Annotated[User, Depends(current_user)]
BYTES = {"schema": {"type": "string", "format": "binary"}}
PUT_BODY = {"requestBody": {"required": True, "content": {"application/octet-stream": BYTES}}}


@router.get("/files", summary="List your files", responses=gives("Files"))
def files(request: Request, user: Caller, limit: Limit = None, page: Page = 1) -> Json:
    """All files, those in folders with their paths."""
    found, links = paged(request, backend_of(request).files(user).all(), limit, page)
    return {"files": [told(file) for file in found], "links": links}


@router.get(
    "/files/{path:path}",
    summary="Download one of your files",
    responses={**sends("The file.", ANY_TYPE), **RANGES},
    openapi_extra=BY_RANGE,
    response_class=Response,
)
def download(request: Request, path: str, user: Caller) -> File:
    """The file as it was uploaded, or the range of it that is asked for."""
    place = backend_of(request).files(user).place(path)
    return File(place, media_type=media_type_of(place.name), filename=place.name)


@router.put(
    "/files/{path:path}",
    summary="Upload a file, or replace it",
    responses=gives("File"),
    openapi_extra=PUT_BODY,
)
async def upload(request: Request, path: str, user: Caller) -> Json:
    """Store the body under this path, as it is; folders are made as they are needed."""
    mine = backend_of(request).files(user)
    try:
        async with contextmanager_in_threadpool(mine.upload(path)) as file:
            async for piece in request.stream():
                await run_in_threadpool(file.write, piece)
    except ClientDisconnect:
        raise Gone from None
    return told(await run_in_threadpool(mine.one, path))


@router.delete(
    "/files/{path:path}",
    status_code=204,
    summary="Remove one of your files",
    responses=does("It is removed.", 204),
)
def remove(request: Request, path: str, user: Caller) -> Response:
    """Remove it, and the folders that are empty without it."""
    backend_of(request).files(user).remove(path)
    return Response(status_code=204)


def told(file: UserFile) -> Json:
    """A file as openEO lists it."""
    return {"path": file.path, "size": file.size, "modified": moment(file.modified)}
