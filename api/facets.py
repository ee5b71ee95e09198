"""The faces of the server: all of it at the root, and one standard alone behind a prefix, by the same code."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from starlette.requests import HTTPConnection


@dataclass(frozen=True, slots=True)
class Facet:
    """One face."""

    prefix: str
    """What its paths begin with."""
    title: str
    """What is added to the server's name."""
    openeo: bool
    """Is it openEO's, with processing and all that belongs to it?"""
    stac: bool
    """Are items searched over all collections?"""
    features: bool
    """Are its collections features, which are listed, and changed?"""
    plain: bool
    """Are features that are no STAC items given as they are, without the members that STAC asks of items?"""
    coverages: bool
    """Are its collections coverages, too?"""
    processes: bool
    """Are processes executed as OGC has it?"""
    classes: tuple[str, ...]
    """What its conformance classes begin with."""


OF_OPENEO, OF_STAC, OF_OGC = "https://api.openeo.org/", "https://api.stacspec.org/", "http://www.opengis.net/"
ROOT = Facet(
    "", "", openeo=True, stac=True, features=True, plain=False, coverages=True, processes=True,
    classes=("http",)
)  # fmt: skip
OPENEO = Facet(
    "/openeo/1.2", "openEO", openeo=True, stac=False, features=False, plain=False, coverages=False, processes=False,
    classes=(OF_OPENEO, OF_STAC, OF_OGC),
)  # fmt: skip
STAC = Facet(
    "/stac", "STAC", openeo=False, stac=True, features=True, plain=False, coverages=False, processes=False,
    classes=(OF_STAC, OF_OGC),
)  # fmt: skip
OGC = Facet(
    "/ogc", "OGC API", openeo=False, stac=False, features=True, plain=True, coverages=True, processes=True,
    classes=(OF_OGC,)
)  # fmt: skip
FACETS = (ROOT, OPENEO, STAC, OGC)


def facet_of(path: str) -> Facet:
    """The face that a path belongs to."""
    return next((f for f in FACETS if f.prefix and f"{path}/".startswith(f"{f.prefix}/")), ROOT)


def entering(facet: Facet) -> Callable[[HTTPConnection], Coroutine[Any, Any, None]]:
    """A dependency that notes the facet a request came through."""

    async def enter(request: HTTPConnection) -> None:  # else each request would change threads for it
        request.state.facet = facet

    return enter
