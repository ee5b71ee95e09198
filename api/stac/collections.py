"""The collections, as STAC with the dimensions of their cubes."""

from __future__ import annotations

import re
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse

from api.auth.login import backend_of, viewer
from api.coverage_forms import FORMS
from api.declared import asks, shows
from api.html.choice import ASKED, asked, either, page_link
from api.links import Link, Links
from api.pages import Limit, Page, paged
from api.stac.choice import WORDS, choice_of, wanted
from api.stac.queryables import declared_by, queryables_of
from api.stac.references import picture_of, reference_systems
from api.stac.selection import chosen
from api.stac.view import catalog_of, stac_of
from engine import has_features

router = APIRouter(tags=["Collections"])
everywhere = APIRouter(tags=["Collections"])
"""What stands where items are searched."""
Json = dict[str, Any]
OWN_RELS = frozenset({"self", "root", "parent", "items", "item", "collection", "child"})
"""Links that say where a document is: those of the source are replaced by ours."""
NOT_SPDX = frozenset({"other", "various", "proprietary"})
GEOJSON = "application/geo+json"
LICENSE = "license"
OGC_REL = "http://www.opengis.net/def/rel/ogc/1.0/"
MADE_OF = "gdc:made_of"
"""The collection that a stored process is over, in documents on their way."""
NEEDED = ("type", "stac_version", "id", "description", "license", "extent", "links")
"""Members that collections have whatever fields are wanted."""


class SchemaResponse(JSONResponse):
    """A JSON schema."""

    media_type = "application/schema+json"


ADDRESS = re.compile(r"(?!file:)[a-z][a-z0-9+.-]*://", re.ASCII | re.IGNORECASE)


@router.get(
    "/collections",
    summary="List the collections, or search them",
    responses=shows("Collections"),
    openapi_extra=asks(**WORDS, **ASKED),
)
def collections(request: Request, limit: Limit = None, page: Page = 1) -> Response:
    """All collections of the catalogue that may be read, or those that the parameters ask for."""
    choice = choice_of(asked(request))
    every = catalog_of(request).collections(choice.search.filters)
    if request.state.facet.coverages and not choice.search.filters:
        every = [*every, *backend_of(request).coverages.offered(viewer(request))]
    matching = wanted(every, choice)
    found, links = paged(request, matching, limit, page)
    shown = [chosen(placed(request, c), choice.fields, NEEDED) for c in found]
    links += [page_link(Links(request).here()), Links(request).link("root", Links(request).to("/"))]
    numbers = {"numberMatched": len(matching), "numberReturned": len(shown)}
    return either(request, {"collections": shown, "links": links, **numbers}, "collections.html")


@router.get(
    "/collections/{collection_id}",
    summary="One collection",
    responses=shows("Collection", headers=("ETag",)),
    openapi_extra=asks(**ASKED),
)
def collection(request: Request, collection_id: str) -> Response:
    """A collection with the dimensions of its cube, and its state as `ETag`."""
    if request.state.facet.coverages:
        made = backend_of(request).coverages.described(viewer(request), collection_id)
        if made is not None:
            doc = placed(request, made)
            return either(request, doc, "collection.html", picture=picture_of(doc))
    catalog = catalog_of(request)
    state = {"ETag": f'"{catalog.tag(collection_id)}"'}
    doc = placed(request, catalog.collection(collection_id))
    return either(request, doc, "collection.html", headers=state, picture=picture_of(doc))


@router.get(
    "/collections/{collection_id}/queryables",
    summary="Properties to filter items by",
    response_class=SchemaResponse,
    responses=shows("Queryables", media_type=SchemaResponse.media_type),
    openapi_extra=asks(**ASKED),
)
def queryables(request: Request, collection_id: str) -> Response:
    """A JSON schema of the properties that items of the collection can be chosen by."""
    found = catalog_of(request).collection(collection_id)
    title = f"Queryables of {found.get('title') or collection_id}"
    place = Links(request).to(f"/collections/{collection_id}/queryables")
    told = queryables_of([found], declared_by(request), place, title)
    return either(request, told, "queryables.html", SchemaResponse.media_type)


