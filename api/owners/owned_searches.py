"""Searches over collections of owners, or within one of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request
from starlette.responses import JSONResponse

from api.auth.login import backend_of, by_key
from api.bodies import StrictRoute
from api.declared import asks, gives, takes
from api.links import Link, Links
from api.owners.shown import START, item_of
from api.stac.answers import GeoJSONResponse, onward
from api.stac.asked import NAMES, Asked, by_address, by_body
from api.stac.collections import GEOJSON
from api.stac.items import WORDS, demand_known
from api.stac.shown import wrapped
from engine import Home, User, home_of

router = APIRouter(prefix=START, tags=["Catalogue of owners"], route_class=StrictRoute)
Json = dict[str, Any]
Caller = Annotated[User, Depends(by_key)]
HERE = {**WORDS, "collections": "Collections, with commas between: `owner:id`, `owner_id`, or the id alone."}


@router.get(
    "/search",
    summary="Search items of owners",
    response_class=GeoJSONResponse,
    responses=gives("Items", media_type=GEOJSON),
    openapi_extra=asks(**HERE),
)
def search(request: Request, user: Caller) -> JSONResponse:
    """A page of the items that the parameters ask for, of all collections that the user may read."""
    return found(request, user, by_address(request.query_params.multi_items(), NAMES), None)


@router.post(
    "/search",
    summary="Search items of owners by a JSON object",
    response_class=GeoJSONResponse,
    responses=gives("Items", media_type=GEOJSON),
    openapi_extra=takes("Search"),
)
def search_by_body(request: Request, user: Caller, body: Annotated[Json, Body()]) -> JSONResponse:
    """A page of the items that the body asks for, of all collections that the user may read."""
    demand_known(body)
    return found(request, user, by_body(body), body)


@router.get(
    "/collections/{collection_id}/search",
    summary="Search items of a collection of an owner",
    response_class=GeoJSONResponse,
    responses=gives("Items", media_type=GEOJSON),
    openapi_extra=asks(**HERE),
)
def search_within(request: Request, collection_id: str, user: Caller) -> JSONResponse:
    """A page of the collection's items that the parameters ask for."""
    home = backend_of(request).owners.home(user, collection_id)
    return found(request, user, by_address(request.query_params.multi_items(), NAMES), None, home)


@router.post(
    "/collections/{collection_id}/search",
    summary="Search items of a collection of an owner by a JSON object",
    response_class=GeoJSONResponse,
    responses=gives("Items", media_type=GEOJSON),
    openapi_extra=takes("Search"),
)
def search_within_by_body(
    request: Request, collection_id: str, user: Caller, body: Annotated[Json, Body()]
) -> JSONResponse:
    """A page of the collection's items that the body asks for."""
    home = backend_of(request).owners.home(user, collection_id)
    demand_known(body)
    return found(request, user, by_body(body), body, home)


def found(
    request: Request, user: User, asked: Asked, body: Json | None, within: Home | None = None
) -> JSONResponse:
    """The answer to a search, with the link to its next page."""
    owners = backend_of(request).owners
    wish = asked.search
    if within is not None:
        wish = owners.within(user, within, wish)
    elif wish.collections is not None:
        wish = replace(wish, collections=owners.searched(user, wish.collections))
    page = owners.catalog(user).find(wish)
    features = [item_of(request, home_of(hit), hit.doc, asked.fields) for hit in page.hits]
    links = Links(request)
    told: list[Link | Json] = [
        links.link("self", links.here(), type_=GEOJSON),
        links.link("root", links.root(f"{START}/")),
        *onward(request, page, body),
    ]
    return GeoJSONResponse(wrapped(features, page, told))
