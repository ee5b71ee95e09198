"""Absolute links, as the client sees the server: behind its public address, and within the facet it came through."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from starlette.requests import HTTPConnection

from api.facets import Facet

Link = dict[str, str]
SAFE = "/:@~"
"""What paths may hold as it is, besides letters and digits."""
HTTP_OF = {"ws": "http", "wss": "https"}
"""What is fetched by HTTP, wherever the address is told."""


class Links:
    """Makes links for the answer to one request."""

    def __init__(self, request: HTTPConnection) -> None:
        public = request.app.state.backend.settings.public_url
        here = request.base_url
        if here.scheme in HTTP_OF:
            here = here.replace(scheme=HTTP_OF[here.scheme])
        self._root = str(public or here).rstrip("/")
        facet: Facet = request.state.facet
        self._prefix = facet.prefix
        self._path = request.url.path.removeprefix(request.scope.get("root_path", ""))
        self._query = request.url.query

    def to(self, path: str, **query: object) -> str:
        """The address of a path within the facet."""
        return self.root(
            self._prefix + quote(path, safe=SAFE) if path != "/" else self._prefix + "/", **query
        )

    def root(self, path: str, **query: object) -> str:
        """The address of a path of the server."""
        return f"{self._root}{path}" + (f"?{urlencode(query)}" if query else "")

    @property
    def path(self) -> str:
        """The path that was asked, with its query."""
        return quote(self._path) + (f"?{self._query}" if self._query else "")

    def here(self) -> str:
        """The address that was asked."""
        return f"{self._root}{self.path}"

    @staticmethod
    def link(rel: str, href: str, title: str = "", type_: str = "application/json") -> Link:
        """One link."""
        return {"rel": rel, "href": href, "type": type_} | ({"title": title} if title else {})
