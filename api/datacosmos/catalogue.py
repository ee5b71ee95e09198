"""Collections and items of the catalogue, by DataCosmos' rules."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Body, Depends, Request
from starlette.responses import Response

from api.auth.login import backend_of, current_user
from api.bodies import StrictRoute
from api.datacosmos.asked import search_by_address, search_by_body, told_to
from api.datacosmos.shown import STAC, CosmosResponse, bases_of, item_of, page_of
from api.declared import asks, does, gives, reply, takes
from api.links import Links
from api.schemas import ref
from api.stac.answers import following
from api.stac.asked import refused, whole
from api.stac.collections import GEOJSON, OWN_RELS, placed
from api.stac.items import WORDS as SEARCH_WORDS
from engine import (
    Hit,
    Mode,
    Outcome,
    PatchCollection,
    PutCollection,
    RemoveCollection,
    RemoveItem,
    User,
)

router = APIRouter(prefix=STAC, tags=["DataCosmos"], route_class=StrictRoute)
Json = dict[str, Any]
Caller = Annotated[User, Depends(current_user)]
SOURCE = "datacosmos"
TERMS = {
    "project": "A project, by whose contract prices are told.",
    "contract_id": "A contract, by which prices are told.",
    "cursor": "Where the page begins; links of the page before have it.",
}
WORDS = {**{k: v for k, v in SEARCH_WORDS.items() if k != "token"}, **TERMS}
MADE: Any = {201: reply("It is made.", ref("Item"), "application/json")}


# ------------------------------------------------------------------------------- collections
@router.get(
    "/collections",
    summary="List the collections",
    responses=gives("Collections"),
    openapi_extra=asks(limit="Collections of a page; without it, all.", cursor=TERMS["cursor"]),
)
def collections(request: Request, user: Caller) -> CosmosResponse:
    """The collections that may be read, by id."""
    every = backend_of(request).hub.seen_by(user).of_stac().collections()
    given, cursor = request.query_params.get("limit"), request.query_params.get("cursor")
    limit = whole("limit", given) if given is not None else len(every)
    if limit < 1 and given is not None:
        raise refused("limit", f"{given!r} is no whole number from 1 on")
    rest = [c for c in every if cursor is None or c["id"] > cursor]
    links = Links(request)
    told = [links.link("self", links.here())]
    if len(rest) > limit:
        query = urlencode({"limit": limit, "cursor": rest[limit - 1]["id"]})
        told.append(links.link("next", links.root(f"{STAC}/collections?{query}")))
    return CosmosResponse({"collections": [collection_of(request, c) for c in rest[:limit]], "links": told})


@router.post(
    "/collections",
    status_code=201,
    summary="Make a collection",
    responses={201: reply("It is made.", ref("Collection"), "application/json")},
    openapi_extra=takes("NewCollection"),
)
def create_collection(request: Request, user: Caller, body: Annotated[Json, Body()]) -> Response:
    """Make it, without items."""
    backend_of(request).hub.apply(user, [PutCollection(body, Mode.CREATE)], SOURCE)
    return told_collection(request, user, str(body["id"]), 201)


@router.get("/collections/{collection_id}", summary="One collection", responses=gives("Collection"))
def collection(request: Request, collection_id: str, user: Caller) -> Response:
    """A collection."""
    return told_collection(request, user, collection_id)


@router.patch(
    "/collections/{collection_id}",
    summary="Change members of a collection",
    responses=gives("Collection"),
    openapi_extra=takes("Patch"),
)
def change_collection(
    request: Request, collection_id: str, user: Caller, body: Annotated[Json, Body()]
) -> Response:
    """Change it; members that are not named stay."""
    backend_of(request).hub.apply(user, [PatchCollection(collection_id, body)], SOURCE)
    return told_collection(request, user, collection_id)


@router.delete(
    "/collections/{collection_id}",
    status_code=204,
    summary="Remove a collection with its items",
    responses=does("It is removed.", 204),
)
def remove_collection(request: Request, collection_id: str, user: Caller) -> Response:
    """Remove it; what lies in the storage stays there."""
    backend_of(request).hub.apply(user, [RemoveCollection(collection_id)], SOURCE)
    return Response(status_code=204)


# ------------------------------------------------------------------------------- items
@router.get(
    "/collections/{collection_id}/items",
    summary="Items of a collection",
    responses=gives("Items"),
    openapi_extra=asks(**WORDS),
)
def items(request: Request, collection_id: str, user: Caller) -> Response:
    """A page of the collection's items, with prices where a project or a contract is named."""
    asked, terms = search_by_address(request.query_params.multi_items())
    page = backend_of(request).hub.seen_by(user).of_stac().find_in(collection_id, asked.search)
    next_ = following(request, "cursor", page.next) if page.next is not None else None
    return CosmosResponse(page_of(request, told_to(request, user, terms), page, next_, fields=asked.fields))


