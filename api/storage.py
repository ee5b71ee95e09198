"""Objects of the catalogue: stored, fetched whole or in parts, looked up and removed by path, as DataCosmos has it."""

from __future__ import annotations

import base64
import re
from email.utils import formatdate
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from api.auth.login import backend_of, current_user
from api.declared import ANY_TYPE, BY_RANGE, JSON, RANGES, does, gives, reply, sends
from api.frame import HEADLESS
from api.incoming import Incoming
from api.links import Links
from api.moments import moment
from api.ranges import part
from api.schemas import ref
from engine import Problem, Stored, User

router = APIRouter(tags=["Object storage"])
Json = dict[str, Any]
Caller = Annotated[User, Depends(current_user)]
PREFIX = "/api/data/v0/storage"
ANY_BYTES = {"schema": {"type": "string", "format": "binary"}}
BODY = {"requestBody": {"required": True, "content": {ANY_TYPE: ANY_BYTES}}}
STORED: Any = {
    **gives("Object", headers=("ETag", "Digest")),
    201: reply("It is stored.", ref("Object"), JSON, headers=("Location", "ETag", "Digest")),
}
FETCHED: Any = {
    **sends("The object.", ANY_TYPE, headers=("ETag", "Digest")),
    **RANGES,
    304: reply("The client has it."),
    307: reply("The object store gives it.", headers=("Location",)),
}
MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]{1,100}/[\w!#$&^.+-]{1,100}(\s*;[\x20-\x7e]{0,200})?", re.ASCII)
UNTOUCHED = "private, no-cache, no-transform"
"""Digests are of the bytes as they are: nobody on the way may compress them, or keep them for others."""
INERT = "sandbox; default-src 'none'"
"""What a browser may do with pages and drawings that users stored: show them."""


@router.put(f"{PREFIX}/{{path:path}}", summary="Store an object", responses=STORED, openapi_extra=BODY)
async def store(request: Request, path: str, user: Caller) -> Response:
    """Keep the body under this path, as it is, in place of what was; it is there when all of it has come."""
    return await taken_in(request, path, user)


@router.post(f"{PREFIX}/{{path:path}}", summary="Store an object", responses=STORED, openapi_extra=BODY)
async def store_by_post(request: Request, path: str, user: Caller) -> Response:
    """The same as with PUT."""
    return await taken_in(request, path, user)


@router.get(
    f"{PREFIX}/{{path:path}}",
    summary="Fetch an object",
    responses=FETCHED,
    openapi_extra=BY_RANGE,
    response_class=Response,
)
def fetch(request: Request, path: str, user: Caller) -> Response:
    """The object as it was stored, or the part that is asked for; `HEAD` tells of it without reading it."""
    storage = backend_of(request).storage
    stored = storage.stat(user, path)
    told = {**headers_of(stored), "Cache-Control": UNTOUCHED, "Content-Security-Policy": INERT}
    if is_held(request.headers.get("if-none-match"), stored):
        return Response(status_code=304, headers=told)
    told |= {"Content-Type": stored.media_type, "Accept-Ranges": "bytes"}
    wanted = part(request.headers.get("range"), stored.size) if is_same(request, stored) else None
    start, end = wanted or (0, stored.size)
    told["Content-Length"] = str(end - start)
    if wanted:
        told["Content-Range"] = f"bytes {start}-{end - 1}/{stored.size}"
    status = 206 if wanted else 200
    if request.scope.get(HEADLESS):
        return Response(status_code=status, headers=told)
    if link := storage.link(stored):
        return RedirectResponse(link, 307, {**headers_of(stored), "Cache-Control": "no-store"})
    return StreamingResponse(storage.read(stored, start, end), status, told)


@router.delete(
    f"{PREFIX}/{{path:path}}",
    status_code=204,
    summary="Remove an object",
    responses=does("It is removed.", 204),
)
def remove(request: Request, path: str, user: Caller) -> Response:
    """Remove it; items that lead to it are left as they are."""
    backend_of(request).storage.remove(user, path)
    return Response(status_code=204)


async def taken_in(request: Request, path: str, user: User) -> Response:
    """Store the body of a request.

    Raises:
        Problem: The user may not, it is too long, or it is none that can be stored as it is.
    """
    storage = backend_of(request).storage
    media_type = media_type_in(request)
    room = await run_in_threadpool(storage.room, user, path)
    length = request.headers.get("content-length", "")
    size = int(length) if length.isdecimal() else 0
    limit = backend_of(request).settings.max_object_bytes
    if size > limit:
        raise Problem("PayloadTooLarge", f"an object may have {limit} bytes", facts={"limit": limit})
    if size > room:
        raise Problem("StorageQuotaExceeded", f"you may store {room} bytes more", facts={"free": room})
    incoming: Incoming = request.app.state.incoming
    stored, is_new = await incoming.taken(
        request, lambda chunks: storage.put(user, path, chunks, media_type, size)
    )
    place = Links(request).to(f"{PREFIX}/{stored.path}")
    told = headers_of(stored) | ({"Location": place} if is_new else {})
    return JSONResponse(described(stored, place), 201 if is_new else 200, told)


def media_type_in(request: Request) -> str | None:
    """The media type of a body that is to be stored.

    Raises:
        Problem: It is none, or the body is encoded or a part of something.
    """
    for name in ("content-encoding", "content-range"):
        if request.headers.get(name, "identity").lower() != "identity":
            raise Problem(
                "ContentTypeInvalid", f"bodies are stored as they are, without the header {name!r}",
                hint="Send all bytes of the object, and no encoding.",
            )  # fmt: skip
    given = request.headers.get("content-type")
    if given is not None and not MEDIA_TYPE.fullmatch(given):
        raise Problem("ContentTypeInvalid", f"{given[:80]!r} is no media type")
    return given


def headers_of(stored: Stored) -> dict[str, str]:
    """Version, digests and time of an object."""
    md5 = base64.b64encode(stored.md5).decode()
    return {
        "ETag": tag(stored),
        "Digest": digest(stored),
        "Repr-Digest": f"md5=:{md5}:",
        "Last-Modified": formatdate(stored.modified, usegmt=True),
    }


def digest(stored: Stored) -> str:
    """MD5 and CRC-32C as DataCosmos tells them: the one in base64 for URLs with its padding, the other as a number."""
    return f"md5={base64.urlsafe_b64encode(stored.md5).decode()},crc32c={stored.crc32c}"


def tag(stored: Stored) -> str:
    """The entity tag of an object: the same bytes have the same one, wherever they lie."""
    return f'"{stored.md5.hex()}-{stored.size:x}"'


def is_held(asked: str | None, stored: Stored) -> bool:
    """Does a header `If-None-Match` name this version?"""
    tags = [one.strip().removeprefix("W/") for one in (asked or "").split(",")]
    return tag(stored) in tags or tags == ["*"]


def is_same(request: Request, stored: Stored) -> bool:
    """May a part be given: is it one of the version that the client has begun to fetch (`If-Range`)?"""
    return request.headers.get("if-range", tag(stored)) == tag(stored)


def described(stored: Stored, place: str) -> Json:
    """An object as JSON."""
    return {
        "path": stored.path,
        "href": place,
        "size": stored.size,
        "type": stored.media_type,
        "digest": digest(stored),
        "modified": moment(stored.modified),
    }
