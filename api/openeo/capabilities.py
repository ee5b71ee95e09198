"""What the server is and can do: landing page, conformance, the well-known document, and whether it is alive."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute

from api.declared import gives
from api.facets import OPENEO, facet_of
from api.links import Links
from api.openapi import MEDIA_TYPE as OPENAPI
from engine import Settings

router = APIRouter(tags=["Capabilities"])
versions = APIRouter(tags=["Capabilities"])
"""The versions of openEO; clients look for them below the address that they were given."""
outside = APIRouter(tags=["Capabilities"])
"""What stands at the root only."""
Json = dict[str, Any]
CONFORMANCE_REL = "http://www.opengis.net/def/rel/ogc/1.0/conformance"
GDC = ("https://api.geodatacube.example/1.0.0-beta", "https://m-mohr.github.io/geodatacube-api")
CLASSES = {
    "/": (
        "https://api.openeo.org/1.2.0",
        "https://api.stacspec.org/v1.0.0/core",
        "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
        "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/json",
    ),
    "/openapi": ("http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/oas30",),
    "/collections/{collection_id}": (
        "https://api.stacspec.org/v1.0.0/collections",
        "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections",
    ),
    "/processing_parameters": ("https://api.openeo.org/extensions/processing-parameters/0.1.0",),
}
"""Conformance classes, by the path that has to be mounted for them."""
JWT = "https://api.openeo.org/1.3.0/authentication/jwt"
"""Tokens are taken without a prefix: a JWT says which provider it is of, an opaque token does not."""


def endpoints(request: Request) -> dict[str, list[str]]:
    """The paths of the facet that a request came through, each with its methods."""
    facet = request.state.facet
    found: dict[str, set[str]] = {}
    for route in routes_of(request):
        path = route.path_format.removeprefix(facet.prefix)
        if path not in ("/openapi", "/docs", "/health", "/.well-known/openeo") or not facet.prefix:
            found.setdefault(path or "/", set()).update(route.methods or ())
    return {path: sorted(methods) for path, methods in found.items()}


def routes_of(request: Request) -> list[APIRoute]:
    """The routes of the facet that a request came through."""
    return [r for r in request.app.state.routes if facet_of(r.path) == request.state.facet]


def classes(request: Request) -> list[str]:
    """The conformance classes of what is mounted."""
    mounted = endpoints(request)
    found = [uri for path, uris in CLASSES.items() if path in mounted for uri in uris]
    providers = request.app.state.backend.settings.oidc
    if providers and not any(p.opaque_tokens for p in providers):
        found.append(JWT)
    facet = request.state.facet
    found = [*GDC, *found] if not facet.prefix else found
    return [uri for uri in found if uri.startswith(facet.classes)]


@router.get("/", summary="What this server is and can do", responses=gives("Landing"))
def landing(request: Request) -> Json:
    """The landing page."""
    links, settings = Links(request), request.app.state.backend.settings
    facet = request.state.facet
    title = f"{settings.title}, {facet.title}" if facet.title else settings.title
    told: Json = {
        "id": "geodatacube",
        "title": title,
        "description": "A datacube processing engine: openEO process graphs over data that STAC describes.",
        "type": "Catalog",
        "stac_version": "1.0.0",
        "conformsTo": classes(request),
        "links": [
            links.link("self", links.to("/"), title),
            links.link("root", links.to("/"), title),
            links.link("service-desc", links.root("/openapi"), "The API as OpenAPI 3.0", OPENAPI),
            links.link("service-doc", links.root("/docs"), "The API for people", "text/html"),
            links.link("conformance", links.to("/conformance"), "Conformance classes"),
            links.link(CONFORMANCE_REL, links.to("/conformance"), "Conformance classes"),
            links.link("data", links.to("/collections"), "Collections"),
        ],
    }
    if not facet.openeo:
        return told
    versions = links.link("version-history", links.root("/.well-known/openeo"), "Versions of the API")
    return {**told, **of_openeo(request), "links": [*told["links"], versions]}


def of_openeo(request: Request) -> Json:
    """What the landing page of openEO, and of GDC, has besides."""
    settings = request.app.state.backend.settings
    told: Json = {
        "api_version": "1.2.0",
        "gdc_version": "1.0.0-beta",
        "backend_version": version("geodatacube"),
        "production": False,
        "endpoints": [{"path": p, "methods": m} for p, m in endpoints(request).items()],
    }
    if any(plan.paid for plan in settings.plans):
        told["billing"] = billing(settings)
    return told


def billing(settings: Settings) -> Json:
    """The billing plans, as openEO tells them."""
    plans = [
        {"name": p.name, "description": p.description, "paid": p.paid} | ({"url": p.url} if p.url else {})
        for p in settings.plans
    ]
    return {"currency": settings.currency, "default_plan": settings.plans[0].name, "plans": plans}


@router.get("/conformance", summary="The standards that are followed", responses=gives("Conformance"))
def conformance(request: Request) -> Json:
    """The conformance classes, as the landing page has them."""
    return {"conformsTo": classes(request)}


@versions.get("/.well-known/openeo", summary="Versions of the openEO API", responses=gives("Versions"))
def well_known(request: Request) -> Json:
    """Where which version is."""
    return {
        "versions": [
            {"url": Links(request).root(f"{OPENEO.prefix}/"), "api_version": "1.2.0", "production": False}
        ]
    }


@outside.get("/health", summary="Is the server alive?", responses=gives("Health"))
async def health() -> Json:
    """It is."""
    return {"status": "ok"}
