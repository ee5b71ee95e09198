"""OGC API - Processes: which processes there are, and what they take and give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.auth.login import backend_of, current_user, viewer
from api.declared import asks, shows
from api.html.choice import ASKED, either, page_link
from api.links import Link, Links
from api.pages import Page, TenLimit, paged
from engine import User

router = APIRouter(tags=["Processes"])
Json = dict[str, Any]
EXECUTE = "http://www.opengis.net/def/rel/ogc/1.0/execute"


@router.get(
    "/processes", summary="List the processes", responses=shows("OgcProcesses"), openapi_extra=asks(**ASKED)
)
def processes(request: Request, limit: TenLimit = 10, page: Page = 1) -> Response:
    """All that can be executed by itself: predefined processes, and those that whoever asks has stored."""
    offered = backend_of(request).executions.list(asker(request))
    found, links = paged(request, offered, limit, page)
    links.append(page_link(Links(request).here()))
    told = [{**one, "links": links_of(request, one)} for one in found]
    return either(request, {"processes": told, "links": links}, "ogc_processes.html")


@router.get(
    "/processes/{process_id}",
    summary="One process",
    responses=shows("OgcProcess"),
    openapi_extra=asks(**ASKED),
)
def process(request: Request, process_id: str) -> Response:
    """Its inputs and its outputs."""
    return either(request, described(request, process_id), "ogc_process.html")


def described(request: Request, process_id: str) -> Json:
    """A process as whoever asks sees it."""
    found = backend_of(request).executions.describe(asker(request), process_id)
    return {**found, "links": links_of(request, found)}


def asker(request: Request) -> User | None:
    """Whose processes are told of; nobody's, where there is no login and one is needed for them."""
    if backend_of(request).settings.auth == "anonymous":
        return current_user(request)
    return viewer(request)


def links_of(request: Request, process: Mapping[str, Any]) -> list[Link]:
    """Where a process is described, and executed."""
    links = Links(request)
    place = f"/processes/{process['id']}"
    return [
        links.link("self", links.to(place), "The description"),
        page_link(links.to(place)),
        links.link(EXECUTE, links.to(f"{place}/execution"), "Execute it"),
    ]
