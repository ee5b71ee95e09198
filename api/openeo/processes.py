"""The predefined processes, the file formats, the runtimes of user code, and what requests take besides graphs."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.auth.login import backend_of
from api.declared import asks, gives, shows
from api.facets import OPENEO
from api.html.choice import ASKED, either, page_link
from api.links import Links
from api.pages import Limit, Page, paged
from engine import Engine, Problem

router = APIRouter(tags=["Processes"])
alone = APIRouter(tags=["Processes"])
"""What has another shape where OGC's processes stand beside these."""
Json = dict[str, Any]


@cache
def described() -> dict[str, Json]:
    """All predefined processes by identifier; they do not change while the server runs."""
    return {process["id"]: process for process in Engine().processes()}


@router.get(
    "/processes", summary="List the processes", responses=shows("Processes"), openapi_extra=asks(**ASKED)
)
def processes(request: Request, limit: Limit = None, page: Page = 1) -> Response:
    """All predefined processes, as openEO describes them; behind its own prefix whatever the limit.

    The Web Editor asks for 50 of them and never for the next 50.
    """
    most = None if request.state.facet is OPENEO else limit
    found, links = paged(request, list(described().values()), most, page)
    links.append(page_link(Links(request).here()))
    return either(request, {"processes": list(found), "links": links}, "processes.html")


@alone.get(
    "/processes/{process_id}",
    summary="One process",
    responses=shows("Process"),
    openapi_extra=asks(**ASKED),
)
def process(request: Request, process_id: str) -> Response:
    """A predefined process, as openEO describes it."""
    if process_id not in described():
        raise Problem("NotFound", f"there is no process {process_id!r}", hint="`GET /processes` lists all.")
    return either(request, described()[process_id], "process.html")


@router.get("/file_formats", summary="File formats that are read and written", responses=gives("FileFormats"))
def file_formats(request: Request) -> Json:
    """The formats, by GDAL's names where GDAL has one."""
    return dict(backend_of(request).file_formats())


@router.get("/udf_runtimes", summary="Runtimes of user-defined functions", responses=gives("UdfRuntimes"))
def udf_runtimes(request: Request) -> Json:
    """The runtimes with their versions and libraries."""
    return dict(backend_of(request).udf_runtimes())


@router.get(
    "/processing_parameters",
    summary="What requests take besides a graph",
    responses=gives("ProcessingParameters"),
)
def processing_parameters() -> Json:
    """Nothing beyond what openEO has."""
    return {
        "create_job_parameters": [],
        "create_service_parameters": [],
        "create_synchronous_parameters": [],
    }
