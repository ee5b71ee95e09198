"""Lists in pages: everything where no limit is given, else one page with links to the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypeVar

from fastapi import Query, Request

from api.links import Link, Links

T = TypeVar("T")
MOST = 10**9
Limit = Annotated[int | None, Query(ge=1, le=MOST, description="At most so many; without it, all.")]
Page = Annotated[int, Query(ge=1, le=MOST, description="Which page of that size, the first being 1.")]

Offset = Annotated[str, Query(pattern="^[0-9]{0,18}$", description="Id of the last entry that is known.")]


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
    numbers = {"first": 1, "prev": page - 1, "next": page + 1, "last": last}
    for rel, number in numbers.items():
        if 1 <= number <= last:
            out.append(links.link(rel, links.root(path, limit=limit, page=number)))
    return found[(page - 1) * limit : page * limit], out
