"""The catalogue as it is seen through a face of the server: STAC does not know features of other kinds."""

from __future__ import annotations

from fastapi import Request

from api.auth.login import backend_of, viewer
from api.facets import STAC
from engine import Catalog


def catalog_of(request: Request) -> Catalog:
    """What somebody may read of it; STAC alone where the face is STAC's."""
    seen = backend_of(request).hub.seen_by(viewer(request))
    return seen.of_stac() if request.state.facet is STAC else seen


def stac_of(request: Request) -> Catalog:
    """What somebody may read of it as STAC, whichever face it is."""
    return backend_of(request).hub.seen_by(viewer(request)).of_stac()


def demand_seen(request: Request, collection: str) -> None:
    """Refuse changes of features through STAC's face, which does not know them.

    Raises:
        Problem: There is no such collection.
    """
    if request.state.facet is STAC:
        catalog_of(request).tag(collection)
