"""The data of packages: all items there are, in pages, as a stream, or one of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response, StreamingResponse

from api.auth.login import backend_of
from api.declared import gives, reply
from api.frame import HEADLESS
from api.links import Links
from api.live.login import token_user
from api.schemas import ref
from api.stac.answers import GeoJSONResponse
from api.stac.asked import Fields, instant_of
from api.stac.collections import GEOJSON
from api.stac.shown import item_of, page_of
from engine import Page, Problem, Search, Sort, User

router = APIRouter(tags=["Data of packages"])
Caller = Annotated[User, Depends(token_user)]
Order = Annotated[Literal["new", "old"], Query(description="The latest or the earliest first.")]
From = Annotated[str, Query(alias="from", description="Items from this instant on (RFC 3339).")]
To = Annotated[str, Query(description="Items up to this instant.")]
Place = Annotated[str, Query(description="Where the page begins; links of other pages have it.")]
Before = Annotated[str, Query(description="Where the page ends; links of other pages have it.")]
PAGE, PIECE = 50, 500
LINES = "application/x-ndjson"
ORDERS = {"new": "old", "old": "new"}
"""Each with its opposite."""


@router.get(
    "/api/dataset/v1/{package}/paginate/",
    summary="Items of a package, in pages",
    response_class=GeoJSONResponse,
    responses=gives("Items", media_type=GEOJSON),
)
def paginate(
    request: Request, package: str, user: Caller, order: Order = "new", begin: From = "", to: To = "",
    token: Place = "", before: Before = "",
) -> Response:  # fmt: skip
    """A page of at most 50 items, with links to the next and the previous one."""
    if before:
        back = found(request, user, package, ORDERS[order], (begin, to), PAGE, before)
        page = Page(tuple(reversed(back.hits)), back.matched, back.first, back.next)
        previous = back.next
    else:
        page = found(request, user, package, order, (begin, to), PAGE, token)
        previous = page.first if token else None
    links = [Links.link("self", Links(request).here(), type_=GEOJSON)]
    if page.next:
        links.append(Links.link("next", address(request, token=page.next), type_=GEOJSON))
    if previous:
        links.append(Links.link("prev", address(request, before=previous), type_=GEOJSON))
    return GeoJSONResponse(page_of(request, page, [*links], Fields()))


@router.get(
    "/api/dataset/v1/{package}/stream/",
    summary="Items of a package, all of them",
    response_class=StreamingResponse,
    responses={200: reply("One item a line.", ref("Item"), LINES)},
)
def stream(
    request: Request, package: str, user: Caller, order: Order = "new", begin: From = "", to: To = ""
) -> Response:
    """One STAC item a line, as JSON."""
    first = found(request, user, package, order, (begin, to), PIECE, "")

    def lines() -> Iterator[str]:
        page = first
        while True:
            yield "".join(f"{json.dumps(item_of(request, hit))}\n" for hit in page.hits)
            if page.next is None:
                return
            page = found(request, user, package, order, (begin, to), PIECE, page.next)

    if request.scope.get(HEADLESS):
        return Response(media_type=LINES)
    return StreamingResponse(lines(), media_type=LINES)


@router.get(
    "/api/item/v1/{package}",
    summary="One item of a package",
    response_class=GeoJSONResponse,
    responses=gives("Item", media_type=GEOJSON),
)
def item(
    request: Request,
    package: str,
    user: Caller,
    id_: Annotated[str, Query(alias="id", description="Its id; without one, the latest.")] = "",
) -> Response:
    """The latest item, or the one of that id."""
    page = found(request, user, package, "new", ("", ""), 1, "", ids=(id_,) if id_ else None)
    if not page.hits:
        raise Problem("ItemNotFound", f"there is no such item in package {package!r}")
    return GeoJSONResponse(item_of(request, page.hits[0]))


def found(
    request: Request, user: User, package: str, order: str, times: tuple[str, str], limit: int, token: str,
    **further: Any,
) -> Page:  # fmt: skip
    """A page of the items of a package.

    Raises:
        Problem: There is no such package for the user, or a parameter cannot be read.
    """
    backend = backend_of(request)
    subscribed = backend.live.packages.of(user, package)
    start, end = (instant_of(text) if text else None for text in times)
    wish: Search = backend.live.packages.search(
        subscribed.package, start=start, end=end, sortby=(Sort("datetime", descending=order == "new"),),
        limit=limit, token=token or None, **further,
    )  # fmt: skip
    return backend.hub.seen_by(user).of_stac().find(wish)


def address(request: Request, **place: str) -> str:
    """The address that was asked, at another page."""
    query = [(k, v) for k, v in request.query_params.multi_items() if k not in ("token", "before")]
    return Links(request).here().partition("?")[0] + "?" + urlencode([*query, *place.items()])
