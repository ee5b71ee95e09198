"""Where the catalogue of owners begins: its landing page, conformance, and a catalogue for each owner."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from api.auth.login import backend_of, by_key
from api.declared import gives
from api.facets import OF_OPENEO
from api.links import Links
from api.openapi import MEDIA_TYPE as OPENAPI
from api.openeo.capabilities import CLASSES, CONFORMANCE_REL, QUERYABLES_REL
from api.owners.shown import START, collection_of, place_of
from api.stac.collections import GEOJSON
from engine import Home, Problem, User

outside = APIRouter(prefix=START, tags=["Capabilities"])
"""What needs no login."""
by_owner = APIRouter(prefix=START, tags=["Catalogue of owners"])
Json = dict[str, Any]
Caller = Annotated[User, Depends(by_key)]
FOLLOWED = ("/", "/collections/{collection_id}", "/collections/{collection_id}/items", "/search")
"""Paths whose conformance classes hold here, too."""
NOT_HERE = (OF_OPENEO, "https://api.stacspec.org/v1.0.0-rc.1/collection-search")
"""What those classes begin with that do not."""


def classes() -> list[str]:
    """The conformance classes of the catalogue of owners."""
    return [uri for path in FOLLOWED for uri in CLASSES[path] if not uri.startswith(NOT_HERE)]


@outside.get("", include_in_schema=False)
@outside.get("/", summary="The catalogue of owners", responses=gives("Landing"))
def landing(request: Request) -> Json:
    """The landing page."""
    links = Links(request)
    here, title = links.root(f"{START}/"), f"{backend_of(request).settings.title}, catalogue of owners"
    search = links.root(f"{START}/search")
    return {
        "id": "catalog",
        "title": title,
        "description": "Collections and items by owner and id.",
        "type": "Catalog",
        "stac_version": "1.0.0",
        "conformsTo": classes(),
        "links": [
            links.link("self", here, title),
            links.link("root", here, title),
            links.link("service-desc", links.root("/openapi"), "The API as OpenAPI 3.0", OPENAPI),
            links.link("service-doc", links.root("/docs"), "The API for people", "text/html"),
            links.link("conformance", links.root(f"{START}/conformance"), "Conformance classes"),
            links.link(CONFORMANCE_REL, links.root(f"{START}/conformance"), "Conformance classes"),
            links.link("data", links.root(f"{START}/collections"), "Collections"),
            {**links.link("search", search, "Search items", GEOJSON), "method": "GET"},
            {**links.link("search", search, "Search items by a JSON object", GEOJSON), "method": "POST"},
            links.link(
                QUERYABLES_REL, links.root(f"{START}/queryables"), "Queryables", "application/schema+json"
            ),
        ],
    }


@outside.get(
    "/conformance", summary="The standards that the catalogue follows", responses=gives("Conformance")
)
def conformance() -> Json:
    """The conformance classes, as the landing page has them."""
    return {"conformsTo": classes()}


@by_owner.get("/{owner}", summary="The catalogue of one owner", responses=gives("OwnCatalog"))
def catalog(request: Request, owner: str, user: Caller) -> Json:
    """A STAC catalogue that leads to the owner's collections."""
    homes = homes_of(request, user, owner)
    links = Links(request)
    here = links.root(f"{START}/{owner}")
    return {
        "type": "Catalog",
        "id": owner,
        "title": owner,
        "description": f"Collections of {owner}.",
        "stac_version": "1.0.0",
        "links": [
            links.link("self", here),
            links.link("root", here),
            links.link("parent", links.root(f"{START}/")),
            links.link("data", f"{here}/collections"),
            *(links.link("child", links.root(place_of(home)), home.name) for home in homes),
        ],
    }


@by_owner.get("/{owner}/collections", summary="Collections of one owner", responses=gives("Collections"))
def collections(request: Request, owner: str, user: Caller) -> Json:
    """All of them that the user may read."""
    homes = homes_of(request, user, owner)
    known = backend_of(request).owners.catalog(user)
    links = Links(request)
    here = links.root(f"{START}/{owner}")
    return {
        "collections": [collection_of(request, home, known.collection(home.id)) for home in homes],
        "links": [
            links.link("root", here),
            links.link("parent", here),
            links.link("self", f"{here}/collections"),
        ],
    }


def homes_of(request: Request, user: User, owner: str) -> list[Home]:
    """The collections of an owner that a user may read.

    Raises:
        Problem: There are none, and the user is somebody else.
    """
    homes = backend_of(request).owners.catalog(user).homes(owner=owner)
    if not homes and owner != user.id:
        raise Problem("NotFound", f"there is no owner {owner[:100]!r} of collections that you may read")
    return homes
