"""Collections and items of owners as clients see them: called as their owners call them, with links from here."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fastapi import Request

from api.auth.login import backend_of
from api.links import Links
from api.stac.asked import Fields
from api.stac.collections import GEOJSON, OWN_RELS, is_address, placed
from api.stac.selection import chosen
from api.stac.shown import NEEDED
from engine import Home, download_path

Json = dict[str, Any]
START = "/catalog"
QUERYABLES = "http://www.opengis.net/def/rel/ogc/1.0/queryables"


def place_of(home: Home) -> str:
    """The path of a collection, as its links have it."""
    return f"{START}/{home.owner}/collections/{quote(home.name, safe='')}"


def collection_of(request: Request, home: Home, document: Json) -> Json:
    """A collection with its owner and its links."""
    links = Links(request)
    here, root = links.root(place_of(home)), links.root(f"{START}/{home.owner}")
    told = placed(request, document)
    kept = [link for link in document.get("links", []) if link.get("rel") not in OWN_RELS]
    own = [
        links.link("items", f"{here}/items", type_=GEOJSON),
        links.link("parent", root),
        links.link("root", root),
        links.link("self", here),
        links.link(QUERYABLES, asking(request, home, "queryables"), type_="application/schema+json"),
    ]
    title = document.get("title") or home.name
    named = {"id": home.name, "owner": home.owner, "title": title}
    return {**told, **named, "links": [*own, *(link for link in kept if is_address(link.get("href")))]}


def asking(request: Request, home: Home, what: str) -> str:
    """The address of what is asked of a collection."""
    return Links(request).root(f"{START}/collections/{quote(home.id, safe=':')}/{what}")


def item_of(request: Request, home: Home, doc: Json, fields: Fields = Fields()) -> Json:
    """An item with its links, and with files that are fetched from here."""
    links = Links(request)
    parent = links.root(place_of(home))
    own = [
        links.link("collection", parent),
        links.link("parent", parent),
        links.link("root", links.root(f"{START}/{home.owner}")),
        links.link("self", f"{parent}/items/{quote(doc['id'], safe='')}", type_=GEOJSON),
    ]
    assets = {key: asset_of(request, home, doc["id"], key, asset) for key, asset in doc["assets"].items()}
    assets = {key: asset for key, asset in assets.items() if is_address(asset["href"])}
    told = {**doc, "collection": home.name, "links": own, "assets": assets}
    return chosen(told, fields, NEEDED)


def asset_of(request: Request, home: Home, item: str, key: str, asset: Json) -> Json:
    """An asset; a file that the catalogue keeps is fetched from here, and its own address stands beside."""
    if not backend_of(request).owners.keeps(home, item, asset["href"]):
        return asset
    address = Links(request).root(quote(download_path(home, item, key), safe="/:@~"))
    others = asset.get("alternate")
    others = others if isinstance(others, dict) else {}
    return {**asset, "href": address, "alternate": {**others, "s3": {"href": asset["href"]}}}
