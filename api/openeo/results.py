"""Graphs that are checked, or computed while the client waits."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request
from fastapi.concurrency import run_in_threadpool
from starlette.background import BackgroundTask
from starlette.responses import Response, StreamingResponse

from api.auth.login import backend_of, current_user
from api.bodies import StrictRoute
from api.declared import ANY_TYPE, gives, sends, takes
from api.errors import monitoring, told
from api.links import Links
from api.openeo.logs import Level, timed
from api.parts import File, blocks
from api.waiting import answer, computing
from engine import Problem, User

router = APIRouter(tags=["Data processing"], route_class=StrictRoute)
Json = dict[str, Any]


@router.post(
    "/validation",
    summary="Say everything that is wrong with a process",
    responses=gives("Faults"),
    openapi_extra=takes("ProcessGraph"),
)
async def validation(
    request: Request, user: Annotated[User, Depends(current_user)], body: Annotated[Json, Body()]
) -> Json:
    """All faults of the graph, without reading a pixel; an empty list where there is none."""
    backend = backend_of(request)
    ticket = await run_in_threadpool(backend.validate, user, body)
    problems: list[Problem] = await answer(request, ticket)
    return {"errors": [told(p) for p in problems]}


@router.post(
    "/result",
    summary="Compute a process, and wait for its result",
    responses=sends("The result.", ANY_TYPE, headers=("OpenEO-Costs", "Link")),
    openapi_extra=takes("Computation"),
    response_class=Response,
)
async def result(
    request: Request, user: Annotated[User, Depends(current_user)], body: Annotated[Json, Body()]
) -> Response:
    """The file that the process gives; several come as one tar archive."""
    if not isinstance(body.get("process"), dict):
        raise Problem("ProcessGraphMissing", "the request has no `process` with a `process_graph`")
    backend = backend_of(request)
    async with computing(request, user, body, logged=True) as (ticket, folder):
        request.state.monitor = Links(request).to(f"/result/logs/{folder.name}")
        done = BackgroundTask(backend.discard, folder)
        response = delivered(await answer(request, ticket), folder, done)
        response.headers["Link"] = monitoring(request)
        return response


@router.get("/result/logs/{log_id}", summary="What a synchronous request told", responses=gives("Logs"))
def logs(
    request: Request, log_id: str, user: Annotated[User, Depends(current_user)], level: Level = "debug"
) -> Json:
    """The log of a request; its address is the link `monitor` of the answer."""
    told = [timed(entry) for entry in backend_of(request).journal(user, log_id, level)]
    links = Links(request)
    return {"level": level, "logs": told, "links": [links.link("self", links.here())]}


def delivered(run: Any, folder: Path, done: BackgroundTask) -> Response:
    """One file as it is, several in an archive."""
    headers, files = {"OpenEO-Costs": f"{run.costs:g}"}, run.files
    if len(files) == 1 and files[0].path.is_file():
        (file,) = files
        return File(
            file.path, media_type=file.media_type, filename=file.path.name, headers=headers, background=done
        )
    headers["Content-Disposition"] = 'attachment; filename="result.tar"'
    return StreamingResponse(
        archive([file.path for file in files], folder),
        media_type="application/x-tar",
        headers=headers,
        background=done,
    )


def archive(paths: Sequence[Path], folder: Path) -> Iterator[bytes]:
    """A tar archive of files and folders, a piece at a time, without a copy on disk."""
    for path in sorted(p for given in paths for p in (given, *given.rglob("*")) if p.is_file()):
        entry = tarfile.TarInfo(path.relative_to(folder).as_posix())
        entry.size, entry.mtime = path.stat().st_size, int(path.stat().st_mtime)
        yield entry.tobuf(tarfile.PAX_FORMAT)
        yield from blocks(path)
        yield bytes(-entry.size % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)
