"""Items of owners: listed, made, read, replaced, changed in part, removed, and written many at a time."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request, Response

from api.auth.login import backend_of, by_key
from api.bodies import StrictRoute
from api.declared import asks, gives, reply, takes
from api.links import Link, Links
from api.owners.owned_collections import WRITE
from api.owners.shown import START, item_of, place_of
from api.schemas import ref
from api.stac.answers import GeoJSONResponse, one, onward, tag_of, written
from api.stac.asked import NAMES, by_address
from api.stac.collections import GEOJSON
from api.stac.items import WORDS
from api.stac.shown import wrapped
from engine import Home, Mode, Outcome, Problem, User

router = APIRouter(prefix=START, tags=["Catalogue of owners"], route_class=StrictRoute)
by_owner = APIRouter(prefix=START, tags=["Catalogue of owners"])
"""What links lead to: the owner stands in the path."""
Json = dict[str, Any]
Caller = Annotated[User, Depends(by_key)]
METHODS = {"insert": Mode.CREATE, "upsert": Mode.UPSERT}
ASKED = asks(**WORDS)


@router.get(
    "/collections/{collection_id}/items",
    summary="Items of a collection of an owner",
    response_class=GeoJSONResponse,
    responses=gives("Items", media_type=GEOJSON),
    openapi_extra=ASKED,
)
def items(request: Request, collection_id: str, user: Caller) -> Response:
    """A page of the collection's items, the latest first."""
    return listed(request, user, backend_of(request).owners.home(user, collection_id))


@by_owner.get(
    "/{owner}/collections/{collection_id}/items",
    summary="Items of a collection, by its owner and id",
    response_class=GeoJSONResponse,
    responses=gives("Items", media_type=GEOJSON),
    openapi_extra=ASKED,
)
def items_of_owner(request: Request, owner: str, collection_id: str, user: Caller) -> Response:
    """A page of the collection's items, the latest first."""
    return listed(request, user, backend_of(request).owners.home(user, collection_id, owner=owner))


@router.get(
    "/collections/{collection_id}/items/{item_id}",
    summary="One item of an owner",
    response_class=GeoJSONResponse,
    responses={**gives("Item", media_type=GEOJSON, headers=("ETag",)), 304: reply("The client has it.")},
)
def item(request: Request, collection_id: str, item_id: str, user: Caller) -> Response:
    """The item, with its state as `ETag`."""
    return read(request, user, backend_of(request).owners.home(user, collection_id), item_id)


@by_owner.get(
    "/{owner}/collections/{collection_id}/items/{item_id}",
    summary="One item, by its owner, collection and id",
    response_class=GeoJSONResponse,
    responses={**gives("Item", media_type=GEOJSON, headers=("ETag",)), 304: reply("The client has it.")},
)
def item_of_owner(request: Request, owner: str, collection_id: str, item_id: str, user: Caller) -> Response:
    """The item, with its state as `ETag`."""
    return read(request, user, backend_of(request).owners.home(user, collection_id, owner=owner), item_id)


@router.post(
    "/collections/{collection_id}/items",
    status_code=201,
    summary="Make an item of an owner, or all items of a feature collection",
    responses={201: reply("It is made.", ref("ItemOrItems"), GEOJSON, headers=("Location",))},
    openapi_extra=takes("ItemOrItems"),
)
def create(request: Request, collection_id: str, user: Caller, body: Annotated[Json, Body()]) -> Response:
    """Make it, and take its files in; of several, all or none."""
    owners = backend_of(request).owners
    home = owners.home(user, collection_id, *WRITE)
    if body.get("type") != "FeatureCollection":
        return answer(request, home, owners.put_items(user, home, [body], Mode.CREATE)[0], 201)
    outcomes = owners.put_items(user, home, listed_in(body, "features", list), Mode.CREATE)
    features = [item_of(request, home, outcome.doc) for outcome in outcomes]
    place = {"Location": f"{Links(request).root(place_of(home))}/items"}
    return GeoJSONResponse({"type": "FeatureCollection", "features": features, "links": []}, 201, place)


