"""Templates to pages, under a policy that lets them fetch nothing but pictures of this server, and run nothing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode, urlsplit

from jinja2 import ChainableUndefined, Environment, PackageLoader
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from api.auth.login import person_of
from api.facets import FACETS, facet_of
from api.html.maps import drawn
from api.html.words import brief, by_category, by_standard, day, kind, paragraphs, value, web
from api.links import Links

NAMES = {
    "collections": "Collections", "items": "Items", "processes": "Processes", "conformance": "Conformance",
    "queryables": "Queryables", "coverage": "Coverage", "jobs": "Jobs", "login": "Log in", "domainset": "Axes", "rangetype": "Fields", "docs": "API",
}  # fmt: skip
"""Steps of paths in words."""
VARY = "Accept, Cookie"


@cache
def environment() -> Environment:
    """The templates; whatever is put into them is escaped."""
    made = Environment(
        loader=PackageLoader("api.html"),
        autoescape=True,
        undefined=ChainableUndefined,  # documents of strangers may lack anything
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.policies["json.dumps_kwargs"] = {"sort_keys": False}  # graphs stay in their order
    filters = (brief, by_category, by_standard, day, kind, paragraphs, value, web)
    made.filters |= {one.__name__: one for one in filters}
    made.globals |= {"map_of": drawn, "formed": formed, "faces": FACETS}
    made.globals["style"] = Markup(style())  # noqa: S704 (it is ours)
    return made


@cache
def style() -> str:
    """The stylesheet."""
    return files("api.html").joinpath("templates", "style.css").read_text(encoding="utf-8").strip()


@cache
def style_digest() -> str:
    """What the policy knows the stylesheet by."""
    return base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()


def policy(public_url: str | None) -> str:
    """What a page may do: be drawn by its stylesheet, show pictures of this server, and send forms to it."""
    place = urlsplit(public_url or "")
    here = f"'self' {place.scheme}://{place.netloc}" if public_url else "'self'"
    return (
        f"default-src 'none'; style-src 'sha256-{style_digest()}'; img-src {here} data:; form-action {here}; "
        "base-uri 'none'; frame-ancestors 'none'"
    )


def page(
    request: Request, template: str, status: int = 200, headers: Mapping[str, str] | None = None, **told: Any
) -> HTMLResponse:
    """The page that a template makes of what it is told."""
    path = request.url.path.removeprefix(request.scope.get("root_path", ""))
    facet = request.state.facet = facet_of(path)  # a path that is nowhere has none yet
    links = Links(request)
    settings = request.app.state.backend.settings
    text = (
        environment()
        .get_template(template)
        .render(
            **{
                "server": settings.title,
                "facet": facet,
                "links": links,
                "crumbs": crumbs(links, path.removeprefix(facet.prefix)),
                "query": request.query_params,
                "person": person_of(request),
                **told,
            }
        )
    )
    return HTMLResponse(
        text,
        status,
        {
            "Content-Security-Policy": policy(settings.public_url),
            "Referrer-Policy": "no-referrer",
            "Vary": VARY,
            **(headers or {}),
        },
    )


def formed(place: str, form: str) -> str:
    """An address, in that form."""
    path, _, query = place.partition("?")
    kept = [part for part in query.split("&") if part and not part.startswith("f=")]
    return f"{path}?{'&'.join([*kept, urlencode({'f': form})])}"


def crumbs(links: Links, path: str) -> list[tuple[str, str]]:
    """The way from the landing page to a page, by title and address."""
    steps = [step for step in path.split("/") if step]
    found = [("Home", links.to("/"))]
    for at, step in enumerate(steps):
        name = NAMES.get(step, step) if at != 1 else step  # the second step is somebody's name
        found.append((name, links.to("/" + "/".join(steps[: at + 1]))))
    return found
