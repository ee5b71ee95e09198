"""Items and features as clients see them: with links from here, and with no way to files of this machine."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from fastapi import Request
from starlette.requests import HTTPConnection

from api.html.choice import page_link
from api.links import Link, Links
from api.stac.asked import Fields
from api.stac.collections import GEOJSON, OWN_RELS, is_address
from api.stac.selection import chosen
from engine import STAC_VERSION, Hit, Page, public_assets

Json = dict[str, Any]
NEEDED = ("type", "stac_version", "id", "collection", "links")
"""Members that items have whatever fields are wanted: without them they are none."""
USUAL = (
    "geometry", "bbox", "properties.datetime", "properties.start_datetime", "properties.end_datetime",
)  # fmt: skip
"""Members that clients expect, too; they go only where they are not wanted by name."""


def item_of(request: HTTPConnection, hit: Hit, fields: Fields = Fields()) -> Json:
    """An item with its links, and with assets that lead somewhere; or a feature."""
    links = Links(request)
    doc = public_assets(hit.doc, links.root(""))
    home = links.to(f"/collections/{quote(doc['collection'], safe='')}")
    here = f"{home}/items/{quote(doc['id'], safe='')}"
    own = [
        links.link("self", here, type_=GEOJSON),
        page_link(here),
        links.link("root", links.to("/")),
        links.link("parent", home),
        links.link("collection", home),
    ]
    kept = [k for k in doc.get("links", []) if k.get("rel") not in OWN_RELS and is_address(k.get("href"))]
    told = {**doc, "links": [*own, *kept]}
    if "assets" in doc:
        told["assets"] = {k: a for k, a in doc["assets"].items() if is_address(a.get("href"))}
    elif not request.state.facet.plain:
        told |= {
            "stac_version": STAC_VERSION,
            "assets": {},
            "properties": {"datetime": None, **doc["properties"]},
        }
    return chosen(told, fields, NEEDED, USUAL)


def page_of(request: Request, page: Page, links: list[Link | Json], fields: Fields) -> Json:
    """A page of items."""
    return wrapped([item_of(request, hit, fields) for hit in page.hits], page, links)


def wrapped(features: list[Json], page: Page, links: list[Link | Json]) -> Json:
    """Items as clients see them, as the page that they are."""
    return {
        "type": "FeatureCollection",
        "features": features,
        "links": links,
        "numberMatched": page.matched,
        "numberReturned": len(page.hits),
        "timeStamp": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    }
