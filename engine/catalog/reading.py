"""Reads STAC documents: from disk, or from the web with time limits, retries and paging to the end."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any

from urllib3 import Retry

from engine.catalog.documents import is_remote, links, local_path, resolved, shown
from engine.catalog.model import Json
from engine.errors import Problem
from engine.http import GUARDED, Client, Egress, Failure

PATIENCE = Retry(
    total=5,
    backoff_factor=0.5,
    status_forcelist=(429, 500, 502, 503, 504),
    allowed_methods=None,
    raise_on_status=False,
    retry_after_max=30,
)
AT_ONCE = 8
"""Documents of a static catalogue that are asked of a web server at the same time."""
MAX_EMPTY = 100
"""Empty pages in a row after which a server is taken to be broken."""


class Reader:
    """The one place where the catalogue reads STAC JSON. It reads no pixels and follows no links by itself."""

    def __init__(self, egress: Egress = GUARDED) -> None:
        self.client = Client(egress, retries=PATIENCE)

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.client.close()

    def json(
        self, href: str, method: str = "GET", parameters: Mapping[str, Any] | None = None, headers: Any = None
    ) -> Json:
        """The JSON object at a path or web address."""
        text = self._text(href, method, parameters, headers)
        try:
            doc = json.loads(text)
        except (ValueError, RecursionError) as cause:
            raise Problem(
                "FileContentInvalid", f"{shown(href)} is not JSON: {cause}.", facts={"href": shown(href)}
            ) from cause
        if not isinstance(doc, dict):
            raise Problem(
                "FileContentInvalid", f"{shown(href)} holds a JSON {type(doc).__name__}, not an object."
            )
        return doc

    def many(self, hrefs: list[str]) -> Iterator[tuple[str, Json]]:
        """The JSON objects at these places, in this order; several at a time where they are on the web."""
        if not any(is_remote(href) for href in hrefs):
            yield from ((href, self.json(href)) for href in hrefs)
            return
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for at in range(0, len(hrefs), 8 * AT_ONCE):
                some = hrefs[at : at + 8 * AT_ONCE]
                yield from zip(some, pool.map(self.json, some), strict=True)

    def pages(
        self, href: str, method: str = "GET", parameters: Mapping[str, Any] | None = None
    ) -> Iterator[tuple[str, Json]]:
        """All pages of a list, each with its address: to the end, past pages that happen to be empty."""
        ask: tuple[str, str, Any, Any] = (href, method, dict(parameters or {}), None)
        seen: set[str] = set()
        empty = 0
        while True:
            page = self.json(*ask)
            yield ask[0], page
            empty = 0 if page.get("features") or page.get("collections") else empty + 1
            following = links(page, "next")
            if not following:
                return
            ask = _following(following[0], ask)
            if (mark := json.dumps(ask, sort_keys=True)) in seen or empty > MAX_EMPTY:
                raise Problem(
                    "FileContentInvalid",
                    f"the pages of {shown(href)} do not come to an end: page {len(seen) + 2} was there before or is empty.",
                    hint="Tell the operator of that server, or ask for less at once (a box, a time).",
                )
            seen.add(mark)

    def _text(self, href: str, method: str, parameters: Mapping[str, Any] | None, headers: Any) -> str:
        try:
            if is_remote(href):
                return self._remote_text(href, method, dict(parameters or {}), headers)
            return Path(local_path(href)).read_text(encoding="utf-8")
        except Failure as cause:
            raise _unreadable(cause) from cause
        except FileNotFoundError as cause:
            raise Problem(
                "FileNotFound", f"there is no file {local_path(href)}.", facts={"href": href}
            ) from cause
        except (OSError, UnicodeDecodeError) as cause:
            raise Problem("FileContentInvalid", f"{local_path(href)} cannot be read: {cause}.") from cause

    def _remote_text(self, href: str, method: str, ask: Mapping[str, Any], headers: Any) -> str:
        given = {"json": ask} if method == "POST" else {"params": _flat(ask)}
        return self.client.fetch(href, method=method, headers=headers, **given).body.decode("utf-8")


def _flat(ask: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a query, lists as text with commas."""
    return {k: ",".join(map(str, v)) if isinstance(v, (list, tuple)) else v for k, v in ask.items()}


def _following(link: Json, ask: tuple[str, str, Any, Any]) -> tuple[str, str, Any, Any]:
    """The request that a `next` link stands for; with `merge` it adds to the body of the one before."""
    href = resolved(link["href"], ask[0])
    method = str(link.get("method", "GET")).upper()
    if method == "GET":
        return href, method, {}, link.get("headers")
    body = link.get("body") or {}
    return href, method, {**ask[2], **body} if link.get("merge") else body, link.get("headers")


def _unreadable(cause: Failure) -> Problem:
    if cause.kind not in ("status", "unreachable"):
        return cause.problem()
    return Problem(
        "FileNotFound",
        f"{cause.href} cannot be read: {cause.reason}.",
        hint="Check the address and whether it needs a login."
        if cause.status
        else "Check the address and the network.",
        facts={"href": cause.href, "status": cause.status},
    )
