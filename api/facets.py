"""The faces of the server: all of it at the root, and one standard alone behind a prefix, by the same code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request


@dataclass(frozen=True, slots=True)
class Facet:
    """One face."""

    prefix: str
    """What its paths begin with."""
    title: str
    """What is added to the server's name."""
    openeo: bool
    """Is it openEO's, with processing and all that belongs to it?"""
    classes: tuple[str, ...]
    """What its conformance classes begin with."""


OF_OPENEO, OF_STAC, OF_OGC = "https://api.openeo.org/", "https://api.stacspec.org/", "http://www.opengis.net/"
ROOT = Facet("", "", openeo=True, classes=("http",))
OPENEO = Facet("/openeo/1.2", "openEO", openeo=True, classes=(OF_OPENEO, OF_STAC, OF_OGC))
STAC = Facet("/stac", "STAC", openeo=False, classes=(OF_STAC, OF_OGC))
OGC = Facet("/ogc", "OGC API", openeo=False, classes=(OF_OGC,))
FACETS = (ROOT, OPENEO, STAC, OGC)


def facet_of(path: str) -> Facet:
    """The face that a path belongs to."""
    return next((f for f in FACETS if f.prefix and path.startswith(f"{f.prefix}/")), ROOT)


def entering(facet: Facet) -> Callable[[Request], None]:
    """A dependency that notes the facet a request came through."""

    def enter(request: Request) -> None:
        request.state.facet = facet

    return enter
