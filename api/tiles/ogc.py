"""OGC API - Tiles: a landing page, the one tileset of map tiles, its tile matrix set, and tiles."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.addresses import base_of, behind, look_of, numbers, portrait_of, tile, title_of
from api.declared import TILE, gives
from api.links import Links
from api.tiles.matrices import CRS, CRS84, NAME, limits, quad
from engine import Problem, Service

router = APIRouter(tags=["Tiles"])
Json = dict[str, Any]
Map = Annotated[Service, Depends(behind("OGC-API-Tiles"))]
TILESETS = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-map"
SCHEME = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"
SCHEMES = "http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes"
CONFORMANCE = "http://www.opengis.net/def/rel/ogc/1.0/conformance"
CLASSES = (
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/json",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/tileset",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/tilesets-list",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/dataset-tilesets",
    "http://www.opengis.net/spec/tms/2.0/conf/json-tilematrixset",
)


@router.get("/tiles/{token}/ogc", summary="OGC API - Tiles: landing page", responses=gives("MapLanding"))
def landing(request: Request, service: Map) -> Json:
    """Where everything is."""
    links, base = Links(request), f"{base_of(request, service)}/ogc"
    return {
        "title": title_of(service),
        "description": str(service.document.get("description") or "A map, as tiles."),
        "attribution": look_of(request, service).attribution,
        "links": [
            links.link("self", base),
            links.link("service-desc", links.root("/openapi"), type_="application/vnd.oai.openapi+json;version=3.0"),
            links.link("conformance", f"{base}/conformance"),
            links.link(CONFORMANCE, f"{base}/conformance"),
            links.link(TILESETS, f"{base}/map/tiles", "Tilesets"),
            links.link(SCHEMES, f"{base}/tileMatrixSets", "Tile matrix sets"),
        ],
    }  # fmt: skip


@router.get(
    "/tiles/{token}/ogc/conformance",
    summary="OGC API - Tiles: conformance classes",
    responses=gives("Conformance"),
)
def conformance(service: Map) -> Json:
    """The standards that are followed."""
    del service
    return {"conformsTo": list(CLASSES)}


@router.get(
    "/tiles/{token}/ogc/tileMatrixSets",
    summary="OGC API - Tiles: tile matrix sets",
    responses=gives("MatrixSets"),
)
def matrix_sets(request: Request, service: Map) -> Json:
    """The one that there is."""
    links, base = Links(request), f"{base_of(request, service)}/ogc"
    own = {"id": NAME, "title": quad().title, "uri": str(quad().uri)}
    return {"tileMatrixSets": [{**own, "links": [links.link("self", f"{base}/tileMatrixSets/{NAME}")]}]}


@router.get(
    "/tiles/{token}/ogc/tileMatrixSets/{matrix_set}",
    summary="OGC API - Tiles: a tile matrix set",
    responses=gives("MatrixSet"),
)
def one_matrix_set(matrix_set: str, service: Map) -> Json:
    """Its zoom levels."""
    del service
    refuse_other(matrix_set)
    told: Json = quad().model_dump(mode="json", exclude_none=True)
    return told


@router.get("/tiles/{token}/ogc/map/tiles", summary="OGC API - Tiles: tilesets", responses=gives("Tilesets"))
def tilesets(request: Request, service: Map) -> Json:
    """The one that there is."""
    links, base = Links(request), f"{base_of(request, service)}/ogc/map/tiles"
    entry = {**summary(service), "links": [links.link("self", f"{base}/{NAME}")]}
    return {"tilesets": [entry], "links": [links.link("self", base)]}


@router.get(
    "/tiles/{token}/ogc/map/tiles/{matrix_set}",
    summary="OGC API - Tiles: a tileset",
    responses=gives("Tileset"),
)
def tileset(request: Request, matrix_set: str, service: Map) -> Json:
    """Where it lies, and which tiles there are."""
    refuse_other(matrix_set)
    links, base = Links(request), f"{base_of(request, service)}/ogc"
    look, portrait = look_of(request, service), portrait_of(request, service)
    west, south, east, north = portrait.bounds
    template = f"{base}/map/tiles/{NAME}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"
    item: Json = {**links.link("item", template, "Tiles", look.media_type), "templated": True}
    return {
        **summary(service),
        "attribution": look.attribution,
        "mediaTypes": [look.media_type],
        "boundingBox": {"lowerLeft": [west, south], "upperRight": [east, north], "crs": CRS84},
        "tileMatrixSetLimits": [
            {
                "tileMatrix": str(limit.zoom),
                "minTileRow": limit.least_row,
                "maxTileRow": limit.greatest_row,
                "minTileCol": limit.least_column,
                "maxTileCol": limit.greatest_column,
            }
            for limit in limits(portrait, look)
        ],
        "links": [
            links.link("self", f"{base}/map/tiles/{NAME}"),
            links.link(SCHEME, f"{base}/tileMatrixSets/{NAME}"),
            item,
        ],
    }


@router.get(
    "/tiles/{token}/ogc/map/tiles/{matrix_set}/{matrix}/{row}/{column}",
    summary="OGC API - Tiles: a tile",
    responses=TILE,
    response_class=Response,
)
async def picture(
    request: Request, matrix_set: str, matrix: str, row: str, column: str, service: Map
) -> Response:
    """The tile; transparent where there is nothing."""
    refuse_other(matrix_set)
    z, y, x = numbers(matrix, row, column)
    return await tile(request, service, z, x, y)


def summary(service: Service) -> Json:
    """A tileset as a list tells it."""
    return {
        "title": title_of(service),
        "dataType": "map",
        "crs": CRS,
        "tileMatrixSetURI": str(quad().uri),
    }


def refuse_other(name: str) -> None:
    """There is one tile matrix set only."""
    if name != NAME:
        raise Problem("NotFound", f"there is no tile matrix set {name[:40]!r}", hint=f"There is {NAME}.")
