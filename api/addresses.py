"""Addresses of services: which there are, which service is behind one, and a tile as it is answered."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable
from typing import Any

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from api.auth.login import backend_of
from api.errors import Gone
from api.links import Links
from api.sign import Address, address_in, addressed
from api.waiting import GLANCE, answer
from engine import Look, Portrait, Problem, Service

Json = dict[str, Any]
LAYER = "map"
"""Name of the one layer that a WMTS has."""
PATIENCE = 20.0
"""Seconds that a tile waits for its place, where there is too much to do."""
FRESH = 60
"""Seconds for which a tile need not be asked for again: a service may have changed meanwhile."""


def base_of(request: Request, service: Service) -> str:
    """What all addresses of a service begin with."""
    address = Address(service.owner, service.id, service.key)
    return Links(request).root(f"/tiles/{addressed(address, backend_of(request).services.secret)}")


def url_of(request: Request, service: Service) -> str:
    """The address of a service as clients of its type want it."""
    base = base_of(request, service)
    if service.type == "XYZ":
        return f"{base}/{{z}}/{{x}}/{{y}}.{look_of(request, service).suffix}"
    return f"{base}/wmts" if service.type == "WMTS" else f"{base}/ogc"


def attributes_of(request: Request, service: Service) -> Json:
    """What was found out about a service's map."""
    portrait, look = portrait_of(request, service), look_of(request, service)
    layers = {"layers": [LAYER]} if service.type == "WMTS" else {}
    return {
        **layers,
        "bounds": list(portrait.bounds),
        "bands": list(portrait.bands),
        "range": [list(pair) for pair in portrait.ranges],
        "minzoom": look.minzoom,
        "maxzoom": look.maxzoom,
        "tile_size": look.size,
        "media_type": look.media_type,
    }


def look_of(request: Request, service: Service) -> Look:
    """How a service draws."""
    return backend_of(request).services.look(service)


def portrait_of(request: Request, service: Service) -> Portrait:
    """What was found out about a service's map."""
    return backend_of(request).services.portrait(service)


def behind(type_: str) -> Callable[[Request, str], Service]:
    """A dependency: the service of that type behind the address that was asked."""

    def find(request: Request, token: str) -> Service:
        desk = backend_of(request).services
        address = address_in(token, desk.secret)
        service = desk.open(address.owner, address.service, address.key)
        if service.type != type_:
            raise Problem("ServiceNotFound", f"the service is none of the type {type_}")
        return service

    return find


def title_of(service: Service) -> str:
    """A service's name for people."""
    return str(service.document.get("title") or f"Service {service.id}")


def number(text: str) -> int | None:
    """A number in a path; none where it can be none of a tile."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def numbers(*texts: str) -> tuple[int, ...]:
    """The numbers of a tile.

    Raises:
        Problem: They can be none.
    """
    found = [n for n in map(number, texts) if n is not None]
    if len(found) < len(texts):
        raise Problem("TileOutOfRange", f"there is no tile {'/'.join(text[:20] for text in texts)}")
    return tuple(found)


async def picture(request: Request, service: Service, z: int, x: int, y: int) -> bytes:
    """The bytes of a tile. Maps ask for dozens at once, so that one waits here for its place at the desk, for a while."""
    desk = backend_of(request).services
    end = time.monotonic() + PATIENCE
    while (found := await run_in_threadpool(desk.kept, service, z, x, y)) is None:
        try:
            share = await run_in_threadpool(desk.draw, service, z, x, y)
        except Problem as problem:
            if problem.code != "TooManyRequests" or time.monotonic() > end:
                raise
        else:
            drawn: bytes = await answer(request, share)
            return drawn
        await asyncio.sleep(GLANCE)
        if await request.is_disconnected():
            raise Gone
    return found


async def tile(request: Request, service: Service, z: int, x: int, y: int) -> Response:
    """A tile: as it is kept, or drawn; 304 where the client has it."""
    found = await picture(request, service, z, x, y)
    tag = f'"{hashlib.sha256(found).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": f"public, max-age={FRESH}"}
    known = [
        given.strip().removeprefix("W/") for given in request.headers.get("if-none-match", "").split(",")
    ]
    if tag in known or known == ["*"]:
        return Response(status_code=304, headers=headers)
    return Response(found, media_type=look_of(request, service).media_type, headers=headers)
