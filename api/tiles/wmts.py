"""WMTS 1.0.0: capabilities and tiles, by key-value pairs and by templates; errors as OWS has them, in XML."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from api.addresses import LAYER, base_of, behind, look_of, number, portrait_of, tile, title_of
from api.declared import TILE, asks, reply, sends
from api.errors import status_of, told
from api.schemas import BYTES, TEXT
from api.tiles.matrices import NAME, limits, quad
from engine import Look, Portrait, Problem, Service

router = APIRouter(tags=["Tiles"])
XML = "application/xml"
REPORT = reply("What is wrong, as OWS tells it.", TEXT, XML)
REPORTS: dict[int | str, Any] = {"4XX": REPORT, "5XX": REPORT}
DOCUMENT = sends("The capabilities.", XML, schema=TEXT)
DOCUMENT_OR_TILE = {**TILE, 200: reply("The capabilities, or a tile.", BYTES, XML, "image/png", "image/jpeg")}
PAIRS = asks(
    service="`WMTS`", request="`GetCapabilities` or `GetTile`", version="`1.0.0`", layer="`map`", style="`default`",
    tilematrixset="The tile matrix set.", tilematrix="Zoom level.", tilerow="Row, from the north.",
    tilecol="Column, from the west.", format="The media type of tiles.",
)  # fmt: skip
STYLE = "default"
OWN_CODES = frozenset(
    {"MissingParameterValue", "InvalidParameterValue", "TileOutOfRange", "OperationNotSupported"}
)
"""Codes of OWS; all others become its `NoApplicableCode`."""
PLACES = frozenset({"TileOutOfRange", "InvalidParameterValue", "MissingParameterValue"})
"""Codes whose status is 400 in WMTS."""
METRES = 0.00028
"""Side of a pixel of WMTS, which scales are told by."""
Door = Callable[..., Awaitable[Response]]


def reporting(door: Door) -> Door:
    """Problems in here are told as OWS tells them."""

    @wraps(door)
    async def answered(*args: Any, **kwargs: Any) -> Response:
        try:
            return await door(*args, **kwargs)
        except Problem as problem:
            return report(problem)

    return answered


@router.get(
    "/tiles/{token}/wmts",
    summary="WMTS by key-value pairs",
    responses={**DOCUMENT_OR_TILE, **REPORTS},
    openapi_extra=PAIRS,
    response_class=Response,
)
@reporting
async def pairs(request: Request, token: str) -> Response:
    """GetCapabilities, which is what is asked where nothing is, or GetTile."""
    given = {name.lower(): value for name, value in request.query_params.items()}
    service = await opened(request, token)
    if given.get("service", "WMTS").upper() != "WMTS":
        raise wrong("service", given["service"])
    match given.get("request", "GetCapabilities").lower():
        case "getcapabilities":
            return Response(capabilities(request, service), media_type=XML)
        case "gettile":
            return await by_pairs(request, service, given)
        case other:
            raise Problem("OperationNotSupported", f"there is no operation {other[:40]!r}")


@router.get(
    "/tiles/{token}/wmts/1.0.0/WMTSCapabilities.xml",
    summary="WMTS: capabilities",
    responses={**DOCUMENT, **REPORTS},
    response_class=Response,
)
@reporting
async def described(request: Request, token: str) -> Response:
    """What the service has."""
    return Response(capabilities(request, await opened(request, token)), media_type=XML)


@router.get(
    "/tiles/{token}/wmts/1.0.0/{layer}/{style}/{matrix_set}/{matrix}/{row}/{column}.{suffix}",
    summary="WMTS: a tile",
    responses={**TILE, **REPORTS},
    response_class=Response,
)
@reporting
async def picture(
    request: Request, token: str, layer: str, style: str, matrix_set: str, matrix: str, row: str, column: str,
    suffix: str,
) -> Response:  # fmt: skip
    """The tile; transparent where there is nothing."""
    service = await opened(request, token)
    look = look_of(request, service)
    wanted = {"layer": layer, "style": style, "tilematrixset": matrix_set, "format": suffix}
    refuse_other(wanted, look, look.suffix)
    return await placed(request, service, matrix, row, column)


async def opened(request: Request, token: str) -> Service:
    """The service behind the address."""
    return await run_in_threadpool(behind("WMTS"), request, token)


async def by_pairs(request: Request, service: Service, given: Mapping[str, str]) -> Response:
    """A tile that is asked for by key-value pairs."""
    for name in ("layer", "tilematrixset", "tilematrix", "tilerow", "tilecol", "format"):
        if not given.get(name):
            raise Problem("MissingParameterValue", f"{name} is missing", facts={"parameter": name})
    look = look_of(request, service)
    refuse_other(given, look, look.media_type)
    return await placed(request, service, given["tilematrix"], given["tilerow"], given["tilecol"])


def refuse_other(given: Mapping[str, str], look: Look, format_: str) -> None:
    """There is one layer, one style, one tile matrix set and one format."""
    known = {"layer": LAYER, "style": STYLE, "tilematrixset": set_name(look), "format": format_}
    for name, value in known.items():
        if (given.get(name) or (STYLE if name == "style" else "")) != value:
            raise wrong(name, given.get(name, ""))


async def placed(request: Request, service: Service, matrix: str, row: str, column: str) -> Response:
    """The tile of that matrix, row and column."""
    for name, value in {"tilematrix": matrix, "tilerow": row, "tilecol": column}.items():
        if number(value) is None:
            raise wrong(name, value)
    return await tile(request, service, int(matrix), int(column), int(row))


def wrong(name: str, value: str) -> Problem:
    """The refusal of a value."""
    return Problem("InvalidParameterValue", f"{name} cannot be {value[:40]!r}", facts={"parameter": name})


def report(problem: Problem) -> Response:
    """A problem as an exception report."""
    own = problem.code in OWN_CODES
    status = 400 if problem.code in PLACES else status_of(problem)
    if problem.code == "OperationNotSupported":
        status = 501
    message = told(problem)["message"]
    where = problem.facts.get("parameter") if own else None
    locator = f" locator={quoteattr(str(where))}" if where else ""
    code = problem.code if own else "NoApplicableCode"
    text = message if own else f"{problem.code}: {message}"
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<ExceptionReport xmlns="http://www.opengis.net/ows/1.1" version="1.1.0" xml:lang="en">'
        f'<Exception exceptionCode="{code}"{locator}><ExceptionText>{escape(text)}</ExceptionText></Exception>'
        "</ExceptionReport>"
    )
    headers = {"Retry-After": str(problem.facts.get("retry_after", 5))} if status in (429, 503) else {}
    return Response(body, status, headers, media_type=XML)


# ----------------------------------------------------------------------------------------- capabilities
def set_name(look: Look) -> str:
    """The tile matrix set: the well-known one, or one of the same tiles with more pixels."""
    return NAME if look.size == 256 else f"{NAME}_{look.size}"


def capabilities(request: Request, service: Service) -> str:
    """The capabilities document."""
    base, look, portrait = (
        f"{base_of(request, service)}/wmts",
        look_of(request, service),
        portrait_of(request, service),
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Capabilities xmlns="http://www.opengis.net/wmts/1.0" xmlns:ows="http://www.opengis.net/ows/1.1"
    xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    xsi:schemaLocation="http://www.opengis.net/wmts/1.0 http://schemas.opengis.net/wmts/1.0/wmtsGetCapabilities_response.xsd"
    version="1.0.0">
  <ows:ServiceIdentification>
    <ows:Title>{escape(title_of(service))}</ows:Title>
    <ows:Abstract>{escape(str(service.document.get("description") or ""))}</ows:Abstract>
    <ows:ServiceType>OGC WMTS</ows:ServiceType>
    <ows:ServiceTypeVersion>1.0.0</ows:ServiceTypeVersion>
    <ows:AccessConstraints>{escape(look.attribution)}</ows:AccessConstraints>
  </ows:ServiceIdentification>
  <ows:OperationsMetadata>{operation("GetCapabilities", base)}{operation("GetTile", base)}
  </ows:OperationsMetadata>
  <Contents>
    <Layer>{layer(base, title_of(service), look, portrait)}
    </Layer>
    <TileMatrixSet>{matrices(look)}
    </TileMatrixSet>
  </Contents>
  <ServiceMetadataURL xlink:href={quoteattr(f"{base}/1.0.0/WMTSCapabilities.xml")}/>
</Capabilities>
"""  # fmt: skip


