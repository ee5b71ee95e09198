"""Bodies of requests: JSON as the standard has it, of a depth that all of the program can hold."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, NoReturn

from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

DEEPEST = 200
"""Objects and lists within each other."""
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class StrictRequest(Request):
    """A request whose JSON is held to the standard (RFC 8259)."""

    async def json(self) -> Any:
        """The body.

        Raises:
            JSONDecodeError: It is no JSON.
            HTTPException: It has numbers, signs or a depth that others could not take.
        """
        return strict(await self.body())


class StrictRoute(APIRoute):
    """A route that takes such bodies only."""

    def get_route_handler(self) -> Handler:
        """The handler, given a strict request."""
        handler = super().get_route_handler()

        async def held(request: Request) -> Response:
            return await handler(StrictRequest(request.scope, request.receive))

        return held


def strict(text: str | bytes) -> Any:
    """The JSON value in a text.

    Raises:
        JSONDecodeError: It is no JSON.
        HTTPException: It has numbers, signs or a depth that others could not take.
    """
    try:
        value = json.loads(
            text, parse_constant=refuse, parse_float=finite, parse_int=whole, object_pairs_hook=members
        )
    except RecursionError:
        raise too_deep() from None
    except UnicodeDecodeError as cause:
        raise HTTPException(400, f"the body is not in UTF-8: {cause.reason}") from None
    if depth_is_over(value, DEEPEST):
        raise too_deep()
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise HTTPException(400, "the body has half of a surrogate pair, which is no character") from None
    return value


def refuse(constant: str) -> NoReturn:
    """There are no such numbers in JSON, or in computers."""
    raise HTTPException(400, f"the body has the number {constant}, which cannot be kept; send null")


def finite(text: str) -> float:
    """A number, unless it is beyond all that computers have."""
    number = float(text)
    return number if math.isfinite(number) else refuse(text[:40])


def whole(text: str) -> int:
    """An integer, unless it is beyond what a float reaches."""
    return int(text) if len(text) <= 308 else refuse(f"{text[:40]}...")


def members(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """An object; of two members with one name nobody knows which is meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in found if names.count(name) > 1)
        raise HTTPException(400, f"the body has the member {twice[:40]!r} twice in one object")
    return found


def too_deep() -> HTTPException:
    """The refusal of what is nested too deeply."""
    return HTTPException(400, f"the body has more than {DEEPEST} objects and lists within each other")


def depth_is_over(value: Any, limit: int) -> bool:
    """Are more containers than so many within each other? It is found out without recursion."""
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(limit):
        if not level:
            return False
        inner = (v for c in level for v in (c.values() if isinstance(c, dict) else c))
        level = [v for v in inner if isinstance(v, (dict, list))]
    return bool(level)
