"""What the server is and can do: landing page, conformance, the well-known document, and whether it is alive."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from api.declared import asks, gives, shows
from api.facets import OGC, OPENEO, facet_of
from api.html.choice import ASKED, either, page_link
from api.links import Link, Links
from api.openapi import MEDIA_TYPE as OPENAPI
from engine import Settings

router = APIRouter(tags=["Capabilities"])
versions = APIRouter(tags=["Capabilities"])
"""The versions of openEO; clients look for them below the address that they were given."""
outside = APIRouter(tags=["Capabilities"])
"""What stands at the root only."""
Json = dict[str, Any]
QUERYABLES_REL = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
PROCESSES_REL = "http://www.opengis.net/def/rel/ogc/1.0/processes"
JOBS_REL = "http://www.opengis.net/def/rel/ogc/1.0/job-list"
CONFORMANCE_REL = "http://www.opengis.net/def/rel/ogc/1.0/conformance"
GDC = ("https://api.geodatacube.example/1.0.0-beta", "https://m-mohr.github.io/geodatacube-api")
CLASSES = {
    "/": (
        "https://api.openeo.org/1.2.0",
        "https://api.stacspec.org/v1.0.0/core",
        "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
        "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/json",
        "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/html",
    ),
    "/openapi": ("http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/oas30",),
    "/collections/{collection_id}": (
        "https://api.stacspec.org/v1.0.0/collections",
        "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections",
    ),
    "/collections/{collection_id}/items": (
        "https://api.stacspec.org/v1.0.0/ogcapi-features",
        "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
        "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
        "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/html",
        "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
        "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
        "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/filter",
        "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/features-filter",
        "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables",
        "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables-query-parameters",
        "https://api.stacspec.org/v1.0.0/ogcapi-features#fields",
        "https://api.stacspec.org/v1.0.0/ogcapi-features#sort",
        "https://api.stacspec.org/v1.0.0/ogcapi-features/extensions/transaction",
        "https://api.stacspec.org/v1.0.0/collections/extensions/transaction",
        "http://www.opengis.net/spec/cql2/1.0/conf/cql2-text",
        "http://www.opengis.net/spec/cql2/1.0/conf/cql2-json",
        "http://www.opengis.net/spec/cql2/1.0/conf/basic-cql2",
        "http://www.opengis.net/spec/cql2/1.0/conf/advanced-comparison-operators",
        "http://www.opengis.net/spec/cql2/1.0/conf/basic-spatial-functions",
        "http://www.opengis.net/spec/cql2/1.0/conf/basic-spatial-functions-plus",
        "http://www.opengis.net/spec/cql2/1.0/conf/spatial-functions",
        "http://www.opengis.net/spec/cql2/1.0/conf/temporal-functions",
        "http://www.opengis.net/spec/cql2/1.0/conf/array-functions",
        "http://www.opengis.net/spec/cql2/1.0/conf/arithmetic",
        "http://www.opengis.net/spec/cql2/1.0/conf/property-property",
    ),
    "/collections/{collection_id}/coverage": (
        *(
            f"http://www.opengis.net/spec/ogcapi-coverages-1/1.0/conf/{name}"
            for name in (
                "core",
                "subsetting",
                "fieldselection",
                "scaling",
                "crs",
                "geodata-coverage",
                "coverage-subset",
                "coverage-bbox",
                "coverage-datetime",
                "coverage-rangesubset",
                "coverage-scaling",
                "geotiff",
                "netcdf",
                "cisjson",
                "html",
                "oas30",
            )
        ),
    ),
    "/search": (
        "https://api.stacspec.org/v1.0.0/item-search",
        "https://api.stacspec.org/v1.0.0/item-search#filter",
        "https://api.stacspec.org/v1.0.0/item-search#query",
        "https://api.stacspec.org/v1.0.0/item-search#sort",
        "https://api.stacspec.org/v1.0.0/item-search#fields",
        "https://api.stacspec.org/v1.0.0-rc.1/collection-search",
        "https://api.stacspec.org/v1.0.0-rc.1/collection-search#filter",
        "https://api.stacspec.org/v1.0.0-rc.1/collection-search#free-text",
        "https://api.stacspec.org/v1.0.0-rc.1/collection-search#sort",
        "https://api.stacspec.org/v1.0.0-rc.1/collection-search#fields",
        "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/simple-query",
    ),
    "/processes/{process_id}/execution": (
        *(
            f"http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/{name}"
            for name in (
                "core",
                "ogc-process-description",
                "json",
                "oas30",
                "job-list",
                "callback",
                "dismiss",
            )
        ),
        "http://www.opengis.net/spec/ogcapi-processes-2/1.0/conf/deploy-replace-undeploy",
        "http://www.opengis.net/spec/ogcapi-processes-2/1.0/conf/ogcapppkg",
        "http://www.opengis.net/spec/ogcapi-processes-3/0.0/conf/collection-input",
        "http://www.opengis.net/spec/ogcapi-processes-3/0.0/conf/nested-processes",
        "http://www.opengis.net/spec/ogcapi-processes-3/0.0/conf/openeo-workflows",
    ),
    "/processing_parameters": ("https://api.openeo.org/extensions/processing-parameters/0.1.0",),
}
"""Conformance classes, by the path that has to be mounted for them."""
OF_OGC_ALONE = (
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/create-replace-delete",
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/update",
)
"""Classes that are kept where OGC's standards stand alone: elsewhere OPTIONS is answered by 204, as openEO wants it."""
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
    found += OF_OGC_ALONE if facet is OGC else ()
    return [uri for uri in found if uri.startswith(facet.classes)]


@router.get(
    "/", summary="What this server is and can do", responses=shows("Landing"), openapi_extra=asks(**ASKED)
)
def landing(request: Request) -> Response:
    """The landing page."""
    return either(request, described(request), "landing.html")


def described(request: Request) -> Json:
    """The server, and the ways to all that it has."""
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
            page_link(links.to("/")),
            links.link("root", links.to("/"), title),
            links.link("service-desc", links.root("/openapi"), "The API as OpenAPI 3.0", OPENAPI),
            links.link("service-doc", links.root("/docs"), "The API for people", "text/html"),
            links.link("conformance", links.to("/conformance"), "Conformance classes"),
            links.link(CONFORMANCE_REL, links.to("/conformance"), "Conformance classes"),
            links.link("data", links.to("/collections"), "Collections"),
        ],
    }
    if facet.processes:
        told["links"].append(links.link(PROCESSES_REL, links.to("/processes"), "Processes"))
        told["links"].append(links.link(JOBS_REL, links.to("/jobs"), "Jobs"))
    if facet.stac:
        told["links"] += searches(links)
    if not facet.openeo:
        return told
    versions = links.link("version-history", links.root("/.well-known/openeo"), "Versions of the API")
    return {**told, **of_openeo(request), "links": [*told["links"], versions]}


def searches(links: Links) -> list[Link]:
    """The ways to search items, and what they can be chosen by."""
    place, kind = links.to("/search"), "application/geo+json"
    return [
        {**links.link("search", place, "Search items", kind), "method": "GET"},
        {**links.link("search", place, "Search items by a JSON object", kind), "method": "POST"},
        links.link(QUERYABLES_REL, links.to("/queryables"), "Queryables", "application/schema+json"),
    ]


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


@router.get(
    "/conformance",
    summary="The standards that are followed",
    responses=shows("Conformance"),
    openapi_extra=asks(**ASKED),
)
def conformance(request: Request) -> Response:
    """The conformance classes, as the landing page has them."""
    return either(request, {"conformsTo": classes(request)}, "conformance.html")


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