def operation(name: str, base: str) -> str:
    """How an operation is asked for by key-value pairs."""
    return f"""
    <ows:Operation name="{name}">
      <ows:DCP><ows:HTTP><ows:Get xlink:href={quoteattr(f"{base}?")}>
        <ows:Constraint name="GetEncoding"><ows:AllowedValues><ows:Value>KVP</ows:Value></ows:AllowedValues></ows:Constraint>
      </ows:Get></ows:HTTP></ows:DCP>
    </ows:Operation>"""


def layer(base: str, title: str, look: Look, portrait: Portrait) -> str:
    """The one layer."""
    west, south, east, north = portrait.bounds
    template = (
        f"{base}/1.0.0/{LAYER}/{STYLE}/{{TileMatrixSet}}/{{TileMatrix}}/{{TileRow}}/{{TileCol}}.{look.suffix}"
    )
    rows = "".join(
        f"""
          <TileMatrixLimits>
            <TileMatrix>{limit.zoom}</TileMatrix>
            <MinTileRow>{limit.least_row}</MinTileRow><MaxTileRow>{limit.greatest_row}</MaxTileRow>
            <MinTileCol>{limit.least_column}</MinTileCol><MaxTileCol>{limit.greatest_column}</MaxTileCol>
          </TileMatrixLimits>"""
        for limit in limits(portrait, look)
    )
    return f"""
      <ows:Title>{escape(title)}</ows:Title>
      <ows:WGS84BoundingBox>
        <ows:LowerCorner>{west} {south}</ows:LowerCorner><ows:UpperCorner>{east} {north}</ows:UpperCorner>
      </ows:WGS84BoundingBox>
      <ows:Identifier>{LAYER}</ows:Identifier>
      <Style isDefault="true"><ows:Identifier>{STYLE}</ows:Identifier></Style>
      <Format>{look.media_type}</Format>
      <TileMatrixSetLink>
        <TileMatrixSet>{set_name(look)}</TileMatrixSet>
        <TileMatrixSetLimits>{rows}
        </TileMatrixSetLimits>
      </TileMatrixSetLink>
      <ResourceURL format="{look.media_type}" resourceType="tile" template={quoteattr(template)}/>"""


