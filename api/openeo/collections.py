"""The collections, as STAC with the dimensions of their cubes."""

from __future__ import annotations

import re
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from api.auth.login import backend_of
from api.declared import gives
from api.links import Links
from api.pages import Limit, Page, paged

router = APIRouter(tags=["Collections"])
Json = dict[str, Any]
OWN_RELS = frozenset({"self", "root", "parent", "items", "item", "collection", "child"})
"""Links that say where a document is: those of the source are replaced by ours."""
NOT_SPDX = frozenset({"other", "various", "proprietary"})
LICENSE = "license"


class SchemaResponse(JSONResponse):
    """A JSON schema."""

    media_type = "application/schema+json"


ADDRESS = re.compile(r"(?!file:)[a-z][a-z0-9+.-]*://", re.ASCII | re.IGNORECASE)


@router.get("/collections", summary="List the collections", responses=gives("Collections"))
def collections(request: Request, limit: Limit = None, page: Page = 1) -> Json:
    """All collections of the catalogue."""
    found, links = paged(request, backend_of(request).engine.collections(), limit, page)
    return {"collections": [placed(request, c) for c in found], "links": links}


@router.get("/collections/{collection_id}", summary="One collection", responses=gives("Collection"))
def collection(request: Request, collection_id: str) -> Json:
    """A collection with the dimensions of its cube."""
    return placed(request, backend_of(request).engine.collection(collection_id))


@router.get(
    "/collections/{collection_id}/queryables",
    summary="Properties to filter items by",
    response_class=SchemaResponse,
    responses=gives("Queryables", media_type=SchemaResponse.media_type),
)
def queryables(request: Request, collection_id: str) -> JSONResponse:
    """A JSON schema of the properties that items of the collection can be chosen by."""
    links = Links(request)
    found = backend_of(request).engine.collection(collection_id)
    body = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": links.to(f"/collections/{collection_id}/queryables"),
        "type": "object",
        "title": f"Queryables of {found.get('title') or collection_id}",
        "properties": {
            name: schema
            for name, values in found.get("summaries", {}).items()
            if (schema := schema_of(values)) is not None
        },
        "additionalProperties": True,
    }
    return SchemaResponse(body)


def placed(request: Request, document: Json) -> Json:
    """A collection with links as they are from here, and all members that clients want."""
    links, id_ = Links(request), document["id"]
    here = links.to(f"/collections/{id_}")
    kept = [
        k for k in document.get("links", []) if k.get("rel") not in OWN_RELS and is_address(k.get("href"))
    ]
    own = [
        links.link("self", here),
        links.link("root", links.to("/")),
        links.link("parent", links.to("/")),
        links.link(
            "http://www.opengis.net/def/rel/ogc/1.0/queryables",
            f"{here}/queryables",
            "Queryables",
            "application/schema+json",
        ),
    ]
    if document.get("license") in NOT_SPDX and not any(link.get("rel") == LICENSE for link in kept):
        own.append(links.link(LICENSE, here, "Its terms are those of the source."))
    title = document.get("title") or id_
    filled = {"title": title, "keywords": [], "summaries": {}, "cube:dimensions": {}}
    told = {**filled, **document, "links": [*own, *kept]}
    if "assets" in document:
        told["assets"] = {k: a for k, a in document["assets"].items() if is_address(a.get("href"))}
    return told


def is_address(href: Any) -> bool:
    """Does it lead somewhere for others, too? Paths of this machine are of no use to them, and not their business."""
    return isinstance(href, str) and ADDRESS.match(href) is not None


def schema_of(values: Any) -> Json | None:
    """The JSON schema of a property, from what a collection sums up of it; none for what is no plain value."""
    if isinstance(values, dict) and {"minimum", "maximum"} <= values.keys():
        kind = "number" if isinstance(values["minimum"], (int, float)) else "string"
        return {"type": kind} | ({k: values[k] for k in ("minimum", "maximum")} if kind == "number" else {})
    if not isinstance(values, list) or not values:
        return None
    for kind, types in (("string", str), ("number", (int, float))):
        if all(isinstance(v, types) and not isinstance(v, bool) for v in values):
            return {"type": kind, "enum": values}
    return None