@router.post(
    "/collections/{collection_id}/bulk_items",
    summary="Write many items of an owner",
    responses=gives("Written"),
    openapi_extra=takes("BulkItems"),
)
def bulk(request: Request, collection_id: str, user: Caller, body: Annotated[Json, Body()]) -> Json:
    """Write all of them or none; `insert` wants them to be new, `upsert` replaces those that are there."""
    owners = backend_of(request).owners
    home = owners.home(user, collection_id, *WRITE)
    method = body.get("method", "insert")
    if method not in METHODS:
        raise Problem("ParameterInvalid", f"method is {' or '.join(METHODS)}, not {str(method)[:40]!r}")
    docs = listed_in(body, "items", dict)
    for id_, doc in docs.items():
        if not isinstance(doc, dict) or doc.setdefault("id", id_) != id_:
            raise Problem("ParameterInvalid", f"items: what is called {id_[:80]!r} is no item of that id")
    outcomes = owners.put_items(user, home, list(docs.values()), METHODS[method])
    made = sum(outcome.event == "created" for outcome in outcomes)
    return {"created": made, "updated": len(outcomes) - made, "ids": list(docs)}


@router.put(
    "/collections/{collection_id}/items/{item_id}",
    summary="Replace an item of an owner",
    response_class=GeoJSONResponse,
    responses=gives("Item", media_type=GEOJSON, headers=("ETag",)),
    openapi_extra=takes("Item"),
)
def replace(
    request: Request, collection_id: str, item_id: str, user: Caller, body: Annotated[Json, Body()]
) -> Response:
    """Replace it, and take new files in; files that it names no more are removed."""
    owners = backend_of(request).owners
    home = owners.home(user, collection_id, *WRITE)
    if body.setdefault("id", item_id) != item_id:
        raise Problem(
            "ParameterInvalid", f"the item's id {str(body['id'])[:80]!r} is not that of the address"
        )
    return answer(request, home, owners.put_items(user, home, [body], Mode.REPLACE, tag_of(request))[0])


@router.patch(
    "/collections/{collection_id}/items/{item_id}",
    summary="Change members of an item of an owner",
    response_class=GeoJSONResponse,
    responses=gives("Item", media_type=GEOJSON, headers=("ETag",)),
    openapi_extra=takes("Patch"),
)
def change(
    request: Request, collection_id: str, item_id: str, user: Caller, body: Annotated[Json, Body()]
) -> Response:
    """Change it by a JSON merge patch: null takes a member away."""
    owners = backend_of(request).owners
    home = owners.home(user, collection_id, *WRITE)
    return answer(request, home, owners.patch_item(user, home, item_id, body, tag_of(request))[0])


@router.delete(
    "/collections/{collection_id}/items/{item_id}",
    summary="Remove an item of an owner, with its files",
    responses=gives("DeletedItem"),
)
def remove(request: Request, collection_id: str, item_id: str, user: Caller) -> Json:
    """Remove it."""
    owners = backend_of(request).owners
    home = owners.home(user, collection_id, *WRITE)
    owners.remove_item(user, home, item_id, tag_of(request))
    return {"deleted item": item_id}


def listed(request: Request, user: User, home: Home) -> Response:
    """A page of items of a collection."""
    asked = by_address(request.query_params.multi_items(), NAMES)
    owners = backend_of(request).owners
    page = owners.catalog(user).find(owners.within(user, home, asked.search))
    links = Links(request)
    place = links.root(place_of(home))
    told: list[Link | Json] = [
        links.link("self", links.here(), type_=GEOJSON),
        links.link("root", links.root(f"{START}/{home.owner}")),
        links.link("parent", place),
        links.link("collection", place),
        *onward(request, page),
    ]
    features = [item_of(request, home, hit.doc, asked.fields) for hit in page.hits]
    return GeoJSONResponse(wrapped(features, page, told))


def read(request: Request, user: User, home: Home, id_: str) -> Response:
    """An item, unless the client has it in this state."""
    hit = backend_of(request).owners.catalog(user).item(home.id, id_)
    return one(request, hit.tag, partial(item_of, request, home, hit.doc))


def answer(request: Request, home: Home, outcome: Outcome, status: int = 200) -> Response:
    """The item as it is now."""
    return written(item_of(request, home, outcome.doc), outcome.tag, status)


def listed_in(body: Json, name: str, kind: type) -> Any:
    """The items of a body.

    Raises:
        Problem: There are none.
    """
    found = body.get(name)
    if not isinstance(found, kind):
        raise Problem("ParameterInvalid", f"{name} have to be {'a list' if kind is list else 'an object'}")
    return found