@router.post(
    "/collections/{collection_id}/items",
    status_code=201,
    summary="Make an item, whose assets are there already",
    responses=MADE,
    openapi_extra=takes("Item"),
)
def create(request: Request, collection_id: str, user: Caller, body: Annotated[Json, Body()]) -> Response:
    """Make it, if all assets and properties are as the rules have it."""
    outcome = backend_of(request).cosmos.put(
        user, collection_id, of(body, collection_id), Mode.CREATE, bases_of(request)
    )
    return told(request, user, outcome)


@router.get(
    "/collections/{collection_id}/items/{item_id}",
    summary="One item",
    responses=gives("Item"),
    openapi_extra=asks(project=TERMS["project"], contract_id=TERMS["contract_id"]),
)
def item(request: Request, collection_id: str, item_id: str, user: Caller) -> Response:
    """An item, with its price where a project or a contract is named."""
    hit = backend_of(request).hub.seen_by(user).of_stac().item(collection_id, item_id)
    return CosmosResponse(item_of(request, told_to(request, user), hit))


@router.put(
    "/collections/{collection_id}/items/{item_id}",
    summary="Write an item, whether it is there or not",
    responses={**gives("Item"), **MADE},
    openapi_extra=takes("Item"),
)
def put(
    request: Request, collection_id: str, item_id: str, user: Caller, body: Annotated[Json, Body()]
) -> Response:
    """Write it whole, by the same rules."""
    doc = of(body, collection_id)
    if doc.setdefault("id", item_id) != item_id:
        raise refused("id", f"{doc['id']!r} is not that of the address")
    cosmos = backend_of(request).cosmos
    return told(request, user, cosmos.put(user, collection_id, doc, Mode.UPSERT, bases_of(request)))


@router.patch(
    "/collections/{collection_id}/items/{item_id}",
    summary="Change members of an item",
    responses=gives("Item"),
    openapi_extra=takes("Patch"),
)
def change(
    request: Request, collection_id: str, item_id: str, user: Caller, body: Annotated[Json, Body()]
) -> Response:
    """Change it; the rules hold for what comes out."""
    cosmos = backend_of(request).cosmos
    return told(request, user, cosmos.patch(user, collection_id, item_id, body, bases_of(request)))


@router.delete(
    "/collections/{collection_id}/items/{item_id}",
    status_code=204,
    summary="Remove an item",
    responses=does("It is removed.", 204),
)
def remove(request: Request, collection_id: str, item_id: str, user: Caller) -> Response:
    """Remove it; what lies in the storage stays there."""
    backend_of(request).hub.apply(user, [RemoveItem(collection_id, item_id)], SOURCE)
    return Response(status_code=204)


# ------------------------------------------------------------------------------- searches
@router.get("/search", summary="Search items", responses=gives("Items"), openapi_extra=asks(**WORDS))
def search(request: Request, user: Caller) -> Response:
    """A page of the items that the parameters ask for."""
    asked, terms = search_by_address(request.query_params.multi_items())
    page = backend_of(request).hub.seen_by(user).of_stac().find(asked.search)
    next_ = following(request, "cursor", page.next) if page.next is not None else None
    return CosmosResponse(page_of(request, told_to(request, user, terms), page, next_, fields=asked.fields))


@router.post(
    "/search",
    summary="Search items by a JSON object",
    responses=gives("Items"),
    openapi_extra=takes("Search"),
)
def search_items(request: Request, user: Caller, body: Annotated[Json, Body()]) -> Response:
    """A page of the items that the body asks for; with the cursor of its next link, the body asks for that page."""
    asked, terms = search_by_body(body)
    page = backend_of(request).hub.seen_by(user).of_stac().find(asked.search)
    links = Links(request)
    next_ = links.root(f"{STAC}/search", cursor=page.next) if page.next is not None else None
    return CosmosResponse(page_of(request, told_to(request, user, terms), page, next_, fields=asked.fields))


# ------------------------------------------------------------------------------- answers
def of(body: Json, collection: str) -> Json:
    """An item of this collection, which it may leave out and may not contradict."""
    if (named := body.get("collection") or collection) != collection:
        raise refused("collection", f"{named!r} is not that of the address")
    return {**body, "collection": collection}


def told(request: Request, user: User, outcome: Outcome) -> Response:
    """The item as it was written."""
    doc = item_of(request, backend_of(request).cosmos.sight(user), Hit(outcome.doc, "", outcome.tag))
    return CosmosResponse(doc, 201 if outcome.event == "created" else 200)


def told_collection(request: Request, user: User, id_: str, status: int = 200) -> Response:
    """The collection as it is."""
    return CosmosResponse(
        collection_of(request, backend_of(request).hub.seen_by(user).of_stac().collection(id_)), status
    )


def collection_of(request: Request, doc: Json) -> Json:
    """A collection with links within this part of the server."""
    links = Links(request)
    here = links.root(f"{STAC}/collections/{quote(doc['id'], safe='')}")
    whole = placed(request, doc)
    kept = [link for link in whole["links"] if link["rel"] not in OWN_RELS]
    own = [
        links.link("self", here),
        links.link("parent", links.root(f"{STAC}/")),
        links.link("root", links.root(f"{STAC}/")),
        links.link("items", f"{here}/items", type_=GEOJSON),
    ]
    return {**whole, "links": [*own, *kept]}
