"""Changes of the catalogue: items and collections made, replaced, changed in part, and removed."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote
from uuid import uuid4

from fastapi import APIRouter, Body, Depends, Request
from starlette.responses import JSONResponse, Response

from api.auth.login import backend_of, current_user
from api.bodies import StrictRoute
from api.declared import does, gives, reply, takes
from api.facets import STAC
from api.links import Links
from api.schemas import ref
from api.stac.answers import GeoJSONResponse, tag_of, written
from api.stac.collections import GEOJSON, placed
from api.stac.shown import item_of
from api.stac.view import demand_seen
from engine import (
    FEATURES,
    Hit,
    Mode,
    Outcome,
    PatchCollection,
    PatchItem,
    Problem,
    PutCollection,
    PutItem,
    RemoveCollection,
    RemoveItem,
    User,
)

router = APIRouter(tags=["Changes of the catalogue"], route_class=StrictRoute)
Json = dict[str, Any]
Caller = Annotated[User, Depends(current_user)]
SOURCE = "transaction"
MADE = ("Location", "ETag")


@router.post(
    "/collections/{collection_id}/items",
    status_code=201,
    summary="Make an item, or all items of a feature collection",
    responses={201: reply("It is made.", ref("ItemOrItems"), GEOJSON, headers=("Location",))},
    openapi_extra=takes("ItemOrItems"),
)
def create(request: Request, collection_id: str, user: Caller, body: Annotated[Json, Body()]) -> Response:
    """Make it; of several, all or none. What has no id gets one, which `Location` tells."""
    demand_seen(request, collection_id)
    many = body.get("type") == "FeatureCollection"
    docs = body.get("features") if many else [body]
    if not isinstance(docs, list) or not all(isinstance(doc, dict) for doc in docs):
        raise Problem("FileContentInvalid", "features has to be a list of items")
    named = [doc if doc.get("id") is not None else {**doc, "id": uuid4().hex} for doc in docs]
    changes = [PutItem(collection_id, of(doc, collection_id), Mode.CREATE) for doc in named]
    outcomes = backend_of(request).hub.apply(user, changes, SOURCE)
    if not many:
        return answer(request, outcomes[0], 201)
    place = Links(request).to(f"/collections/{quote(collection_id, safe='')}/items")
    features = [item_of(request, hit_of(o)) for o in outcomes]
    told = {"type": "FeatureCollection", "features": features, "links": []}
    return GeoJSONResponse(told, 201, {"Location": place})


@router.put(
    "/collections/{collection_id}/items/{item_id}",
    summary="Replace an item",
    response_class=GeoJSONResponse,
    responses=gives("ItemOrFeature", media_type=GEOJSON, headers=("ETag",)),
    openapi_extra=takes("ItemOrFeature"),
)
def replace(
    request: Request, collection_id: str, item_id: str, user: Caller, body: Annotated[Json, Body()]
) -> Response:
    """Replace it; with `If-Match`, only as long as it is in that state."""
    demand_seen(request, collection_id)
    doc = of(body, collection_id)
    if doc.setdefault("id", item_id) != item_id:
        raise Problem("ParameterInvalid", f"the item's id {doc['id']!r} is not that of the address")
    change = PutItem(collection_id, doc, Mode.REPLACE, tag_of(request))
    hub = backend_of(request).hub
    try:
        return answer(request, hub.apply(user, [change], SOURCE)[0])
    except Problem as problem:
        if problem.code == "PreconditionFailed":
            hub.seen_by(user).item(
                collection_id, item_id
            )  # what is not there is not found, whatever its state
        raise


@router.patch(
    "/collections/{collection_id}/items/{item_id}",
    summary="Change members of an item",
    response_class=GeoJSONResponse,
    responses=gives("ItemOrFeature", media_type=GEOJSON, headers=("ETag",)),
    openapi_extra=takes("Patch"),
)
def change(
    request: Request, collection_id: str, item_id: str, user: Caller, body: Annotated[Json, Body()]
) -> Response:
    """Change it by a JSON merge patch: null takes a member away."""
    demand_seen(request, collection_id)
    patch = PatchItem(collection_id, item_id, body, tag_of(request))
    return answer(request, backend_of(request).hub.apply(user, [patch], SOURCE)[0])


@router.delete(
    "/collections/{collection_id}/items/{item_id}",
    status_code=204,
    summary="Remove an item",
    responses=does("It is removed.", 204),
)
def remove(request: Request, collection_id: str, item_id: str, user: Caller) -> Response:
    """Remove it from the catalogue; files that its assets lead to stay."""
    demand_seen(request, collection_id)
    backend_of(request).hub.apply(user, [RemoveItem(collection_id, item_id, tag_of(request))], SOURCE)
    return Response(status_code=204)


@router.post(
    "/collections",
    status_code=201,
    summary="Make a collection",
    responses={201: reply("It is made.", ref("Collection"), "application/json", headers=MADE)},
    openapi_extra=takes("NewCollection"),
)
def create_collection(request: Request, user: Caller, body: Annotated[Json, Body()]) -> Response:
    """Make it, without items. With `itemType` `feature` and no `stac_version`, it holds features of any kind (not at `/stac`)."""
    is_feature = body.get("itemType") == "feature" and "stac_version" not in body
    plain = is_feature and request.state.facet is not STAC
    new = PutCollection({**body, "type": FEATURES} if plain else body, Mode.CREATE)
    outcomes = backend_of(request).hub.apply(user, [new], SOURCE)
    return collection_answer(request, user, outcomes[0], 201)


@router.put(
    "/collections/{collection_id}",
    summary="Replace a collection",
    responses=gives("Collection", headers=("ETag",)),
    openapi_extra=takes("NewCollection"),
)
def replace_collection(
    request: Request, collection_id: str, user: Caller, body: Annotated[Json, Body()]
) -> Response:
    """Replace it; its items stay."""
    owner, name = backend_of(request).hub.seen_by(user).owner_of(collection_id)
    if body.get("id", collection_id) not in (collection_id, name):
        raise Problem("ParameterInvalid", f"the collection's id {body['id']!r} is not that of the address")
    whole = PutCollection({**body, "id": name}, Mode.REPLACE, owner, tag=tag_of(request))
    return collection_answer(request, user, backend_of(request).hub.apply(user, [whole], SOURCE)[0])


@router.patch(
    "/collections/{collection_id}",
    summary="Change members of a collection",
    responses=gives("Collection", headers=("ETag",)),
    openapi_extra=takes("Patch"),
)
def change_collection(
    request: Request, collection_id: str, user: Caller, body: Annotated[Json, Body()]
) -> Response:
    """Change it by a JSON merge patch: null takes a member away."""
    patch = PatchCollection(collection_id, body, tag_of(request))
    return collection_answer(request, user, backend_of(request).hub.apply(user, [patch], SOURCE)[0])


@router.delete(
    "/collections/{collection_id}",
    status_code=204,
    summary="Remove a collection with its items",
    responses=does("It is removed.", 204),
)
def remove_collection(request: Request, collection_id: str, user: Caller) -> Response:
    """Remove it with all its items; files that their assets lead to stay."""
    backend_of(request).hub.apply(user, [RemoveCollection(collection_id, tag_of(request))], SOURCE)
    return Response(status_code=204)


def of(body: Json, collection: str) -> Json:
    """An item of this collection, which it may leave out and may not contradict."""
    if (named := body.get("collection") or collection) != collection:
        raise Problem("ParameterInvalid", f"the item's collection {named!r} is not that of the address")
    return {**body, "collection": collection}


def hit_of(outcome: Outcome) -> Hit:
    """What was written, as a search finds it."""
    return Hit(outcome.doc, "", outcome.tag)


def answer(request: Request, outcome: Outcome, status: int = 200) -> Response:
    """The item as it is now."""
    return written(item_of(request, hit_of(outcome)), outcome.tag, status)


def collection_answer(request: Request, user: User, outcome: Outcome, status: int = 200) -> Response:
    """The collection as it is now."""
    found = backend_of(request).hub.seen_by(user).collection(outcome.collection)
    headers = {"ETag": f'"{outcome.tag}"'}
    if status == 201:
        headers["Location"] = Links(request).to(f"/collections/{quote(outcome.collection, safe='')}")
    return JSONResponse(placed(request, found), status, headers)
