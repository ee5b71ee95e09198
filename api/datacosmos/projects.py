"""Items of projects: their own, and those of the catalogue that are related to them."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Body, Depends, Request
from starlette.responses import Response

from api.auth.login import backend_of, current_user
from api.bodies import StrictRoute
from api.datacosmos.asked import Terms, search_by_address, search_by_body, told_to
from api.datacosmos.catalogue import TERMS, WORDS
from api.datacosmos.shown import CosmosResponse, bases_of, item_of, page_of
from api.declared import asks, does, gives, reply, takes
from api.links import Links
from api.schemas import ref
from api.stac.answers import following
from api.stac.asked import refused
from engine import Hit, Mode, Outcome, Problem, User

router = APIRouter(tags=["DataCosmos"], route_class=StrictRoute)
Json = dict[str, Any]
Caller = Annotated[User, Depends(current_user)]
HOMES = ("/api/data/v0/scenario/scenario/{project_id}", "/api/data/v0/scenario/{project_id}")
"""Where projects are: as the documents write it, and the short form of clients with another base address."""
LONGEST = 1000
"""Pairs that one question may name."""


def items(request: Request, project_id: str, user: Caller) -> Response:
    """All items of the project, the latest first; a page of them where a limit is given."""
    asked, terms = search_by_address(request.query_params.multi_items())
    cosmos = backend_of(request).cosmos
    page = cosmos.search_project(user, project_id, asked.search)
    reader = told_to(request, user, Terms(terms.project or project_id, terms.contract))
    next_ = following(request, "cursor", page.next) if page.next is not None else None
    home = home_of(request, project_id)
    return CosmosResponse(page_of(request, reader, page, next_, home, asked.fields))


def search(request: Request, project_id: str, user: Caller, body: Annotated[Json, Body()]) -> Response:
    """A page of the project's items that the body asks for."""
    asked, terms = search_by_body(body)
    page = backend_of(request).cosmos.search_project(user, project_id, asked.search)
    reader = told_to(request, user, Terms(terms.project or project_id, terms.contract))
    home = home_of(request, project_id)
    next_ = f"{home}/search?cursor={quote(page.next)}" if page.next is not None else None
    return CosmosResponse(page_of(request, reader, page, next_, home, asked.fields))


def create(request: Request, project_id: str, user: Caller, body: Annotated[Json, Body()]) -> Response:
    """Make an item of the project."""
    cosmos = backend_of(request).cosmos
    outcome = cosmos.put_project_item(user, project_id, body, Mode.CREATE, bases_of(request))
    return told(request, user, project_id, outcome)


def item(request: Request, project_id: str, item_id: str, user: Caller) -> Response:
    """An item of the project."""
    hit = backend_of(request).cosmos.project_item(user, project_id, item_id)
    reader = told_to(request, user, Terms(project_id))
    return CosmosResponse(item_of(request, reader, hit, home_of(request, project_id)))


def put(
    request: Request, project_id: str, item_id: str, user: Caller, body: Annotated[Json, Body()]
) -> Response:
    """Write an item of the project, whether it is there or not."""
    doc = dict(body)
    if doc.setdefault("id", item_id) != item_id:
        raise refused("id", f"{doc['id']!r} is not that of the address")
    cosmos = backend_of(request).cosmos
    outcome = cosmos.put_project_item(user, project_id, doc, Mode.UPSERT, bases_of(request))
    return told(request, user, project_id, outcome)


def remove(request: Request, project_id: str, item_id: str, user: Caller) -> Response:
    """Remove an item of the project; one of the catalogue is no longer related to it."""
    backend_of(request).cosmos.remove_project_item(user, project_id, item_id)
    return Response(status_code=204)


def contains(
    request: Request, project_id: str, user: Caller, body: Annotated[list[Json], Body()]
) -> CosmosResponse:
    """Which of these items of the catalogue are related to the project."""
    if len(body) > LONGEST:
        raise refused("body", f"{len(body)} pairs are more than the {LONGEST} allowed")
    return CosmosResponse(backend_of(request).cosmos.related(user, project_id, body))


ROUTES: tuple[tuple[Any, str, str, str, Any, Any], ...] = (
    (items, "GET", "/items", "Items of a project", gives("Items"), asks(**WORDS)),
    (create, "POST", "/items", "Make an item of a project", {201: reply("It is made.", ref("Item"), "application/json")}, takes("Item")),
    (item, "GET", "/items/{item_id}", "An item of a project", gives("Item"), asks(contract_id=TERMS["contract_id"])),
    (put, "PUT", "/items/{item_id}", "Write an item of a project", {**gives("Item"), 201: reply("It is made.", ref("Item"), "application/json")}, takes("Item")),
    (remove, "DELETE", "/items/{item_id}", "Remove an item of a project", does("It is removed.", 204), None),
    (search, "POST", "/search", "Search items of a project", gives("Items"), takes("Search")),
    (contains, "POST", "/contains", "Ask which items are related to a project", gives("Relations"), takes("Pairs")),
)  # fmt: skip
CODES = {"POST": {"/items": 201}, "DELETE": {"/items/{item_id}": 204}}
for home in HOMES:
    for endpoint, method, path, summary, responses, extra in ROUTES:
        router.add_api_route(
            home + path, endpoint, methods=[method], summary=summary, responses=responses,
            openapi_extra=extra, status_code=CODES.get(method, {}).get(path, 200), response_model=None,
            operation_id=f"projects_{endpoint.__name__}" + "_short" * (home == HOMES[1]),
        )  # fmt: skip


@router.post(
    "/api/data/v0/scenario/relation",
    summary="Relate an item of the catalogue to a project",
    responses=gives("Relation"),
    openapi_extra=takes("NewRelation"),
)
def relate(request: Request, user: Caller, body: Annotated[Json, Body()]) -> CosmosResponse:
    """Relate it; it may be catalogued later."""
    names = ("scenario", "collection", "item")
    project, collection, id_ = (body.get(name) for name in names)
    for name in names:
        if not isinstance(body.get(name), str) or not body[name]:
            raise Problem(
                "ParameterInvalid", f"{name}: it has to be an identifier", facts={"parameter": name}
            )
    relation = backend_of(request).cosmos.relate(user, str(project), str(collection), str(id_))
    return CosmosResponse({"id": relation, "scenario": project, "collection": collection, "item": id_})


def home_of(request: Request, project: str) -> str:
    """The address of a project, in the form that was asked."""
    path = request.url.path
    short = not path.removeprefix(request.scope.get("root_path", "")).startswith(
        "/api/data/v0/scenario/scenario/"
    )
    return Links(request).root(HOMES[short].format(project_id=quote(project, safe="")))


def told(request: Request, user: User, project: str, outcome: Outcome) -> Response:
    """The item as it was written."""
    hit = Hit(outcome.doc, "", outcome.tag)
    doc = item_of(request, backend_of(request).cosmos.sight(user), hit, home_of(request, project))
    return CosmosResponse(doc, 201 if outcome.event == "created" else 200)
