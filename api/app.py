"""The application: doors side by side, once for each facet, in one frame."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from anyio import to_thread
from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute

from api import openapi
from api.auth.login import welcome
from api.errors import add_handlers
from api.facets import FACETS, ROOT, entering
from api.frame import Frame
from api.openeo import (
    accounts,
    capabilities,
    collections,
    downloads,
    files,
    jobs,
    processes,
    results,
    services,
    user_processes,
)
from api.tiles import ogc, wmts, xyz
from engine import Backend

THREADS = 12
"""Requests that are worked on at a time; with more, the one thread that answers all would wait for its turn too long."""
DOORS = (
    capabilities,
    accounts,
    collections,
    processes,
    results,
    jobs,
    downloads,
    files,
    services,
    user_processes,
)
SHARED = (capabilities, collections)
"""What all standards have; the doors of STAC and OGC themselves are not built yet."""
MAPS = (wmts, ogc, xyz)
"""Where services lead: public, at addresses that nobody guesses, and at the root only; the vaguest paths come last."""


def create_app(backend: Backend) -> FastAPI:
    """The application over a back-end, which it closes in the end."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        to_thread.current_default_thread_limiter().total_tokens = THREADS
        backend.sync.warm_up()
        welcome(backend)
        backend.begin_work()
        yield
        backend.close()

    app = FastAPI(
        title=backend.settings.title,
        version=version("geodatacube"),
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.backend = backend
    routes: list[APIRoute] = []
    for facet in FACETS:
        doors = [door.router for door in (DOORS if facet.openeo else SHARED)]
        doors += [user_processes.public, capabilities.versions] * facet.openeo
        doors += [accounts.providers] * bool(facet.openeo and backend.settings.oidc)
        extra = [capabilities.outside, openapi.router, *(m.router for m in MAPS)] if facet == ROOT else []
        for router in (*doors, *extra):
            app.include_router(
                router,
                prefix=facet.prefix,
                dependencies=[Depends(entering(facet))],
                generate_unique_id_function=openapi.named(facet),
            )
            routes += mounted(router, facet.prefix)
    app.state.routes = routes
    add_handlers(app)
    app.add_middleware(Frame)
    return app


def mounted(router: APIRouter, prefix: str) -> list[APIRoute]:
    """The routes of a router, as they are behind a prefix."""
    return [
        APIRoute(prefix + route.path, route.endpoint, methods=route.methods)
        for route in router.routes
        if isinstance(route, APIRoute)
    ]
