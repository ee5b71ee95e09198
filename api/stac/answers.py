"""Answers that all faces of the catalogue give: items with their state, and the way to the next page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import JSONResponse, Response

from api.links import Link, Links
from api.stac.collections import GEOJSON
from engine import Page

Json = dict[str, Any]


class GeoJSONResponse(JSONResponse):
    """GeoJSON."""

    media_type = GEOJSON


def tag_of(request: Request) -> str | None:
    """The state that a change is made for."""
    given = request.headers.get("if-match")
    return given.strip().removeprefix("W/").strip('"') if given is not None else None


def one(request: Request, tag: str, shown: Callable[[], Json]) -> Response:
    """An item in a state, unless the client has it."""
    state = f'"{tag}"'
    if state in [t.strip() for t in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers={"ETag": state})
    return GeoJSONResponse(shown(), headers={"ETag": state})


def written(doc: Json, tag: str, status: int = 200) -> Response:
    """An item as it is now; where it was made, with its address."""
    headers = {"ETag": f'"{tag}"'}
    if status == 201:
        headers["Location"] = next(link["href"] for link in doc["links"] if link["rel"] == "self")
    return GeoJSONResponse(doc, status, headers)


def onward(request: Request, page: Page, body: Json | None = None) -> list[Link | Json]:
    """The link to the next page, where there is one: of an address that was asked, or of a body that was posted there."""
    if page.next is None:
        return []
    links = Links(request)
    if body is None:
        return [
            {**links.link("next", following(request, "token", page.next), type_=GEOJSON), "method": "GET"}
        ]
    place = links.link("next", links.here(), type_=GEOJSON)
    return [{**place, "method": "POST", "body": {**body, "token": page.next}, "merge": False}]


def following(request: Request, name: str, token: str) -> str:
    """The address that was asked, with another place of the search in the parameter of that name."""
    query = [(k, v) for k, v in request.query_params.multi_items() if k != name]
    return Links(request).here().partition("?")[0] + "?" + urlencode([*query, (name, token)])
