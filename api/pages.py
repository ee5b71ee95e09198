"""Lists in pages: everything where no limit is given, else one page with links to the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypeVar
from urllib.parse import urlencode

from fastapi import Query, Request

from api.links import Link, Links

T = TypeVar("T")
MOST = 10**9
Limit = Annotated[int | None, Query(ge=1, le=MOST, description="At most so many; without it, all.")]
TenLimit = Annotated[int, Query(ge=1, le=10_000, description="At most so many.")]
"""That of lists that OGC defines: ten, where nothing is said."""
Page = Annotated[int, Query(ge=1, le=MOST, description="Which page of that size, the first being 1.")]


def paged(
    request: Request, found: Sequence[T], limit: int | None, page: int
) -> tuple[Sequence[T], list[Link]]:
    """The page that was asked for, and the links of a list."""
    links = Links(request)
    out = [links.link("self", links.here())]
    if limit is None:
        return found, out
    path = request.url.path.removeprefix(request.scope.get("root_path", ""))
    last = max(1, -(-len(found) // limit))
    kept = {
        name: ",".join(request.query_params.getlist(name))
        for name in request.query_params
        if name not in ("limit", "page")
    }
    numbers = {"first": 1, "prev": page - 1, "next": page + 1, "last": last}
    for rel, number in numbers.items():
        if 1 <= number <= last:
            out.append(
                links.link(rel, f"{links.root(path)}?{urlencode({**kept, 'limit': limit, 'page': number})}")
            )
    return found[(page - 1) * limit : page * limit], out
