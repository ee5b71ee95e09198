"""The catalogue as it is seen through a face of the server."""

from __future__ import annotations

from fastapi import Request

from api.auth.login import backend_of, viewer
from engine import Catalog


def catalog_of(request: Request) -> Catalog:
    """What somebody may read of it; STAC alone where the face is STAC's."""
    seen = backend_of(request).hub.seen_by(viewer(request))
    return seen if request.state.facet.vectors else seen.of_stac()


def stac_of(request: Request) -> Catalog:
    """What somebody may read of it as STAC, whichever face it is."""
    return backend_of(request).hub.seen_by(viewer(request)).of_stac()
