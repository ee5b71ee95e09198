"""What doors that make and change things have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

from fastapi import Request
from starlette.responses import Response

from api.links import Links
from engine import Problem


def created(request: Request, path: str, id_: str) -> Response:
    """The answer to what made something."""
    headers = {"Location": Links(request).to(path), "OpenEO-Identifier": id_, "GDC-Identifier": id_}
    return Response(status_code=201, headers=headers)


def without_nulls(members: Mapping[str, Any]) -> dict[str, Any]:
    """The members that say something; some clients write null for what they do not know."""
    return {name: value for name, value in members.items() if value is not None}


def plainly(request: Mapping[str, Any]) -> dict[str, Any]:
    """A request whose process has no members that are null: what is told of it later has to have none."""
    process = request.get("process")
    plain = {"process": without_nulls(process)} if isinstance(process, Mapping) else {}
    return {**request, **plain}


def refuse_read_only(names: Iterable[str], read_only: Set[str]) -> None:
    """Refuse to change what only the server writes.

    Raises:
        Problem: One of the names is among it.
    """
    for name in names:
        if name in read_only:
            raise Problem("PropertyNotEditable", f"{name!r} is read-only", facts={"property": name})
