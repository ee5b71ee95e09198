"""Logs as openEO tells them: entries with their times, from a level on, in pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from fastapi import Query, Request

from api.links import Links
from api.moments import moment

Json = dict[str, Any]
Level = Annotated[
    Literal["error", "warning", "info", "debug"], Query(description="The least grave level to tell.")
]
Offset = Annotated[str, Query(pattern="^[0-9]{0,18}$", description="Id of the last entry that is known.")]


def timed(entry: Mapping[str, Any]) -> Json:
    """An entry with its time as text."""
    return {**entry, "time": moment(entry["time"])}


def log_page(
    request: Request,
    path: str,
    read: Callable[[str, int, int | None], list[Json]],
    offset: str,
    level: str,
    limit: int | None,
) -> Json:
    """The entries after the one that is known, and where there are more.

    Args:
        request: What was asked.
        path: Where the log is.
        read: Gives the entries from a level on, after the one of that number, at most so many.
        offset: Id of the last entry that is known.
        level: The least grave level.
        limit: At most so many entries.
    """
    links = Links(request)
    found = read(level, int(offset or 0), None if limit is None else limit + 1)
    told = [timed(entry) for entry in found[:limit]]
    out = [links.link("self", links.here())]
    if limit is not None and len(found) > limit:
        more = links.to(path, offset=told[-1]["id"], limit=limit, level=level)
        out.append(links.link("next", more))
    return {"level": level, "logs": told, "links": out}
