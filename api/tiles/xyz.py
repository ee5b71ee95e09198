"""XYZ tiles: zoom level, column and row in the path, and a TileJSON document beside them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.addresses import behind, look_of, numbers, portrait_of, tile, title_of, url_of
from api.declared import TILE, gives
from engine import Problem, Service

router = APIRouter(tags=["Tiles"])
Json = dict[str, Any]
Map = Annotated[Service, Depends(behind("XYZ"))]


@router.get(
    "/tiles/{token}/{z}/{x}/{y}.{suffix}", summary="An XYZ tile", responses=TILE, response_class=Response
)
async def picture(request: Request, z: str, x: str, y: str, suffix: str, service: Map) -> Response:
    """The tile; transparent where there is nothing."""
    if suffix != look_of(request, service).suffix:
        raise Problem("NotFound", f"tiles of this service end with .{look_of(request, service).suffix}")
    return await tile(request, service, *numbers(z, x, y))


@router.get(
    "/tiles/{token}/tilejson.json",
    summary="XYZ tiles, described by TileJSON 3.0",
    responses=gives("TileJson"),
)
def tilejson(request: Request, service: Map) -> Json:
    """Where the tiles are, and what they show."""
    look, portrait = look_of(request, service), portrait_of(request, service)
    west, south, east, north = portrait.bounds
    told = {
        "tilejson": "3.0.0",
        "name": title_of(service),
        "description": str(service.document.get("description") or ""),
        "attribution": look.attribution,
        "tiles": [url_of(request, service)],
        "minzoom": look.minzoom,
        "maxzoom": look.maxzoom,
        "bounds": list(portrait.bounds),
        "center": [(west + east) / 2, (south + north) / 2, look.minzoom],
        "tileSize": look.size,
    }
    return {name: value for name, value in told.items() if value != ""}