@everywhere.get(
    "/queryables",
    summary="Properties to filter items of all collections by",
    response_class=SchemaResponse,
    responses=shows("Queryables", media_type=SchemaResponse.media_type),
    openapi_extra=asks(**ASKED),
)
def queryables_of_all(request: Request) -> Response:
    """A JSON schema of the properties that items of any collection can be chosen by."""
    every = stac_of(request).collections()
    place = Links(request).to("/queryables")
    told = queryables_of(every, declared_by(request), place, "Queryables")
    return either(request, told, "queryables.html", SchemaResponse.media_type)


def placed(request: Request, document: Json) -> Json:
    """A collection with links as they are from here, and all members that clients want."""
    links, id_, facet = Links(request), document["id"], request.state.facet
    here = links.to(f"/collections/{id_}")
    kept = [
        k for k in document.get("links", []) if k.get("rel") not in OWN_RELS and is_address(k.get("href"))
    ]
    own = [
        links.link("self", here),
        page_link(here),
        links.link("root", links.to("/")),
        links.link("parent", links.to("/")),
        *(item_links(request, here) if MADE_OF not in document else made_links(links, document)),
        *(coverage_links(links, here) if facet.coverages and not has_features(document) else ()),
        *([schema_link(links, here)] if facet.coverages else ()),
    ]
    if document.get("license") in NOT_SPDX and not any(link.get("rel") == LICENSE for link in kept):
        own.append(links.link(LICENSE, here, "Its terms are those of the source."))
    title = document.get("title") or id_
    filled = {"title": title, "keywords": [], "summaries": {}, "cube:dimensions": {}}
    told = {**filled, **document, "type": "Collection", "links": [*own, *kept]}
    if facet.coverages or facet.features:
        told |= reference_systems(document)
    if facet.features:
        told["itemType"] = "feature"
    if "assets" in document:
        told["assets"] = {k: a for k, a in document["assets"].items() if is_address(a.get("href"))}
    return told


def item_links(request: Request, here: str) -> list[Link]:
    """Where the items of a collection are, and what they can be chosen by."""
    links = Links(request)
    place = f"{here}/items"
    items = [links.link("items", place, "Items", GEOJSON), page_link(place, "items")]
    return [
        *(items if request.state.facet.features else ()),
        links.link(f"{OGC_REL}queryables", f"{here}/queryables", "Queryables", SchemaResponse.media_type),
    ]


def made_links(links: Links, document: Json) -> list[Link]:
    """What a collection is made of that is a stored process over another one."""
    collection = document.pop(MADE_OF)
    return [links.link("derived_from", links.to(f"/collections/{collection}"), "What it is made of")]


def coverage_links(links: Links, here: str) -> list[Link]:
    """A collection as a coverage: in each form, and what it is made of."""
    found = [
        links.link(f"{OGC_REL}coverage", f"{here}/coverage?f={name}", f"As {form.title}", form.media_type)
        for name, form in FORMS.items()
    ]
    found += [
        links.link(f"{OGC_REL}coverage-domainset", f"{here}/coverage/domainset", "Where there are values"),
        links.link(f"{OGC_REL}coverage-rangetype", f"{here}/coverage/rangetype", "Which values there are"),
    ]
    return found


def schema_link(links: Links, here: str) -> Link:
    """Where the schema is of what a collection holds."""
    return links.link(f"{OGC_REL}schema", f"{here}/schema", "Its fields", SchemaResponse.media_type)


def is_address(href: Any) -> bool:
    """Does it lead somewhere for others, too? Paths of this machine are of no use to them, and not their business."""
    return isinstance(href, str) and ADDRESS.match(href) is not None