def matrices(look: Look) -> str:
    """The tile matrix set, with the zoom levels that are drawn."""
    world = quad().xy_bbox
    scheme = (
        "\n      <WellKnownScaleSet>urn:ogc:def:wkss:OGC:1.0:GoogleMapsCompatible</WellKnownScaleSet>"
        if look.size == 256 and look.minzoom == 0
        else ""
    )
    rows = "".join(
        f"""
      <TileMatrix>
        <ows:Identifier>{zoom}</ows:Identifier>
        <ScaleDenominator>{(world.right - world.left) / look.size / 2**zoom / METRES!r}</ScaleDenominator>
        <TopLeftCorner>{world.left!r} {world.top!r}</TopLeftCorner>
        <TileWidth>{look.size}</TileWidth><TileHeight>{look.size}</TileHeight>
        <MatrixWidth>{2**zoom}</MatrixWidth><MatrixHeight>{2**zoom}</MatrixHeight>
      </TileMatrix>"""
        for zoom in range(look.minzoom, look.maxzoom + 1)
    )
    return f"""
      <ows:Identifier>{set_name(look)}</ows:Identifier>
      <ows:BoundingBox crs="urn:ogc:def:crs:EPSG::3857">
        <ows:LowerCorner>{world.left!r} {world.bottom!r}</ows:LowerCorner>
        <ows:UpperCorner>{world.right!r} {world.top!r}</ows:UpperCorner>
      </ows:BoundingBox>
      <ows:SupportedCRS>urn:ogc:def:crs:EPSG::3857</ows:SupportedCRS>{scheme}{rows}"""
