"""Where a STAC API searches, and the parameters that ask it for what a query wants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pystac_client import ItemSearch

from engine.catalog.documents import links, resolved
from engine.catalog.model import Json, Query
from engine.catalog.space import split

PAGE = 500
"""Items to ask of a server at a time; where it gives less at once, there are more pages."""


@dataclass(frozen=True)
class Door:
    """A search that an API offers."""

    url: str
    """Its address."""
    method: str
    """POST where the API offers it, else GET."""
    sorts: bool
    """Whether it sorts what it finds, if asked."""
    collections: tuple[str, ...] | None = None
    """Collections to search in; None: all."""

    def asks(
        self, query: Query | None, *, limit: int = PAGE, sortby: str | None = None
    ) -> list[dict[str, Any]]:
        """The parameters of one search, or two where the box crosses the antimeridian.

        Its time ends with the query's end, which the query excludes: the exact filter takes care of that.
        """
        boxes = split(query.bbox) if query is not None and query.bbox is not None else (None,)
        time = [query.start, query.end] if query is not None and query.timed else None
        return [
            ItemSearch(
                self.url,
                method=self.method,
                limit=limit,
                collections=list(self.collections) if self.collections else None,
                bbox=box,
                datetime=time,
                sortby=sortby,
            ).get_parameters()
            for box in boxes
        ]


def door_of(landing: Json, href: str) -> Door | None:
    """The search of the API with this landing page; None where it offers none."""
    offers = {str(link.get("method", "GET")).upper(): link["href"] for link in links(landing, "search")}
    sorts = any("#sort" in str(uri) for uri in landing.get("conformsTo") or [])
    for method in ("POST", "GET"):
        if method in offers:
            return Door(resolved(offers[method], href), method, sorts)
    return None


def is_list(href: str) -> bool:
    """Whether the address is that of an API's list of items."""
    return urlsplit(href).path.rstrip("/").endswith(("/items", "/search"))


def narrowed(href: str, query: Query | None) -> list[Mapping[str, Any]]:
    """Parameters for a list of items by GET; what its address says by itself stays as it says it."""
    said = parse_qs(urlsplit(href).query)
    asks = Door(href, "GET", sorts=False).asks(query)
    return [{name: value for name, value in ask.items() if name not in said} for ask in asks]
