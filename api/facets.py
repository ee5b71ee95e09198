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


ROOT = Facet("", "")
OPENEO = Facet("/openeo/1.2", "openEO")
FACETS = (ROOT, OPENEO)


def facet_of(path: str) -> Facet:
    """The face that a path belongs to."""
    return next((f for f in FACETS if f.prefix and path.startswith(f"{f.prefix}/")), ROOT)


def entering(facet: Facet) -> Callable[[Request], None]:
    """A dependency that notes the facet a request came through."""

    def enter(request: Request) -> None:
        request.state.facet = facet

    return enter
