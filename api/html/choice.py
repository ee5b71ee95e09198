"""Who gets a page: those who ask by `f=html`, and browsers, which say that they like HTML better than JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from starlette.responses import JSONResponse, Response

from api.coverage_forms import HTML, Form, named, quality_of, range_of, wanted
from api.html.render import formed, page
from api.links import Link, Links

Json = dict[str, Any]
GEOJSON = "application/geo+json"
SCHEMA = "application/schema+json"
FORMS: Mapping[str, Form] = {
    "json": Form("JSON", "application/json", ("geojson",), (GEOJSON, SCHEMA)),
    "html": HTML,
}
"""Of documents that are pages, too."""
ASKED = {"f": "`json` or `html`; it goes before `Accept`."}
VARY = {"Vary": "Accept"}


def is_page(request: Request) -> bool:
    """Is a page wanted? Where HTML and JSON are equally welcome, or nothing is said, it is not.

    Raises:
        Problem: `f` names no form.
    """
    if (asked := request.query_params.get("f")) is not None:
        return wanted(FORMS, asked, "")[0] == "html"
    return likes_pages(request)


def likes_pages(request: Request) -> bool:
    """Is HTML more welcome than JSON? Where `f` is given, it alone says so."""
    if (asked := request.query_params.get("f")) is not None:
        return named("html", HTML, asked) is not None
    ranges = [range_of(part) for part in request.headers.get("accept", "").split(",") if part.strip()]
    liked, *others = (
        quality_of(kind, ranges) for kind in (HTML.media_type, "application/json", GEOJSON, SCHEMA)
    )
    return liked > max(others)


def asked(request: Request) -> list[tuple[str, str]]:
    """The parameters of an address; forms of pages send fields that are empty, which ask for nothing."""
    given = request.query_params.multi_items()
    return [(name, value) for name, value in given if value] if is_page(request) else given


def either(
    request: Request,
    doc: Json,
    template: str,
    media_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    """A document, or the page that a template makes of it, and of what it is told besides."""
    if is_page(request):
        return page(request, template, doc=doc, **more)
    return JSONResponse(doc, media_type=media_type, headers={**VARY, **(headers or {})})


def ways(request: Request, media_type: str) -> list[Link]:
    """Links to the document that was asked for, and to its page."""
    links = Links(request)
    return [links.link("self", links.here(), type_=media_type), page_link(links.here())]


def page_link(place: str, rel: str = "alternate") -> Link:
    """The link to the page of a document."""
    return {"rel": rel, "href": formed(place, "html"), "type": "text/html", "title": "As a page for people"}
