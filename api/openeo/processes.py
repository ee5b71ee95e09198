"""The predefined processes, the file formats, the runtimes of user code, and what requests take besides graphs."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import APIRouter, Request

from api.auth.login import backend_of
from api.declared import gives
from api.pages import Limit, Page, paged
from engine import Engine, Problem

router = APIRouter(tags=["Processes"])
Json = dict[str, Any]


@cache
def described() -> dict[str, Json]:
    """All predefined processes by identifier; they do not change while the server runs."""
    return {process["id"]: process for process in Engine().processes()}


@router.get("/processes", summary="List the processes", responses=gives("Processes"))
def processes(request: Request, limit: Limit = None, page: Page = 1) -> Json:
    """All predefined processes, as openEO describes them."""
    found, links = paged(request, list(described().values()), limit, page)
    return {"processes": list(found), "links": links}


@router.get("/processes/{process_id}", summary="One process", responses=gives("Process"))
def process(process_id: str) -> Json:
    """A predefined process, as openEO describes it."""
    if process_id not in described():
        raise Problem("NotFound", f"there is no process {process_id!r}", hint="`GET /processes` lists all.")
    return described()[process_id]


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
