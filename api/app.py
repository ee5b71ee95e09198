"""The application: doors side by side, once for each facet, in one frame."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from anyio import to_thread
from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute

from api import merged, openapi, sessions, storage
from api.auth.login import welcome
from api.datacosmos import catalogue, projects, tokens
from api.errors import add_handlers
from api.facets import FACETS, ROOT, entering
from api.frame import Frame
from api.incoming import Incoming
from api.live import datasets, publish, subscribe, webhooks
from api.live.room import Room
from api.ogc import coverages, deployment, execution
from api.ogc import jobs as ogc_jobs
from api.ogc import processes as ogc_processes
from api.openeo import (
    accounts,
    capabilities,
    downloads,
    files,
    jobs,
    processes,
    results,
    services,
    user_processes,
)
from api.owners import owned_collections, owned_downloads, owned_items, owned_searches, owners_landing
from api.stac import collections, items, transactions
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
OPENEO_ALONE = (jobs, downloads, processes)
"""What of openEO has another shape at the root, where OGC's processes and jobs stand beside it."""
OGC_ALONE = (ogc_processes, ogc_jobs)
"""The same of OGC's processes."""
MERGED = (merged.router, ogc_jobs.signed_outputs)
"""What the root has instead, and what addresses at the root lead to."""
EXECUTION = (execution, deployment)
"""Processes are executed and deployed: at the root, and where OGC's standards stand alone."""
SHARED = (capabilities, collections)
"""What all standards have."""
OF_STAC = (items.searches, collections.everywhere)
"""Searches over all collections: at the root, and where STAC stands alone."""
FEATURES = (items.router, transactions.router)
"""Collections as features: at the root, and where STAC or OGC's standards stand alone."""
COVERAGES = (coverages,)
"""Collections as coverages: at the root, and where OGC's standards stand alone."""
AT_ROOT = (sessions, catalogue, projects, tokens, storage)
"""What is at the root only."""
OF_OWNERS = (
    owners_landing.outside,
    owned_collections.router,
    owned_searches.router,
    owned_items.router,
    owned_downloads.router,
    owned_collections.by_owner,
    owned_items.by_owner,
    owned_downloads.by_owner,
    owners_landing.by_owner,
)
"""The catalogue of owners, at the root only; names of owners stand where other paths have words, and come last."""
LIVE = (publish, subscribe, datasets, webhooks)
"""What is published, followed and told, at the root only."""
MAPS = (wmts, ogc, xyz)
"""Where services lead: public, at addresses that nobody guesses, and at the root only; the vaguest paths come last."""


def create_app(backend: Backend) -> FastAPI:
    """The application over a back-end, which it closes in the end."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        to_thread.current_default_thread_limiter().total_tokens = THREADS
        app.state.room = Room()
        backend.sync.warm_up()
        welcome(backend)
        backend.begin_work()
        backend.begin_callbacks(ogc_jobs.telling(backend))
        backend.begin_housekeeping()
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
    app.state.incoming = Incoming()
    routes: list[APIRoute] = []
    for facet in FACETS:
        doors = list(MERGED) if facet == ROOT else []
        doors += [door.router for door in (DOORS if facet.openeo else SHARED)]
        doors += [door.alone for door in OPENEO_ALONE] if facet.openeo and not facet.processes else []
        doors += [door.router for door in OGC_ALONE] if facet.processes and not facet.openeo else []
        doors += [door.router for door in EXECUTION if facet.processes]
        doors += [*FEATURES] * facet.features
        doors += [*OF_STAC] * facet.stac
        doors += [door.router for door in COVERAGES if facet.coverages]
        doors += [user_processes.public, capabilities.versions] * facet.openeo
        doors += [accounts.providers] * bool(facet.openeo and backend.settings.oidc)
        extra = [door.router for door in AT_ROOT] if facet == ROOT else []
        extra += [capabilities.outside, openapi.router, *(m.router for m in MAPS)] if facet == ROOT else []
        extra += [*OF_OWNERS] * (facet == ROOT)
        extra += [door.router for door in LIVE] * (facet == ROOT)
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
    """The routes of a router that are told, as they are behind a prefix."""
    return [
        APIRoute(prefix + route.path, route.endpoint, methods=route.methods)
        for route in router.routes
        if isinstance(route, APIRoute) and route.include_in_schema
    ]
