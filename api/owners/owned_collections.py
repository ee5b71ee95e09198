"""Collections of owners: listed, made, read, replaced and removed."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request, Response
from starlette.responses import JSONResponse

from api.auth.login import backend_of, by_key
from api.bodies import StrictRoute
from api.declared import JSON, asks, gives, reply, takes
from api.links import Links
from api.owners.shown import START, asking, collection_of, place_of
from api.pages import Limit, Page, paged
from api.schemas import ref
from api.stac.answers import tag_of
from api.stac.choice import WORDS, choice_of, wanted
from api.stac.collections import NEEDED, SchemaResponse
from api.stac.queryables import declared_by, queryables_of
from api.stac.selection import chosen
from api.stac.transactions import MADE
from engine import Home, Outcome, User, full_id

router = APIRouter(prefix=START, tags=["Catalogue of owners"], route_class=StrictRoute)
by_owner = APIRouter(prefix=START, tags=["Catalogue of owners"])
"""What links lead to: the owner stands in the path."""
Json = dict[str, Any]
Caller = Annotated[User, Depends(by_key)]
WRITE = ("read", "write")
"""Who may do one of these may know of a collection that is to be changed."""


@router.get(
    "/collections",
    summary="List the collections of owners, or search them",
    responses=gives("Collections"),
    openapi_extra=asks(**WORDS),
)
def collections(request: Request, user: Caller, limit: Limit = None, page: Page = 1) -> Json:
    """All collections that the user may read, or those that the parameters ask for."""
    choice = choice_of(request.query_params.multi_items())
    known = backend_of(request).owners.catalog(user)
    homes = {home.id: home for home in known.homes()}
    named = [called(homes[doc["id"]], doc) for doc in known.collections() if doc["id"] in homes]
    matching = wanted(named, choice)
    found, links = paged(request, matching, limit, page)
    shown = [collection_of(request, homes[full_id(doc["owner"], doc["id"])], doc) for doc in found]
    told = [chosen(doc, choice.fields, NEEDED) for doc in shown]
    return {
        "collections": told,
        "links": [Links(request).link("root", Links(request).root(f"{START}/")), *links],
        "numberMatched": len(matching),
        "numberReturned": len(told),
    }


@router.post(
    "/collections",
    status_code=201,
    summary="Make a collection of an owner",
    responses={201: reply("It is made.", ref("Collection"), JSON, headers=MADE)},
    openapi_extra=takes("NewCollection"),
)
def create(request: Request, user: Caller, body: Annotated[Json, Body()]) -> Response:
    """Make it, of the user's own or of another owner who lets the user write."""
    home, outcome = backend_of(request).owners.create_collection(user, body)
    return answer(request, user, home, outcome, 201)


@router.get(
    "/collections/{collection_id}", summary="One collection of an owner", responses=gives("Collection")
)
def collection(request: Request, collection_id: str, user: Caller, response: Response) -> Json:
    """The collection by `owner:id`, or by the id alone where it is the user's own or the only one."""
    home = backend_of(request).owners.home(user, collection_id)
    return told_of(request, user, home, response)


@by_owner.get(
    "/{owner}/collections/{collection_id}",
    summary="One collection, by its owner and id",
    responses=gives("Collection"),
)
def collection_of_owner(
    request: Request, owner: str, collection_id: str, user: Caller, response: Response
) -> Json:
    """The collection, as links have it."""
    home = backend_of(request).owners.home(user, collection_id, owner=owner)
    return told_of(request, user, home, response)


@router.put(
    "/collections/{collection_id}",
    summary="Replace a collection of an owner",
    responses=gives("Collection", headers=("ETag",)),
    openapi_extra=takes("NewCollection"),
)
def replace(request: Request, collection_id: str, user: Caller, body: Annotated[Json, Body()]) -> Response:
    """Replace it; its items stay."""
    owners = backend_of(request).owners
    home = owners.home(user, collection_id, *WRITE)
    return answer(request, user, home, owners.replace_collection(user, home, body, tag_of(request)))


@router.delete(
    "/collections/{collection_id}",
    summary="Remove a collection of an owner, with its items and their files",
    responses=gives("DeletedCollection"),
)
def remove(request: Request, collection_id: str, user: Caller) -> Json:
    """Remove it."""
    owners = backend_of(request).owners
    home = owners.home(user, collection_id, *WRITE)
    owners.remove_collection(user, home, tag_of(request))
    return {"deleted collection": home.name}


@router.get(
    "/queryables",
    summary="Properties to filter items of all owners by",
    response_class=SchemaResponse,
    responses=gives("Queryables", media_type=SchemaResponse.media_type),
)
def queryables_of_all(request: Request, user: Caller) -> JSONResponse:
    """A JSON schema of the properties that items of any collection can be chosen by."""
    every = backend_of(request).owners.catalog(user).collections()
    place = Links(request).root(f"{START}/queryables")
    return SchemaResponse(queryables_of(every, declared_by(request), place, "Queryables"))


@router.get(
    "/collections/{collection_id}/queryables",
    summary="Properties to filter items of a collection of an owner by",
    response_class=SchemaResponse,
    responses=gives("Queryables", media_type=SchemaResponse.media_type),
)
def queryables(request: Request, collection_id: str, user: Caller) -> JSONResponse:
    """A JSON schema of the properties that items of the collection can be chosen by."""
    owners = backend_of(request).owners
    home = owners.home(user, collection_id)
    found = owners.catalog(user).collection(home.id)
    return SchemaResponse(
        queryables_of(
            [found], declared_by(request), asking(request, home, "queryables"), f"Queryables of {home.name}"
        )
    )


def called(home: Home, document: Json) -> Json:
    """A collection as its owner calls it."""
    return {**document, "id": home.name, "owner": home.owner}


def told_of(request: Request, user: User, home: Home, response: Response) -> Json:
    """The collection, with its state as `ETag`."""
    known = backend_of(request).owners.catalog(user)
    response.headers["ETag"] = f'"{known.tag(home.id)}"'
    return collection_of(request, home, known.collection(home.id))


def answer(request: Request, user: User, home: Home, outcome: Outcome, status: int = 200) -> Response:
    """The collection as it is now."""
    found = backend_of(request).owners.catalog(user, *WRITE).collection(home.id)
    headers = {"ETag": f'"{outcome.tag}"'}
    if status == 201:
        headers["Location"] = Links(request).root(place_of(home))
    return JSONResponse(collection_of(request, home, found), status, headers)
