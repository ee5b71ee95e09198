"""Items as DataCosmos' clients see them: with addresses in the storage, what the reader may do, and prices."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fastapi import Request
from starlette.responses import JSONResponse

from api.links import Links
from api.stac.asked import Fields
from api.stac.collections import GEOJSON, OWN_RELS, is_address
from api.stac.selection import chosen
from api.stac.shown import NEEDED, USUAL
from engine import Hit, Page, Sight, public_assets

Json = dict[str, Any]
STAC = "/api/data/v0/stac"
PRIVATE = {"Cache-Control": "no-store"}
"""What depends on the reader is kept by nobody."""


class CosmosResponse(JSONResponse):
    """An answer that differs from reader to reader."""

    def __init__(self, content: Any, status_code: int = 200, headers: dict[str, str] | None = None) -> None:
        super().__init__(content, status_code, {**PRIVATE, **(headers or {})})


def bases_of(request: Request) -> tuple[str, ...]:
    """The addresses that the server is reached by: the public one, and the one of this request."""
    return tuple(dict.fromkeys((Links(request).root(""), str(request.base_url).rstrip("/"))))


def item_of(request: Request, sight: Sight, hit: Hit, home: str = "", fields: Fields = Fields()) -> Json:
    """An item with its links; `home` is the address of its collection, where that is none of the catalogue's."""
    links = Links(request)
    doc = public_assets(sight.told(hit), links.root(""))
    place = home or links.root(f"{STAC}/collections/{quote(str(doc['collection']), safe='')}")
    own = [
        links.link("self", f"{place}/items/{quote(doc['id'], safe='')}", type_=GEOJSON),
        links.link("parent", place),
        links.link("collection", place),
        links.link("root", links.root(f"{STAC}/")),
    ]
    kept = [k for k in doc.get("links", []) if k.get("rel") not in OWN_RELS and is_address(k.get("href"))]
    assets = {k: a for k, a in doc.get("assets", {}).items() if is_address(a.get("href"))}
    return chosen({**doc, "links": [*own, *kept], "assets": assets}, fields, NEEDED, USUAL)


def page_of(
    request: Request, sight: Sight, page: Page, next_: str | None, home: str = "", fields: Fields = Fields()
) -> Json:
    """A page of items with the address of the next one, whose last parameter is the cursor."""
    links = Links(request)
    told = [links.link("self", links.here(), type_=GEOJSON)]
    if next_ is not None:
        told.append(links.link("next", next_, type_=GEOJSON))
    return {
        "type": "FeatureCollection",
        "features": [item_of(request, sight, hit, home, fields) for hit in page.hits],
        "links": told,
        "numberMatched": page.matched,
        "numberReturned": len(page.hits),
    }
