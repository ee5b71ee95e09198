"""Items and features of collections: listed, read; and items searched over all collections."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Body, Request
from starlette.responses import JSONResponse, Response

from api.bodies import StrictRoute
from api.declared import asks, gives, reply, shows, takes
from api.html.choice import ASKED as FORM
from api.html.choice import either, is_page, ways
from api.links import Link, Links
from api.stac.answers import GeoJSONResponse, one, onward
from api.stac.asked import NAMES, Asked, Fields, by_address, by_body
from api.stac.collections import GEOJSON, placed
from api.stac.features import crs_of, headers_of, shown_in, wish_of
from api.stac.references import references_of
from api.stac.shown import item_of, page_of
from api.stac.view import catalog_of, stac_of
from engine import WGS84, Problem

router = APIRouter(tags=["Items"], route_class=StrictRoute)
"""Collections as features."""
searches = APIRouter(tags=["Items"], route_class=StrictRoute)
"""Searches over all collections."""
Json = dict[str, Any]
WORDS = {
    "bbox": "A box that items touch: west, south, east, north in WGS84 degrees (4 or 6 numbers).",
    "datetime": "An instant, or an interval with `/` between its ends; `..` is an open end.",
    "limit": "Items of a page: 10 unless told otherwise, 10,000 at most.",
    "token": "Where the page begins; links of the page before have it.",
    "ids": "Ids of items, with commas between.",
    "collections": "Ids of collections, with commas between.",
    "intersects": "A GeoJSON geometry that items touch.",
    "query": "Conditions on properties, as the Query extension has them.",
    "sortby": "Properties to sort by, with commas between; `-` before a name sorts downwards.",
    "fields": "Members that are wanted, with commas between; `-` before a name leaves it out.",
    "filter": "A condition in CQL2.",
    "filter-lang": "`cql2-text` or `cql2-json`.",
    "filter-crs": "Reference system of the condition's geometries; CRS84 by default.",
}
CRS = {"crs": "The reference system of the answer, one of those of the collection; CRS84 by default."}
OF_FEATURES = {
    **CRS,
    "bbox-crs": "That of `bbox`, one of those of the collection; CRS84 by default.",
    **FORM,
    "PROPERTY": "Any queryable of the collection by its name, with the value that it has to have.",
}
"""What features of one collection are asked by, besides."""


@router.get(
    "/collections/{collection_id}/items",
    summary="Items of a collection",
    response_class=GeoJSONResponse,
    responses=shows("Features", media_type=GEOJSON, headers=("Content-Crs",)),
    openapi_extra=asks(**WORDS, **OF_FEATURES),
)
def items(request: Request, collection_id: str) -> Response:
    """A page of the collection's items, the latest first; features of other kinds come by their ids."""
    catalog = catalog_of(request)
    wish = wish_of(request, partial(catalog.collection, collection_id))
    page = catalog.find_in(collection_id, wish.asked.search)
    links = Links(request)
    place = links.to(f"/collections/{quote(collection_id, safe='')}")
    told: list[Link | Json] = [
        *ways(request, GEOJSON),
        links.link("root", links.to("/")),
        links.link("parent", place),
        links.link("collection", place),
        *onward(request, page),
    ]
    if is_page(request):  # maps are drawn in CRS84, whole
        doc = page_of(request, page, told, Fields())
        collection = placed(request, catalog.collection(collection_id))
        return either(request, doc, "items.html", collection=collection)
    doc = page_of(request, page, told, wish.asked.fields)
    doc["features"] = [shown_in(feature, wish.reference) for feature in doc["features"]]
    return GeoJSONResponse(doc, headers=headers_of(links, collection_id, wish.reference))


@router.get(
    "/collections/{collection_id}/items/{item_id}",
    summary="One item",
    response_class=GeoJSONResponse,
    responses={
        **shows("ItemOrFeature", media_type=GEOJSON, headers=("ETag", "Content-Crs")),
        304: reply("The client has it."),
    },
    openapi_extra=asks(**CRS, **FORM),
)
def item(request: Request, collection_id: str, item_id: str) -> Response:
    """The item, with its state as `ETag`."""
    catalog = catalog_of(request)
    asked = request.query_params.multi_items()
    known = (
        [WGS84] if "crs" not in request.query_params else references_of(catalog.collection(collection_id))[1]
    )
    reference = crs_of(asked, known)
    hit = catalog.item(collection_id, item_id)
    if is_page(request):
        return either(request, item_of(request, hit), "item.html")
    answer = one(request, hit.tag, lambda: shown_in(item_of(request, hit), reference))
    answer.headers.update(headers_of(Links(request), collection_id, reference))
    return answer


@searches.get(
    "/search",
    summary="Search items",
    response_class=GeoJSONResponse,
    responses=gives("Items", media_type=GEOJSON),
    openapi_extra=asks(**WORDS),
)
def search(request: Request) -> JSONResponse:
    """A page of the items that the parameters ask for."""
    asked = by_address(request.query_params.multi_items())
    return found(request, asked, None)


@searches.post(
    "/search",
    summary="Search items by a JSON object",
    response_class=GeoJSONResponse,
    responses=gives("Items", media_type=GEOJSON),
    openapi_extra=takes("Search"),
)
def search_by_body(request: Request, body: Annotated[Json, Body()]) -> JSONResponse:
    """A page of the items that the body asks for."""
    demand_known(body)
    return found(request, by_body(body), body)


def demand_known(body: Json) -> None:
    """Refuse a search that has a member which is none of a search."""
    unknown = sorted(set(body) - NAMES)
    if unknown:
        raise Problem(
            "ParameterInvalid",
            f"{unknown[0][:40]}: there is no such member here",
            hint=f"There are {', '.join(sorted(NAMES))}.",
            facts={"parameter": unknown[0][:40]},
        )


def found(request: Request, asked: Asked, body: Json | None) -> JSONResponse:
    """The answer to a search, with the link to its next page."""
    page = stac_of(request).find(asked.search)
    links = Links(request)
    told: list[Link | Json] = [
        links.link("self", links.here(), type_=GEOJSON),
        links.link("root", links.to("/")),
        *onward(request, page, body),
    ]
    return GeoJSONResponse(page_of(request, page, told, asked.fields))
